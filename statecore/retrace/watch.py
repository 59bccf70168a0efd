"""Seeing that a function is traced: its Python body starts, and `jit` is what started it."""

import functools
import inspect
import sys
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import CodeType, FrameType, FunctionType
from typing import Any

import jax

from statecore.reading import traces as reading
from statecore.retrace import signature
from statecore.retrace.signature import Signature

LIBRARIES = ("jax", "jaxlib", "equinox", "flax", "contextlib")
"""Packages whose frames stand between the caller's line and the traced body."""

SETTINGS = (
    "jax_enable_x64",
    "jax_default_matmul_precision",
    "jax_numpy_dtype_promotion",
    "jax_numpy_rank_promotion",
    "jax_default_device",
    "jax_default_prng_impl",
)
"""Settings of JAX under which another program is kept; a context manager changes each for one thread."""


class Traced:
    """What `jit` was given, without keeping a bound method alive: jit's cache holds that weakly, so we must too.

    Two are equal where the function is the same and, of a method, the object as well.
    """

    def __init__(self, function: Any) -> None:
        self.bound = int(inspect.ismethod(function))
        self._parts = (function.__func__, function.__self__) if self.bound else (function, None)
        self._alive = weakref.ref(function) if self.bound else lambda: function

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Traced) and all(
            one is another for one, another in zip(self._parts, other._parts, strict=True)
        )

    __hash__ = None  # type: ignore[assignment]

    def is_that_of(self, other: "Traced") -> bool:
        """True when both are one object that is still alive, so that no wrapper was lost between them."""
        return self._alive() is not None and self._alive() is other._alive()


@dataclass(frozen=True, eq=False)
class Trace:
    """One trace of a function.

    Attributes:
      name: the function's name.
      code: the code of its Python body.
      function: what `jit` was given: the function, a bound method, a partial.
      arguments: what came in.
      passed: how many arguments came by position, and the names of those that came by keyword.
      settings: JAX's settings at that moment, by name.
      where: the caller's line, as "file:line".
    """

    name: str
    code: CodeType
    function: Traced
    arguments: Signature
    passed: tuple[int, frozenset[str]]
    settings: dict[str, Any]
    where: str


def body_of(function: Any) -> FunctionType:
    """The Python function that runs when `function` is traced.

    Args:
      function: a `jax.jit` wrapper (of a function, a partial, a method, a callable object), a wrapper of another
        library that keeps `__wrapped__`, or a plain Python function.

    Raises:
      TypeError: no Python function is found inside.
    """
    current = inspect.unwrap(function)
    if isinstance(current, functools.partial):
        return body_of(current.func)
    if inspect.ismethod(current):
        return body_of(current.__func__)
    if isinstance(current, FunctionType):
        return current
    call = inspect.getattr_static(type(current), "__call__", None)
    if isinstance(call, FunctionType):
        return body_of(call)
    raise TypeError(f"This takes a jax.jit wrapper or a Python function, and finds no Python function in {function!r}.")


def is_wrapper(function: Any) -> bool:
    """True for what `jit` returned (JAX's or another library's), False for a plain function, method or partial."""
    return not isinstance(function, FunctionType | functools.partial) and not inspect.ismethod(function)


@dataclass
class Watch:
    """Collects the traces of some bodies in the thread that calls."""

    codes: frozenset[CodeType]
    traces: list[Trace] = field(default_factory=list)
    _tracing: CodeType = field(default_factory=reading.tracing_code)
    _open: list[FrameType] = field(default_factory=list)

    def saw(self, frame: FrameType, event: str) -> None:
        """One event of the interpreter: a frame starts or ends."""
        if event == "call" and frame.f_code in self.codes:
            self._body_starts(frame)
        elif event == "return" and self._open and frame is self._open[-1]:
            self._open.pop()

    def _body_starts(self, frame: FrameType) -> None:
        tracing = self._jit_above(frame)
        if tracing is None or tracing in self._open:
            return
        call = reading.jit_call(tracing)
        if not _runs(call.function, frame):
            return
        self._open.append(tracing)
        self.traces.append(_trace(frame, call, tracing))

    def _jit_above(self, frame: FrameType) -> FrameType | None:
        above = frame.f_back
        while above is not None and above.f_code is not self._tracing:
            above = above.f_back
        return above


def _runs(traced: Any, frame: FrameType) -> bool:
    """True when the frame is the body of what `jit` traces, and not a function that this body calls."""
    try:
        if body_of(traced).__code__ is frame.f_code:
            return True
    except TypeError:
        pass
    above = frame.f_back
    return above is not None and _library(above) in ("equinox", "flax")


def _library(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]


def _trace(frame: FrameType, call: reading.JitCall, tracing: FrameType) -> Trace:
    return Trace(
        name=frame.f_code.co_qualname.rpartition("<locals>.")[2],
        code=frame.f_code,
        function=Traced(call.function),
        arguments=signature.of_frame(frame),
        passed=(len(call.args), frozenset(call.kwargs)),
        settings={name: getattr(jax.config, name) for name in SETTINGS},
        where=_caller(tracing),
    )


def _caller(frame: FrameType) -> str:
    above = frame.f_back
    while above is not None and _library(above) in LIBRARIES:
        above = above.f_back
    return f"{above.f_code.co_filename}:{above.f_lineno}" if above else "an unknown line"


@contextmanager
def watching(codes: frozenset[CodeType]) -> Iterator[Watch]:
    """Collect the traces of the bodies with these codes, in this thread, while the block runs.

    Only the starts and ends of frames are looked at, through the profiler's hook: a cached call of a wrapper
    starts no frame, and the line tracers of debuggers and of coverage stay where they are.

    Raises:
      RuntimeError: a profiler that cannot be called from here (cProfile on Python 3.11) is running.
    """
    previous = sys.getprofile()
    if previous is not None and not callable(previous):
        raise RuntimeError("A profiler is running in this thread. Stop it before watching for traces.")
    watch = Watch(codes)
    sys.setprofile(_hook(watch, previous))
    try:
        yield watch
    finally:
        sys.setprofile(previous)


def _hook(watch: Watch, previous: Callable | None) -> Callable:
    if previous is None:
        return lambda frame, event, _arg: watch.saw(frame, event)

    def both(frame: FrameType, event: str, arg: Any) -> None:
        watch.saw(frame, event)
        previous(frame, event, arg)

    return both
