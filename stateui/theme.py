"""The look: one colour, one dash and one mark for each role, in light and in dark."""

from dataclasses import dataclass
from html import escape
from pathlib import Path

import streamlit as st


@dataclass(frozen=True)
class Role:
    """How a role looks in every picture; the colour never says it alone."""

    mark: str
    colour: str
    dash: str


ROLES = {
    "plain": Role("●", "#7A7A7A", "dot"),
    "broken": Role("✗", "#D55E00", "dash"),
    "fixed": Role("✓", "#009E73", "solid"),
    "ref": Role("◆", "#CC79A7", "dashdot"),
    "cursor": Role("|", "#0072B2", "solid"),
}

_ASSETS = Path(__file__).parent / "assets"
ICON = _ASSETS / "icon.png"
_CSS = (_ASSETS / "style.css").read_text(encoding="utf-8")


def heading(role: str, title: str) -> str:
    """A heading with the mark of its role, as HTML."""
    mark = ROLES[role].mark
    return f'<h3 class="role role-{role}"><span class="mark">{mark}</span>{escape(title)}</h3>'


def verdict(kind: str, told: str, also: str = "") -> str:
    """What came of a call, as HTML; `kind` is `python`, `traced`, `compiled`, `error` or `idle`.

    Args:
      told: in words, as HTML.
      also: a further class, where a verdict needs more room.
    """
    focus = ' tabindex="0"' if kind == "error" else ""  # a long message scrolls, also by keyboard
    return f'<p class="{f"verdict {also}".strip()}" data-kind="{kind}"{focus}>{told}</p>'


def apply(presenting: bool = False) -> None:
    """Put the style sheet into the page; larger code and text when presenting to a class."""
    size = ":root { --code-size: 1.15rem; }" if presenting else ""
    st.html(f"<style>{_CSS}{size}</style>")
