"""Make one call and say what it did, without moving what it observes."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jax.extend import core

from statecore import kept
from statecore.attempt import without_frames
from statecore.kept import Kept
from statecore.lines import Line
from statecore.printing import Printer
from statecore.reading import jaxprs as reading
from statecore.slowmotion import TraceStep, trace_steps
from statecore.witness import watching


@dataclass(frozen=True)
class Observation:
    """What one call did.

    Attributes:
      value: what it returned; None when it raised.
      error: the exception it raised, without its traceback, or None.
      ran: the lines of Python that executed, of the program and of what is watched.
      called: the lines of the caller that executed.
      runs: how often the body of the function ran.
      traced: True when a transformation (`jit`, `vmap`, ...) ran the Python body.
        A call that only ran the compiled program has no such line.
      kept: the program that `jit` kept, or None when there is none to read.
      trace: the trace in slow motion; empty for a call that did not trace, or raised.
      printed: the lines that it wrote with the `Printer` of its namespace.
    """

    value: Any
    error: Exception | None
    ran: frozenset[Line]
    called: frozenset[Line] = frozenset()
    runs: int = 0
    traced: bool = False
    kept: Kept | None = None
    trace: tuple[TraceStep, ...] = ()
    printed: tuple[str, ...] = ()

    @property
    def outcome(self) -> Any:
        """What came of it: the value, or the exception."""
        return self.value if self.error is None else self.error


def observe(
    function: Callable,
    *args: Any,
    caller: Callable | None = None,
    watch: tuple[Callable, ...] = (),
    **kwargs: Any,
) -> Observation:
    """Call `function(*args, **kwargs)` once and report what happened.

    The program is read right after the call, from the same wrapper with the same
    arguments: `.trace(*args)` then finds it in the cache, and may run no Python. After
    an exception nothing was cached, so nothing is read.

    Args:
      function: any callable; a `jax.jit` wrapper is seen through to its body.
      *args, **kwargs: its arguments.
      caller: makes the call as `caller(function, *args)` instead, so that the
        calling line is observed as well. It may hand the function other arguments.
      watch: further functions whose lines are of interest.

    Safe in many threads at once: the line tracer belongs to the calling thread,
    and the tracer found there (a debugger's, coverage's) is put back.
    """
    body = body_of(function)
    spy = _Spy(function)
    printer = getattr(body, "__globals__", {}).get("print")
    before = len(printer.lines) if isinstance(printer, Printer) else 0
    value, error = None, None
    with watching(body, caller, watch, deep=body is not function) as seen:
        try:
            value = caller(spy, *args, **kwargs) if caller else spy(*args, **kwargs)
            jax.block_until_ready(value)
        except Exception as raised:
            error = without_frames(raised)
    if body is not function:
        jax.effects_barrier()  # a callback may still be on its way
    closed = spy.closed if error is None else None
    return Observation(
        value,
        error,
        frozenset(seen.ran),
        frozenset(seen.called),
        seen.runs,
        seen.traced,
        kept.of(closed, seen, _returning(function)) if closed else None,
        trace_steps(closed, seen) if closed and seen.traced else (),
        tuple(printer.lines[before:]) if isinstance(printer, Printer) else (),
    )


def body_of(function: Callable) -> Callable:
    """The Python function at the heart of a wrapper, a partial, or an object with `__call__`; else the function."""
    body = inspect.unwrap(function)
    while isinstance(body, functools.partial):
        body = inspect.unwrap(body.func)
    if inspect.isroutine(body) or inspect.isclass(body):
        return body
    call = getattr(body, "__call__", body)  # noqa: B004  # the method itself is wanted
    return call if inspect.ismethod(call) else body


def hidden_state(function: Callable) -> dict[str, Any]:
    """The attributes of the object that `function` is a method of, by name: `self.n`.

    Containers and NumPy arrays are copied, so that a later change of the object does
    not change what was seen; a Ref is given by what it holds. Empty for a plain function.
    """
    owner = getattr(body_of(function), "__self__", None)
    if owner is None or inspect.ismodule(owner) or not hasattr(owner, "__dict__"):
        return {}
    return {f"self.{name}": _copied(value) for name, value in vars(owner).items()}


def _copied(value: Any, within: tuple[int, ...] = ()) -> Any:
    if id(value) in within:  # a container that holds itself
        return value
    within = (*within, id(value))
    if type(value) is dict:
        return {key: _copied(part, within) for key, part in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_copied(part, within) for part in value)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(_copied(part, within) for part in value))
    if isinstance(value, jax.Ref):
        return value[...]
    return value.copy() if isinstance(value, np.ndarray) else value


class _Spy:
    """Stands for a function where it is called, and notes the program of its last call."""

    def __init__(self, function: Callable) -> None:
        functools.update_wrapper(self, function)
        self._function = function
        self.closed: core.ClosedJaxpr | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        value = self._function(*args, **kwargs)
        # here and now: another context, such as that of another precision, would mean another program
        self.closed = reading.program_of(self._function, args, kwargs)
        return value

    def __getattr__(self, name: str) -> Any:
        return getattr(self._function, name)


def _returning(function: Any) -> Callable | None:
    """The body of a jitted function, unless a decorator or a transformation stands between the two."""
    body = getattr(function, "__wrapped__", None)
    return None if hasattr(body, "__wrapped__") or not inspect.isroutine(body) else body
