"""One phase of a check: the function works on the caller's world, and then everything is put back."""

import contextlib
import types
from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np

from statecore.checker.comparing import alike, attributes
from statecore.checker.places import is_absent
from statecore.checker.reach import Reach
from statecore.checker.standins import StandIns
from statecore.checker.subject import Subject


@contextlib.contextmanager
def phase(subject: Subject) -> Iterator[tuple[Subject, Reach, StandIns]]:
    """The subject with stand-ins in the caller's world; afterwards everything is put back."""
    reach = Reach(subject.function, subject.args, subject.kwargs)
    stand = StandIns(reach)
    try:
        stand.enter()
        yield subject.stood_in(stand), reach, stand
    finally:
        jax.effects_barrier()  # a callback may still be writing
        for place in reach.places:
            place.put_back()


def attempt(function: Callable[[], Any]) -> Any:
    """What a call gives, as a value that a later write cannot change, or the exception that it raises."""
    try:
        return jax.tree.map(_at_rest, function())
    except Exception as raised:
        return raised.with_traceback(None)


def _at_rest(leaf: Any) -> Any:
    return np.array(leaf) if isinstance(leaf, np.ndarray) else leaf


def changes(reach: Reach, stand: StandIns) -> Iterator[tuple[str, Any, Any]]:
    """What is not as it was, as (path, before, after)."""

    def unchanged(was: Any, now: Any) -> bool:
        if is_absent(was) or is_absent(now):
            return was is now
        return not stand.advanced(now) and alike(was, stand.original(now))

    for place in reach.places:
        yield from place.changes(unchanged)


def holds_tracer(value: Any, _met: frozenset[int] = frozenset()) -> bool:
    """Whether a tracer is in it, however deep."""
    if isinstance(value, jax.core.Tracer):
        return True
    if isinstance(value, str | bytes | int | float | np.ndarray | jax.Array | type) or id(value) in _met:
        return False
    met = _met | {id(value)}
    return any(holds_tracer(part, met) for part in _parts(value))


def _parts(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list | tuple | set | frozenset):
        yield from value
    elif isinstance(value, types.FunctionType):
        for cell in value.__closure__ or ():
            with contextlib.suppress(ValueError):
                yield cell.cell_contents
    elif not isinstance(value, types.ModuleType):
        yield from attributes(value).values()
