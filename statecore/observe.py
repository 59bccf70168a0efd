"""Make one call and say what it did, without moving what it observes."""

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any

import jax

from statecore import kept
from statecore.kept import Kept

Line = tuple[str, int]
"""A line of Python: file name and line number."""


@dataclass(frozen=True)
class Observation:
    """What one call did.

    Attributes:
      value: what it returned; None when it raised.
      error: the exception it raised, or None.
      ran: the lines of Python that executed, of the watched functions only.
      traced: True when a transformation (`jit`, `vmap`, ...) ran the Python body.
        A call that only ran the compiled program has no such line.
      kept: the program that `jit` kept, or None when there is none to read.
    """

    value: Any
    error: Exception | None
    ran: frozenset[Line]
    traced: bool
    kept: Kept | None


def observe(
    function: Callable,
    *args: Any,
    caller: Callable | None = None,
    watch: tuple[Callable, ...] = (),
) -> Observation:
    """Call `function(*args)` once and report what happened.

    The program is read right after the call, from the same wrapper with the same
    arguments: `.trace(*args)` then finds it in the cache and runs no Python. After
    an exception nothing was cached, so nothing is read.

    Args:
      function: any callable; a `jax.jit` wrapper is seen through to its body.
      *args: its arguments.
      caller: makes the call as `caller(function, *args)` instead, so that the
        calling line is observed as well.
      watch: further functions whose lines are of interest.

    Safe in many threads at once: the line tracer belongs to the calling thread,
    and the tracer found there (a debugger's, coverage's) is put back.
    """
    body = inspect.unwrap(function)
    before = hidden_state(function)
    value, error = None, None
    with executed_lines(body, *([caller] if caller else []), *watch) as ran:
        try:
            value = caller(function, *args) if caller else function(*args)
            jax.block_until_ready(value)
        except Exception as raised:
            error = raised
    body_lines = _lines_of(body)
    traced = body is not function and not body_lines.isdisjoint(ran)
    program = None
    if error is None and hasattr(function, "trace"):
        program = _program(function, args, before, hidden_state(function))
    return Observation(value, error, frozenset(ran), traced, program)


def hidden_state(function: Callable) -> dict[str, Any]:
    """The attributes of the object that `function` is a method of, by name: `self.n`.

    Containers are copied, so that a later change of the object does not change
    what was seen. Empty for a plain function.
    """
    owner = getattr(inspect.unwrap(function), "__self__", None)
    if owner is None or inspect.ismodule(owner) or not hasattr(owner, "__dict__"):
        return {}
    return {f"self.{name}": _copied(value) for name, value in vars(owner).items()}


def _copied(value: Any) -> Any:
    return jax.tree.map(lambda leaf: leaf, value) if isinstance(value, (list, dict, tuple)) else value


@contextmanager
def executed_lines(*functions: Callable) -> Iterator[set[Line]]:
    """Collect the lines that execute in `functions`, and in functions defined inside them."""
    codes = {code for function in functions for code in _codes(function)}
    ran: set[Line] = set()

    def on_line(frame: FrameType, event: str, _arg: Any):
        if event == "line":
            ran.add((frame.f_code.co_filename, frame.f_lineno))
        return on_line

    def on_call(frame: FrameType, _event: str, _arg: Any):
        return on_line if frame.f_code in codes else None

    previous = sys.gettrace()
    sys.settrace(on_call)
    try:
        yield ran
    finally:
        sys.settrace(previous)


def _program(function: Any, args: tuple, before: Mapping[str, Any], after: Mapping[str, Any]) -> Kept:
    closed = function.trace(*args).jaxpr
    seen_before = kept.read(closed, before)
    return seen_before if seen_before.baked else kept.read(closed, after)


def _codes(function: Callable) -> Iterator[CodeType]:
    code = getattr(inspect.unwrap(function), "__code__", None)
    pending = [code] if code else []
    while pending:
        current = pending.pop()
        yield current
        pending += [const for const in current.co_consts if isinstance(const, CodeType)]


def _lines_of(function: Callable) -> set[Line]:
    return {
        (code.co_filename, line)
        for code in _codes(function)
        for _start, _end, line in code.co_lines()
        if line is not None
    }
