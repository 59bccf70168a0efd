"""Where a constant of a program comes from: said only where what was witnessed makes it certain."""

import inspect
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.extend import core

from statecore.reading import jaxprs as reading
from statecore.syntax import Spot, operand, returned
from statecore.touches import Access
from statecore.witness import Witness, is_installed

Where = tuple[str, Spot] | None
"""The file and what stands there for a constant; None where the source does not tell."""


class Origin(NamedTuple):
    """The variable that a constant was.

    Attributes:
      name: such as `self.n` or `self.params.weight`.
      written: True when the value was put there while tracing; False when it stood there before.
      first: what it held before that, where it was read while tracing before it was written; else None.
    """

    name: str
    written: bool
    first: Any


class Finder:
    """Looks up constants among the accesses that were witnessed while one program was traced.

    Args:
      closed: the program.
      seen: what was witnessed.
      body: the function that `jit` was handed, where it returns what the program returns; else None.
    """

    def __init__(self, closed: core.ClosedJaxpr, seen: Witness, body: Callable | None) -> None:
        self.accesses = seen.accesses
        self.spots: dict[str, list[Where]] = {}
        constants = dict(zip(closed.jaxpr.constvars, reading.header(closed).consts, strict=True))
        for text, where in (*_operands(closed.jaxpr, constants), *_results(closed.jaxpr, constants, body, seen)):
            self.spots.setdefault(text, []).append(where)

    def origin(self, text: str, value: Any) -> tuple[Origin | None, tuple[str, ...]]:
        """The variable that a constant certainly was, or else the variables that it may have been.

        Certain is: the very same array; or the variable that stands in the source wherever
        the program has the constant, as in `x * self.k` or `return self.n`.
        """
        same = [at for at, each in enumerate(self.accesses) if each.same is value and isinstance(value, jax.Array)]
        found = {self.accesses[at].name: at for at in reversed(same)} or self._standing(text, value)
        if len(found) == 1:
            return self._origin(*found.popitem()), ()
        if text in self.spots and all(where and not where[1].name for where in self.spots[text]):
            return None, ()  # a number in the code
        equal = [each for each in self.accesses if _equal(each.value, value) and _is_candidate(each, value)]
        return None, tuple(dict.fromkeys(each.name for each in equal))

    def _standing(self, text: str, value: Any) -> dict[str, int]:
        """The variables of this value that stand where the constant is, with the access; empty if one is not known."""
        found: dict[str, int] = {}
        for where in self.spots.get(text, [None]):
            here = [at for at, each in enumerate(self.accesses) if _stands(each, where) and _equal(each.value, value)]
            if not here:
                return {}
            for at in here:
                found.setdefault(self.accesses[at].name, at)
        return found

    def _origin(self, name: str, at: int) -> Origin:
        of_name = [each for each in self.accesses[: at + 1] if each.name == name]
        first = of_name[0].value if of_name[0].kind == "read" else None
        return Origin(name, any(each.kind == "written" for each in of_name), first)


def _is_candidate(access: Access, value: Any) -> bool:
    """What a library reads for itself is too much to list, and a flag is hardly where a number comes from."""
    flag = isinstance(access.value, bool) and not np.issubdtype(np.asarray(value).dtype, np.bool_)
    return access.kind == "read" and not flag and not is_installed(access.line[0])


def _stands(access: Access, where: Where) -> bool:
    return (
        where is not None
        and access.kind != "written"
        and access.line == (where[0], where[1].line)
        and (access.source, access.path) == where[1][1:]
    )


def _operands(jaxpr: core.Jaxpr, constants: dict) -> Iterator[tuple[str, Where]]:
    """For each constant in an equation, loops and branches included: what stands in its place in the source."""
    for equation in jaxpr.eqns:
        for at, atom in enumerate(equation.invars):
            if text := _text(atom, constants):
                yield text, _place(equation, at)
        for inner in reading.inner(equation):
            yield from _operands(inner, {})


def _place(equation: Any, at: int) -> Where:
    place = reading.place(equation)
    found = operand(place.file, place.line, place.column, str(equation.primitive), at) if place else None
    return (place.file, found) if place and found else None


def _results(jaxpr: core.Jaxpr, constants: dict, body: Callable | None, seen: Witness) -> Iterator[tuple[str, Where]]:
    """For each constant that is a result: what stands in its place in the `return` that ran."""
    code = getattr(inspect.unwrap(body), "__code__", None) if body and seen.runs == 1 else None
    spots = returned(code.co_filename, seen.last_line) if code else None
    if spots is None or seen.returned is None or not seen.returned.num_leaves == len(spots) == len(jaxpr.outvars):
        spots = (None,) * len(jaxpr.outvars)
    for atom, spot in zip(jaxpr.outvars, spots, strict=True):
        if text := _text(atom, constants):
            yield text, (code.co_filename, spot) if code and spot else None


def _text(atom: Any, constants: dict) -> str:
    return reading.literal_text(atom) if isinstance(atom, core.Literal) else constants.get(atom, "")


def _equal(one: Any, value: Any) -> bool:
    """True when a variable's number is this constant, but for the type that tracing gave it."""
    if _is_apart(one) or _is_apart(value) or np.shape(one) != np.shape(value):
        return False
    one, value = np.asarray(one), np.asarray(value)
    with np.errstate(over="ignore", invalid="ignore"):
        # 1.5 is not where a 1 comes from
        return np.can_cast(one.dtype, value.dtype, "same_kind") and np.array_equal(one.astype(value.dtype), value)


def _is_apart(value: Any) -> bool:
    """A Ref, a random key, or an array that was given away: nothing to compare."""
    if not isinstance(value, jax.Array):
        return isinstance(value, jax.Ref)
    return value.is_deleted() or jax.dtypes.issubdtype(value.dtype, jax.dtypes.prng_key)
