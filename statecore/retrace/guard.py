"""`no_retrace`: a block in which a function must not be traced again; `explain`: why a second call would be."""

import itertools
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType
from typing import Any

import jax
from jax.experimental.xla_metadata import set_xla_metadata

from statecore.reading import traces as reading
from statecore.retrace.causes import Cause, causes, closest
from statecore.retrace.watch import Trace, Traced, Watch, body_of, is_wrapper, watching

Reasons = dict[Trace, str]
"""What JAX itself said of a trace."""

CANNOT_SEE = (
    "traces in threads other than the one that runs the block",
    "what came in at calls before the block: the new types are named, and JAX's own reason is added",
    "a second compilation without a second trace, as for an array on another device",
    "a program that is kept although it should not be, such as one that holds an attribute read while tracing",
    "a function without a Python body",
    "a function that a library (equinox, Flax) makes again on the way: the types are compared, the function is not",
    "which cache was emptied: a trace with the same arguments, function and settings is reported as `unseen`",
)
"""What `no_retrace` and `explain` cannot see."""


class Retraced(AssertionError):
    """A function was traced again.

    Attributes:
      causes: why, for each trace that was too many; empty for one whose earlier call was before the block.
    """

    def __init__(self, message: str, causes: tuple[Cause, ...]) -> None:
        super().__init__(message)
        self.causes = causes


@contextmanager
def no_retrace(*steps: Callable, allowed: int = 0) -> Iterator[None]:
    """Run a block in which none of the functions may be traced again after its first call.

    Args:
      *steps: `jax.jit` wrappers (also of methods, partials and callable objects, also `eqx.filter_jit` and
        `nnx.jit`), each of which may be traced once unless it was called before the block; or plain functions,
        of which each, and each function defined inside, may be traced once.
      allowed: how many further traces of each are all right.

    Raises:
      Retraced: there was a further trace. The message names each argument by its path, with its old and new type.
      TypeError: no function was given, or one without a Python body.
      RuntimeError: a profiler runs in this thread.

    Asked for in jax#12212, jax#3163, jax#4274, jaxopt#451, mujoco#2306, equinox#817 and chex#468.
    What it does not see is listed in `CANNOT_SEE`.
    """
    if not steps:
        raise TypeError("Name at least one function that must not be traced again: no_retrace(step).")
    firsts = [_unwrapped(step) for step in steps if is_wrapper(step) and not _was_called(step)]
    known = {body_of(step).__code__ for step in steps if is_wrapper(step) and _was_called(step)}
    codes = frozenset(code for step in steps for code in _codes(step))
    with watching(codes) as watch, _explained(watch) as reasons:
        yield
    said = {trace: reasons[at] for at, trace in enumerate(watch.traces) if trace.code.co_name in reasons.get(at, "")}
    complaints: list[Complaint] = []
    for code in codes:
        traces = [trace for trace in watch.traces if trace.code is code]
        complaints += list(_complaints(traces, firsts, code in known, said))[allowed:]
    if complaints:
        found = tuple(cause for _, causes in complaints for cause in causes)
        raise Retraced(_message([text for text, _ in complaints]), found)


def explain(step: Any, before: tuple, after: tuple) -> tuple[Cause, ...]:
    """Why a call with the arguments `after` does not find the program of a call with `before`.

    Both are traced through `step.trace`, which shares its cache with calls and computes nothing, but runs the Python
    body for what is not in the cache. JAX is asked: there is a cause only where it keeps two different programs.

    Args:
      step: a `jax.jit` wrapper, or another one that has `.trace`.
      before, after: a tuple of arguments, or a pair of a tuple and a dict of keyword arguments.

    Returns:
      The causes; empty when the second call is served by the program of the first.

    Raises:
      TypeError: `step` has no `.trace`, or the arguments are not a tuple.
    """
    if not hasattr(step, "trace"):
        raise TypeError(f"explain takes a wrapper with `.trace`, as jax.jit returns it, not {step!r}.")
    calls = [_call(before), _call(after)]
    kept = [step.trace(*args, **kwargs).jaxpr for args, kwargs in calls]
    if kept[0] is kept[1]:
        return ()
    return causes(*_traced_afresh(step, calls))


