"""`no_retrace` and `explain`: whether a function was traced again, as it happens."""

import functools
import inspect
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any

import jax

from statecore.lines import codes_of, tracing
from statecore.reading import cached_programs, is_tracing
from statecore.retrace.causes import Cause, causes
from statecore.retrace.signature import Signature, of_call, of_frame

CANNOT_SEE = (
    "What other threads trace: the watch belongs to the thread that began it.",
    "The types of a call that was made before the block: then only the new types are named. "
    "`with jax.explain_cache_misses(True)` makes JAX log its own account.",
    "A function without a Python body, and one whose source of calls is compiled code.",
    "A program that JAX had to compile again for a trace that it kept, where it compiles "
    "under another name than that of the function.",
    "Which setting of JAX changed: only that nothing else did.",
)
"""What `no_retrace` cannot see."""

_COMPILED = "/jax/core/compile/backend_compile_duration"


class Retraced(AssertionError):
    """A function was traced, or compiled, again.

    Attributes:
      name: the function.
      causes: why; empty where the earlier call was not seen.
    """

    def __init__(self, name: str, message: str, found: tuple[Cause, ...]) -> None:
        super().__init__(message)
        self.name, self.causes = name, found


@contextmanager
def no_retrace(*functions: Callable, allowed: int = 0) -> Iterator[None]:
    """Fail when one of the functions is traced again in the block after its first trace.

    Args:
      *functions: `jax.jit` wrappers, or functions that make and call wrappers inside.
        A wrapper that was called before the block may not be traced at all; one that
        was not may be traced once. Of a plain function, each function defined in it may
        be traced once.
      allowed: how many more traces of each are all right, such as one for a last, smaller batch.

    Raises Retraced, which names the argument by its path with what it was and what it is
    now, or says that the function or the wrapper is a new one; TypeError for what has no
    Python body. People asked for this in jax#12212, jax#3163, jax#4274, jaxopt#451,
    mujoco#2306, equinox#817 and chex#468. `CANNOT_SEE` says what goes unnoticed.
    """
    if not functions:
        raise TypeError("name the functions that must not be traced again")
    watches = [_Watch(function, allowed) for function in functions]
    by_code = {code: watch for watch in watches for code in watch.codes}
    with _compilations() as compiled, tracing(_on_call(by_code)):
        yield
    for watch in watches:
        watch.verdict(compiled.count(f"jit({watch.name})"))


def explain(step: Callable, before: Any, after: Any) -> tuple[Cause, ...]:
    """Why a call with `after` would be traced again when one with `before` was made; empty when it would not.

    Args:
      step: a `jax.jit` wrapper.
      before, after: the arguments of each call: a tuple, or a pair of a tuple and a dict of keywords.

    JAX itself is asked: both calls are traced (nothing is compiled or run, but the Python of
    `step` is), and a cause is named only where the second really traced. Raises TypeError
    for what is no wrapper.
    """
    if not hasattr(step, "trace"):
        raise TypeError(f"{step!r} is no jax.jit wrapper")
    body = inspect.unwrap(step)
    watch = _Watch(step, 0)
    calls = [_arguments(call) for call in (before, after)]
    counts = []
    with tracing(_on_call(dict.fromkeys(watch.codes, watch))):
        for args, kwargs in calls:
            step.trace(*args, **kwargs)
            counts.append(len(watch.seen))
    if counts[1] == counts[0]:
        return ()
    positions, again = ((len(args), sorted(kwargs)) for args, kwargs in calls)
    found = causes(*(of_call(body, *call) for call in calls))
    if not found and positions != again:
        moved = sorted(set(positions[1]) ^ set(again[1]))
        ways = ("by keyword", "by position") if moved[0] in positions[1] else ("by position", "by keyword")
        return tuple(Cause("keyword", name, *ways) for name in moved)
    return found or (Cause("configuration"),)


def _arguments(call: Any) -> tuple[tuple, dict[str, Any]]:
    if isinstance(call, tuple) and len(call) == 2 and isinstance(call[0], tuple) and isinstance(call[1], Mapping):
        return call[0], dict(call[1])
    return (call, {}) if isinstance(call, tuple) else ((call,), {})


