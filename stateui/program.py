"""What jit kept, on screen: plain words, then the jaxpr with arguments and constants marked."""

import re
from html import escape

import streamlit as st

from statecore.kept import Kept
from stateui import words


def show_program(program: Kept | None, state: int = 0) -> None:
    """Show a program, or say that there is none yet; `state` is how many of its first inputs are the state."""
    if program is None:
        st.markdown("Nothing yet: the first call makes the program. Press **Step**.")
        return
    st.markdown("\n".join(f"- {sentence}" for sentence in words.program(program, state)))
    st.html(f'<pre class="jaxpr" tabindex="0" aria-label="jaxpr">{marked(program)}</pre>')


def marked(program: Kept) -> str:
    """The jaxpr as HTML: `<mark class="baked">` on hidden state, `class="argument"` on inputs."""
    titles = dict.fromkeys(program.inputs, ("argument", "an argument: it comes in on every call"))
    baked = ((each.text, each.origin) for each in program.baked)
    titles |= {text: ("baked", f"{origin.name} as it was while tracing") for text, origin in baked if origin}
    if not titles:
        return escape(program.text)
    found = re.compile("|".join(rf"(?<![\w.]){re.escape(text)}" for text in sorted(titles, key=len, reverse=True)))
    parts, at = [], 0
    for match in found.finditer(program.text):
        kind, title = titles[match[0]]
        parts += [
            escape(program.text[at : match.start()]),
            f'<mark class="{kind}" title="{escape(title)}">{escape(match[0])}</mark>',
        ]
        at = match.end()
    return "".join(parts) + escape(program.text[at:])
