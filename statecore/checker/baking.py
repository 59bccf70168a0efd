"""Which variables a program keeps as constants, found out by changing them and tracing again."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jax.extend.core import ClosedJaxpr

from statecore.checker.comparing import NUMBERS, alike, is_key
from statecore.checker.phases import attempt, phase
from statecore.checker.places import Attributes, Cell, ClassAttributes, Items, Keyed, Names, Place, Slots
from statecore.checker.reach import Reach
from statecore.checker.subject import Subject
from statecore.checker.tracing import SAME, Program, compared, programs_in

MOST_TRACES = 48
"""How often a program is traced again, at most, to find out which variables it keeps."""

_LARGE = 4096


@dataclass(frozen=True)
class _Variable:
    """A number or an array outside the function, in its place."""

    place: Any
    key: Any
    value: Any

    @property
    def path(self) -> str:
        return f"{self.place.path}[{self.key}]" if isinstance(self.place, Items) else self.place.entry(self.key)

    def put(self, value: Any) -> None:
        if isinstance(self.place, Items):
            self.place.owner[self.key] = value
        else:
            self.place.put(self.key, value)


def baked(kept: Program, subject: Subject) -> Iterator[str]:
    """The paths of the variables that are constants of the program, each of them for certain.

    A variable is named when its very array stands in the program, or when the
    function, traced again with another value in its place, gives another program or fails.
    """
    variables = list(_variables(Reach(subject.function, subject.args, subject.kwargs)))
    constants = {id(constant) for constant in _constants(kept.jaxpr)}
    held = [variable for variable in variables if id(variable.value) in constants]
    yield from dict.fromkeys(variable.path for variable in held)
    others = [variable for variable in variables if id(variable.value) not in constants and _changeable(variable.value)]
    if others:
        yield from dict.fromkeys(variable.path for variable in _Search(kept, subject).read(others))


def _variables(reach: Reach) -> Iterator[_Variable]:
    for place in reach.places:
        if not place.given:
            # the numbers in a library's object are its own affair, but its arrays are the caller's
            kinds = np.ndarray | jax.Array if place.of_library else NUMBERS
            for key, value in _entries(place):
                if isinstance(value, kinds) and not isinstance(value, jax.core.Tracer) and _may_read(place, key, reach):
                    yield _Variable(place, key, value)


def _entries(place: Place) -> Iterator[tuple[Any, Any]]:
    if isinstance(place, Items):
        yield from enumerate(place.saved)
    elif isinstance(place, Keyed):
        yield from place.saved.items()


def _may_read(place: Place, key: Any, reach: Reach) -> bool:
    """An attribute or a variable can be read only by code that names it."""
    by_name = isinstance(place, Attributes | Cell | ClassAttributes | Names | Slots)
    return not by_name or (key in reach.named and not str(key).startswith("__"))


def _constants(jaxpr: Any) -> Iterator[Any]:
    if isinstance(jaxpr, ClosedJaxpr):
        yield from jaxpr.consts
        jaxpr = jaxpr.jaxpr
    for equation in jaxpr.eqns:
        for inner in programs_in(equation.params.values()):
            yield from _constants(inner)


def _changeable(value: Any) -> bool:
    if np.size(value) > _LARGE or is_key(value):
        return False
    dtype = value.dtype if isinstance(value, np.ndarray | np.generic | jax.Array) else np.asarray(value).dtype
    return any(jax.dtypes.issubdtype(dtype, kind) for kind in (np.number, np.bool_))


def _other(value: Any) -> Any:
    """Another value of the same type, near enough to be one that the function can use."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, float | complex):
        return value * 1.0625 + 0.001
    changed = np.asarray(value)
    changed = ~changed if changed.dtype == bool else changed + _step(changed)
    changed = changed.astype(np.asarray(value).dtype)
    return jax.numpy.asarray(changed) if isinstance(value, jax.Array) else changed


def _step(values: np.ndarray) -> Any:
    inexact = jax.dtypes.issubdtype(values.dtype, np.inexact)
    return (values * np.asarray(0.0625, values.dtype) + np.asarray(0.001, values.dtype)) if inexact else 1


class _Search:
    """Traces a function again with other values in some variables, to see which of them it reads."""

    def __init__(self, kept: Program, subject: Subject) -> None:
        self._kept, self._subject = kept, subject
        self._left = MOST_TRACES

    def read(self, variables: list[_Variable]) -> Iterator[_Variable]:
        """Those that are read; none when the function gives another program at every trace anyhow."""
        if self._matters(variables) and not self._matters([]):
            yield from self._among(variables)

    def _among(self, variables: list[_Variable]) -> Iterator[_Variable]:
        """Those that are read, of some of which at least one is; halved until each stands alone."""
        if len(variables) == 1:
            yield variables[0]
            return
        middle = len(variables) // 2
        for half in (variables[:middle], variables[middle:]):
            if self._left > 0 and self._matters(half):
                yield from self._among(half)

    def _matters(self, variables: list[_Variable]) -> bool:
        """Whether the function, with other values in these variables, gives another program or fails."""
        self._left -= 1
        try:
            for variable in variables:
                variable.put(_other(variable.value))
            with phase(self._subject) as (subject, _, _):
                found = attempt(subject.trace)
        finally:
            for variable in variables:
                variable.put(variable.value)
        same = isinstance(found, Program) and compared(self._kept.jaxpr, found.jaxpr) == SAME
        return not (same and alike(self._kept.still, found.still))
