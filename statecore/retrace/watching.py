"""`no_retrace` and `explain`: whether a function was traced again, as it happens."""

import functools
import inspect
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any

import jax

from statecore.lines import codes_of, tracing
from statecore.reading import cached_programs, jit_call
from statecore.retrace.causes import Cause, causes
from statecore.retrace.signature import Signature, of_call, of_frame

CANNOT_SEE = (
    "What other threads trace: the watch belongs to the thread that began it.",
    "A trace by `vmap` or `grad` alone: only `jit` keeps programs.",
    "The types of a call that was made before the block: then only the new types are named. "
    "`with jax.explain_cache_misses(True)` makes JAX log its own account.",
    "A function without a Python body, and one whose source of calls is compiled code.",
    "A program that JAX had to compile again for a trace that it kept, where it compiles "
    "under another name than that of the function.",
    "A setting of JAX that is not among `SETTINGS`: then only that nothing else changed is said.",
)
"""What `no_retrace` cannot see."""

SETTINGS = (
    "jax_enable_x64",
    "jax_default_matmul_precision",
    "jax_numpy_dtype_promotion",
    "jax_numpy_rank_promotion",
    "jax_default_device",
    "jax_default_prng_impl",
)
"""Settings under which JAX keeps another program; context managers change them for one thread."""

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
    if not counts[0]:  # the first was traced before: what it was given is known all the same
        return causes(*(of_call(body, *call) for call in calls))
    one, other = watch.seen[0], watch.seen[-1]
    return causes(*(of_call(body, *call) for call in calls)) or _without_difference(one, other)


def _arguments(call: Any) -> tuple[tuple, dict[str, Any]]:
    if isinstance(call, tuple) and len(call) == 2 and isinstance(call[0], tuple) and isinstance(call[1], Mapping):
        return call[0], dict(call[1])
    return (call, {}) if isinstance(call, tuple) else ((call,), {})


@dataclass(frozen=True)
class _Trace:
    """One trace that was seen: of which code, with which arguments, and what JAX was given and set to."""

    code: CodeType
    signature: Signature
    by_keyword: tuple[str, ...]
    function: "_Identity"
    settings: Mapping[str, Any]


class _Identity:
    """Tells whether two functions are the same, without keeping one alive: to keep it would be to keep its program."""

    def __init__(self, function: Any) -> None:
        self.is_method = inspect.ismethod(function)
        parts = (function.__func__, function.__self__) if self.is_method else (function,)
        self.parts = tuple(map(_reference, parts))

    def same(self, other: "_Identity") -> bool:
        pairs = zip(self.parts, other.parts, strict=False)
        return self.is_method == other.is_method and all(one() is not None and one() is two() for one, two in pairs)


def _reference(value: Any) -> Callable[[], Any]:
    try:
        return weakref.ref(value)
    except TypeError:
        return lambda: value


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
        self.wrapped = body is not function and not isinstance(function, functools.partial)
        self.called = cached_programs(function) if self.wrapped else 0
        self.allowed = allowed
        self.seen: list[_Trace] = []

    def verdict(self, compiled: int) -> None:
        """Raise Retraced when there were more traces than may be, or a kept trace was compiled again."""
        for code in self.codes:
            traces = [each for each in self.seen if each.code is code]
            may = (0 if self.called and code is self.body else 1) + self.allowed
            if len(traces) > may:
                raise self._retraced(code, traces, may)
        traced = sum(each.code is self.body for each in self.seen)
        if self.wrapped and compiled > max(traced, 0 if self.called else 1) + self.allowed:
            message = f"`{self.name}` was compiled again for a trace that was kept. An argument lies on other devices."
            raise Retraced(self.name, message, (Cause("sharding", "", "some devices", "others"),))

    def _retraced(self, code: CodeType, traces: list[_Trace], may: int) -> Retraced:
        name = self.name if code is self.body else code.co_name
        times = {1: "once", 2: "twice"}.get(len(traces), f"{len(traces)} times")
        head = f"`{name}` was traced {times} where {_at_most(may)}."
        if len(traces) == 1:
            leaves = traces[0].signature.leaves.items()
            kinds = ", ".join(f"`{path}`: {leaf.type or repr(leaf.value)}" for path, leaf in leaves)
            now = f" Now it came with {kinds}." if kinds else ""
            return Retraced(name, f"{head} It was called before the block, with types that were not seen.{now}", ())
        before, after = traces[may - 1 if may else 0], traces[may or 1]
        found = causes(before.signature, after.signature) or _without_difference(before, after)
        return Retraced(name, " ".join([head, *map(str, found)]), found)


def _without_difference(before: _Trace, after: _Trace) -> tuple[Cause, ...]:
    """Why there was another trace although the types are the same."""
    settings = [(name, repr(before.settings[name]), repr(after.settings[name])) for name in SETTINGS]
    if changed := tuple(Cause("configuration", *each) for each in settings if each[1] != each[2]):
        return changed
    if moved := sorted(set(before.by_keyword) ^ set(after.by_keyword)):
        ways = ("by keyword", "by position")
        return tuple(Cause("keyword", name, *(ways if name in before.by_keyword else ways[::-1])) for name in moved)
    if not before.function.same(after.function):
        return (Cause("new function"),)
    return (Cause("new wrapper" if before.function.is_method else "caches"),)


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
        if watch is None or (call := jit_call(frame)) is None:
            return None
        if not depth:  # a function inside the one that is traced is part of that trace
            settings = {name: getattr(jax.config, name) for name in SETTINGS}
            trace = _Trace(frame.f_code, of_frame(frame), call.by_keyword, _Identity(call.function), settings)
            watch.seen.append(trace)
        depth += 1
        frame.f_trace_lines = False
        return on_return

    return on_call


@contextmanager
def _compilations() -> Iterator[list[str]]:
    """The names of what this thread compiles."""
    names: list[str] = []
    thread = threading.get_ident()

    def listen(event: str, duration_secs: float, **details: Any) -> None:
        if event == _COMPILED and threading.get_ident() == thread:
            names.append(str(details.get("fun_name")))

    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        yield names
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)
