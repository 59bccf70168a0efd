"""The source of what a program runs, where it can be read."""

import inspect
import textwrap
from collections.abc import Callable
from functools import lru_cache
from types import CodeType

from statecore.lockstep import Lane
from statecore.observation import body_of
from statecore.recording.data import Code
from statecore.recording.texts import short


def codes(lane: Lane) -> tuple[Code, ...]:
    """What is made, what is called and what calls it, where its source can be read; each once."""
    made = lane.objects
    called = made.watch or (made.function,)
    parts = (("made", lane.program.make), *(("program", each) for each in called), ("caller", made.call))
    found = (_code(role, function) for role, function in parts if function)
    return tuple(dict.fromkeys(each for each in found if each))


def _code(role: str, function: Callable) -> Code | None:
    body = body_of(function)
    code = getattr(body, "__code__", None)
    first, text = _source(code) if code else (0, "")
    return (
        Code(role, getattr(body, "__qualname__", ""), short(code.co_filename), first, text) if code and text else None
    )


@lru_cache(maxsize=512)
def _source(code: CodeType) -> tuple[int, str]:
    """The first line of a code object and its text; none where there is no source, or it is no Python."""
    if code.co_filename == "<string>":  # what Python has under that name was run with -c, and is other code
        return 0, ""
    try:
        lines, first = inspect.getsourcelines(code)
    except Exception:  # besides OSError, what the tokenizer raises at a file that has changed
        return 0, ""
    return first, textwrap.dedent("".join(lines)).rstrip("\n")
