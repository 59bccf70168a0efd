"""Where a constant of a program comes from: said only where what was witnessed makes it certain."""

import ast
import inspect
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.extend import core

from statecore import reading
from statecore.accesses import dotted, operations, returned
from statecore.witness import Access, Witness

_OPERATORS = {"add": ast.Add, "sub": ast.Sub, "mul": ast.Mult, "div": ast.Div, "pow": ast.Pow, "rem": ast.Mod}


class Origin(NamedTuple):
    """The variable that a constant was.

    Attributes:
      name: such as `self.n` or `self.params.weight`.
      written: True when the value was put there while tracing; False when it stood there before.
      first: what the variable held when it was first read while tracing; None where it was not.
    """

    name: str
    written: bool
    first: Any


class Finder:
    """Looks up constants among the accesses that were witnessed while one program was traced."""

    def __init__(self, closed: core.ClosedJaxpr, seen: Witness, body: Callable | None) -> None:
        self.accesses = [each for access in seen.accesses for each in _leaves(access)]
        self.spots = dict(_operands(closed))
        self.spots |= dict(_results(closed, body, seen.last_line))

    def origin(self, text: str, value: Any) -> tuple[Origin | None, tuple[str, ...]]:
        """The variable that a constant certainly was, or else the variables that it may have been.

        Certain is: the very same array; the variable that stands where the program has
        the constant, in `x * self.k` or `return self.n`; or the one variable of this
        value that was read, where no local variable and no number in the code has it too.
        """
        same = [each for each in self.accesses if each.kind != "local" and each.value is value and _is_array(value)]
        if same:
            return self._origin(same[0].name, value), ()
        equal = [each for each in self.accesses if _equal(each.value, value)]
        names = tuple(dict.fromkeys(each.name for each in equal if each.kind == "read"))
        stands = self.spots.get(text)
        if stands in names:
            return self._origin(stands, value), ()
        if stands == "":  # a number in the code stands there
            return None, ()
        if len(names) == 1 and all(each.name == names[0] for each in equal):
            return self._origin(names[0], value), ()
        return None, names

    def _origin(self, name: str, value: Any) -> Origin:
        of_name = [each for each in self.accesses if each.name == name]
        first = next((each.value for each in of_name if each.kind == "read"), None)
        until = next((k for k, each in enumerate(of_name) if each.value is value or _equal(each.value, value)), 0)
        return Origin(name, any(each.kind == "written" for each in of_name[: until + 1]), first)


def _operands(closed: core.ClosedJaxpr) -> Iterator[tuple[str, str]]:
    """For each literal in `a * b` and the like: what stands in its place in the source; empty for a number.

    Of a literal that the program has in several places, all must say the same.
    """
    found: dict[str, list[str]] = {}
    for equation in closed.jaxpr.eqns:
        for at, atom in enumerate(equation.invars):
            if isinstance(atom, core.Literal):
                found.setdefault(reading.literal_text(atom), []).append(_written(equation, at))
    counted = [reading.literal_text(each) for each in reading.literals(closed.jaxpr)]
    for text, names in found.items():
        if len(set(names)) == 1 and len(names) == counted.count(text) and names[0] != "?":
            yield text, names[0]


def _written(equation: Any, at: int) -> str:
    """What stands in the source for an operand: a name, empty for anything that has none, `?` when not known."""
    place, operator = reading.place(equation), _OPERATORS.get(str(equation.primitive))
    if place is None or operator is None or at > 1:
        return "?"
    matching = [node for node in operations(place.file, place.line, place.column) if isinstance(node.op, operator)]
    if len(matching) != 1:
        return "?"
    node = matching[0].right if at else matching[0].left
    return "" if isinstance(node, ast.Constant) else dotted(node) or "?"


def _results(closed: core.ClosedJaxpr, body: Callable | None, line: int) -> Iterator[tuple[str, str]]:
    """For each literal that is a result: the variable in the `return` that ran, in its place."""
    code = getattr(inspect.unwrap(body), "__code__", None) if body else None
    expression = returned(code, line) if code else None
    parts = expression.elts if isinstance(expression, ast.Tuple) else [expression]
    outs = closed.jaxpr.outvars
    if len(parts) != len(outs):
        return
    inside = [reading.literal_text(each) for each in reading.literals(closed.jaxpr)]
    for part, atom in zip(parts, outs, strict=True):
        if part is not None and isinstance(atom, core.Literal) and dotted(part):
            text = reading.literal_text(atom)
            if inside.count(text) == 1:
                yield text, dotted(part)


def _leaves(access: Access) -> Iterator[Access]:
    """Every number in what was touched, by its path: `self.params['w']`."""
    for path, leaf in jax.tree_util.tree_leaves_with_path(access.value):
        if isinstance(leaf, bool | int | float | complex | np.ndarray | np.generic | jax.Array):
            name = access.name + jax.tree_util.keystr(path) if access.name else ""
            yield access._replace(name=name, value=leaf)


def _is_array(value: Any) -> bool:
    return isinstance(value, jax.Array | np.ndarray)


def _is_key(value: Any) -> bool:
    return isinstance(value, jax.Array) and jax.dtypes.issubdtype(value.dtype, jax.dtypes.prng_key)


def _equal(one: Any, value: Any) -> bool:
    """True when a variable's number is this constant, but for the type that tracing gave it."""
    if _is_key(one) or _is_key(value):
        return False
    one, value = np.asarray(one), np.asarray(value)
    if one.shape != value.shape or not np.can_cast(one.dtype, value.dtype, "same_kind"):
        return False  # 1.5 is not where a 1 comes from
    with np.errstate(over="ignore", invalid="ignore"):
        return np.array_equal(one.astype(value.dtype), value)