class _Watch:
    """One function and the traces of it that were seen."""

    def __init__(self, function: Callable, allowed: int) -> None:
        body = inspect.unwrap(function)
        while isinstance(body, functools.partial):
            body = inspect.unwrap(body.func)
        self.codes = tuple(codes_of(body))
        if not self.codes:
            raise TypeError(f"{function!r} has no Python body: give a jax.jit wrapper or a function")
        self.name = getattr(body, "__name__", repr(body))
        self.body = self.codes[0]
        self.wrapped = body is not function
        self.called = cached_programs(function) if self.wrapped else 0
        self.allowed = allowed
        self.seen: list[tuple[CodeType, Signature, int]] = []

    def verdict(self, compiled: int) -> None:
        """Raise Retraced when there were more traces than may be, or a kept trace was compiled again."""
        for code in self.codes:
            traces = [(signature, made) for each, signature, made in self.seen if each is code]
            may = (0 if self.called and code is self.body else 1) + self.allowed
            if len(traces) > may:
                raise self._retraced(code, traces, may)
        traced = sum(code is self.body for code, _, _ in self.seen)
        if self.wrapped and compiled > max(traced, 0 if self.called else 1) + self.allowed:
            raise Retraced(
                self.name,
                f"`{self.name}` was compiled again for a trace that was kept. An argument lies on other devices, "
                "or is laid out in another way, than before.",
                (Cause("sharding", "an argument", "laid out in one way", "laid out in another"),),
            )

    def _retraced(self, code: CodeType, traces: list[tuple[Signature, int]], may: int) -> Retraced:
        name = self.name if code is self.body else code.co_name
        times = {1: "once", 2: "twice"}.get(len(traces), f"{len(traces)} times")
        head = f"`{name}` was traced {times} where {_at_most(may)}."
        if len(traces) == 1:
            (signature, _) = traces[0]
            kinds = ", ".join(f"`{path}` {leaf.type or leaf.value!r}" for path, leaf in signature.leaves.items())
            now = f" It came with {kinds}." if kinds else ""
            return Retraced(name, f"{head} It was called before the block, with types that were not seen.{now}", ())
        (before, one), (after, other) = traces[may - 1 if may else 0], traces[may or 1]
        found = causes(before, after) or (_without_difference(code is self.body and self.wrapped, one, other),)
        return Retraced(name, " ".join([head, *map(str, found)]), found)


def _without_difference(wrapped: bool, one: int, other: int) -> Cause:
    if wrapped:
        return Cause("configuration")
    return Cause("new wrapper") if one == other else Cause("new function")


def _at_most(may: int) -> str:
    if may == 0:
        return "no further trace was expected"
    return "one trace was expected" if may == 1 else f"at most {may} traces were expected"


def _on_call(by_code: Mapping[CodeType, _Watch]) -> Callable:
    """The trace function of the block: it looks at no line, only at the frames that begin."""
    depth = 0

    def on_return(frame: FrameType, event: str, _arg: Any) -> Callable:
        nonlocal depth
        if event == "return":
            depth -= 1
        return on_return

    def on_call(frame: FrameType, _event: str, _arg: Any) -> Callable | None:
        nonlocal depth
        watch = by_code.get(frame.f_code)
        if watch is None or not is_tracing():
            return None
        if not depth:  # a function inside the one that is traced is part of that trace
            watch.seen.append((frame.f_code, of_frame(frame), _identity(frame)))
        depth += 1
        frame.f_trace_lines = False
        return on_return

    return on_call


def _identity(frame: FrameType) -> int:
    """Tells two functions of the same code apart: by the cells and the object that they hold."""
    code = frame.f_code
    held = [frame.f_locals.get(name) for name in (*code.co_freevars, *(code.co_varnames[:1]))]
    return hash(tuple(id(value) for value in held if not isinstance(value, jax.core.Tracer)))


@contextmanager
def _compilations() -> Iterator[list[str]]:
    """The names of what this thread compiles."""
    names: list[str] = []
    thread = threading.get_ident()

    def listen(event: str, _seconds: float, **details: Any) -> None:
        if event == _COMPILED and threading.get_ident() == thread:
            names.append(str(details.get("fun_name")))

    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        yield names
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)