def _call(given: Any) -> tuple[tuple, dict[str, Any]]:
    if not isinstance(given, tuple):
        raise TypeError(f"Give the arguments of a call as a tuple, not {type(given).__name__}.")
    if len(given) == 2 and isinstance(given[0], tuple) and isinstance(given[1], dict):
        return given[0], given[1]
    return given, {}


def _traced_afresh(step: Any, calls: list[tuple[tuple, dict[str, Any]]]) -> list[Trace]:
    """The trace of each call, made under a mark of its own, so that what is in the cache already is traced too."""
    with watching(frozenset({body_of(step).__code__})) as watch, set_xla_metadata(explain=str(next(_marks))):
        for args, kwargs in calls:
            step.trace(*args, **kwargs)
    if len(watch.traces) != len(calls):
        raise reading.Unreadable(f"{len(calls)} calls were traced, and {len(watch.traces)} traces were seen")
    return watch.traces


_SHOWN = 5
_marks = itertools.count()


def _unwrapped(step: Any) -> Traced:
    return Traced(getattr(step, "__wrapped__", step))


def _was_called(step: Any) -> bool:
    return bool(reading.was_called(step))


def _codes(step: Any) -> set[CodeType]:
    """The code to watch: the body of a wrapper; of a plain function also what is defined inside it."""
    codes = {body_of(step).__code__}
    pending = [] if is_wrapper(step) else list(codes)
    while pending:
        inner = [const for const in pending.pop().co_consts if isinstance(const, CodeType)]
        codes.update(inner)
        pending += inner
    return codes


Complaint = tuple[str, tuple[Cause, ...]]
"""A sentence about one trace, and its causes."""


def _complaints(traces: list[Trace], firsts: list[Traced], known: bool, reasons: Reasons) -> Iterator[Complaint]:
    """What is to be said of each trace of one code that is not the first of its function.

    Args:
      traces: the traces of this code, in order.
      firsts: the functions that may be traced once.
      known: True when one of them was called before the block.
      reasons: what JAX itself said of a trace.
    """
    waiting = list(firsts)
    for at, trace in enumerate(traces):
        own = next((first for first in waiting if first == trace.function), None)
        if own is not None:
            waiting.remove(own)
        elif at:
            found = closest(traces[:at], trace)
            yield f"{_head(trace)} {' '.join(map(str, found))}", found
        elif known:
            yield _unknown(trace, reasons), ()


def _message(sentences: list[str]) -> str:
    shown = sentences[:_SHOWN]
    more = [f"{len(sentences) - _SHOWN} further traces are not listed."] if len(sentences) > _SHOWN else []
    return "\n".join([*shown, *more])


def _head(trace: Trace) -> str:
    return f"`{trace.name}` was traced again at {trace.where}."


def _unknown(trace: Trace, reasons: Reasons) -> str:
    came = ", ".join(f"`{path}`: {leaf}" for each in trace.arguments.values() for path, leaf in each.leaves.items())
    says = reasons.get(trace)
    told = f" JAX says: {says}" if says else ""
    return f"{_head(trace)} It was called before the block, where its arguments were not seen. Now came {came}.{told}"


@contextmanager
def _explained(watch: Watch) -> Iterator[dict[int, str]]:
    """What JAX itself says in this block and thread, by the number of traces seen before; it is not printed."""
    reasons: dict[int, str] = {}
    thread = threading.get_ident()
    config: Any = jax.config
    asked = config.jax_explain_cache_misses

    def keep(record: logging.LogRecord) -> bool:
        if record.thread != thread or (reason := reading.explanation(record.getMessage())) is None:
            return True
        reasons[len(watch.traces)] = reason  # JAX says it just before it traces; the last one is the trace's own
        return bool(asked)

    logger = logging.getLogger(reading.EXPLAINS)
    logger.addFilter(keep)
    try:
        with jax.explain_cache_misses(True):
            yield reasons
    finally:
        logger.removeFilter(keep)
