"""What `statecore.retrace` reads of JAX's private shapes and printed text: one function per assumption."""

import inspect
import re
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any

import jax
from jax._src import pjit

from statecore.reading import Unreadable


@dataclass(frozen=True)
class JitCall:
    """What a `jit` wrapper holds while it traces: its function and the arguments of the call."""

    function: Any
    args: tuple
    kwargs: dict[str, Any]


def tracing_code() -> CodeType:
    """The code that runs exactly when a `jit` wrapper traces its function, and not when a call is served by the cache.

    Raises:
      Unreadable: there is no such function, or it no longer takes the function first.
    """
    function = getattr(pjit, "_trace_for_jit", None)
    if not inspect.isfunction(function) or next(iter(inspect.signature(function).parameters), "") != "fun":
        raise Unreadable("jit no longer traces in `_trace_for_jit(fun, …)`, so a trace cannot be told from a call")
    return function.__code__


def jit_call(frame: FrameType) -> JitCall:
    """What the frame of `tracing_code` says about its call.

    Raises:
      Unreadable: the frame does not hold a function, a tuple of arguments and a dict of keyword arguments.
    """
    local = frame.f_locals
    function, args, kwargs = (local.get(name) for name in ("fun", "args", "kwargs"))
    if not callable(function) or not isinstance(args, tuple) or not isinstance(kwargs, dict):
        raise Unreadable("the frame in which jit traces no longer holds `fun`, `args` and `kwargs`")
    return JitCall(function, args, dict(kwargs))


def was_called(wrapper: Any) -> bool | None:
    """True when a `jit` wrapper holds at least one call in its cache; None for a wrapper of another library.

    Raises:
      Unreadable: the wrapper is JAX's own and has no count of its cache.
    """
    if not isinstance(wrapper, type(jax.jit(was_called))):
        return None
    size = getattr(wrapper, "_cache_size", None)
    if size is None:
        raise Unreadable("a jit wrapper no longer tells the size of its cache")
    return size() > 0


EXPLAINS = "jax._src.interpreters.partial_eval"
"""The logger on which `jax.explain_cache_misses` writes."""

_MISS = re.compile(r"TRACING CACHE MISS at .*?:\n(?P<reason>.*)", re.DOTALL)


def explanation(message: str) -> str | None:
    """JAX's own reason in one logged message, without its header; None for a message about something else.

    Raises:
      Unreadable: the message is about a miss and gives no reason after its header.
    """
    if "CACHE MISS" not in message:
        return None
    found = _MISS.match(message)
    if not found or not found["reason"].strip():
        raise Unreadable(f"no reason in what JAX logged: {message[:80]!r}")
    return inspect.cleandoc(found["reason"]).strip()
