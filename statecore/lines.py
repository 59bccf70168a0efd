"""Lines of Python: which ones a function has, and which ones executed."""

import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any

Line = tuple[str, int]
"""A line of Python: file name and line number."""


@contextmanager
def executed_lines(*functions: Callable) -> Iterator[set[Line]]:
    """Collect the lines that execute in `functions`, and in functions defined inside them.

    The line tracer belongs to the calling thread, and the one found there (a
    debugger's, coverage's) is put back.
    """
    codes = {code for function in functions for code in codes_of(function)}
    ran: set[Line] = set()

    def on_line(frame: FrameType, event: str, _arg: Any):
        if event == "line":
            ran.add((frame.f_code.co_filename, frame.f_lineno))
        return on_line

    def on_call(frame: FrameType, _event: str, _arg: Any):
        return on_line if frame.f_code in codes else None

    with tracing(on_call):
        yield ran


@contextmanager
def tracing(on_call: Callable) -> Iterator[None]:
    """Install a trace function in this thread, and put back the one that was there."""
    previous = sys.gettrace()
    sys.settrace(on_call)
    try:
        yield
    finally:
        sys.settrace(previous)


def codes_of(function: Callable) -> Iterator[CodeType]:
    """The code of a function's body, and of the functions defined inside it."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    pending = [code] if code else []
    while pending:
        current = pending.pop()
        yield current
        pending += [const for const in current.co_consts if isinstance(const, CodeType)]
