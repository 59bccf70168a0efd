"""A function traced into a program, and two programs compared."""

import enum
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal, jaxpr_as_fun

from statecore.checker.comparing import NUMBERS, alike
from statecore.reading.wrappers import trace_behind


@dataclass(frozen=True)
class Program:
    """What jit keeps of a function.

    Attributes:
      jaxpr: the program.
      still: what it returns that is no number and no array, by its place among the leaves.
      structure: the structure of all that it returns.
      leaked: True when something still holds one of its tracers.
    """

    jaxpr: ClosedJaxpr
    still: Mapping[int, Any]
    structure: Any
    leaked: bool = False

    def result(self, inputs: list[Any]) -> Any:
        """Run the program and put what it returns together."""
        numbers = iter(jax.jit(jaxpr_as_fun(self.jaxpr))(0.0, *inputs))
        places = range(self.structure.num_leaves)
        return jax.tree.unflatten(self.structure, [self.still[k] if k in self.still else next(numbers) for k in places])


@dataclass(frozen=True)
class Statics:
    """Which arguments are static: their positions and their names, as `jax.jit` takes them."""

    argnums: tuple[int, ...] = ()
    argnames: tuple[str, ...] = ()

    @classmethod
    def given(cls, argnums: int | Iterable[int], argnames: str | Iterable[str]) -> "Statics":
        numbers = (argnums,) if isinstance(argnums, int) else tuple(argnums)
        return cls(numbers, (argnames,) if isinstance(argnames, str) else tuple(argnames))

    def positions(self, function: Callable, count: int) -> set[int]:
        """The positions of the static ones among `count` positional arguments."""
        found = {number % count for number in self.argnums if -count <= number < count}
        if self.argnames:
            try:
                parameters = list(inspect.signature(function).parameters)
            except (TypeError, ValueError):
                parameters = []
            found |= {k for k, name in enumerate(parameters[:count]) if name in self.argnames}
        return found


class Split:
    """Arguments, parted into the numbers that `jit` traces and the rest, which the function is given as it is."""

    def __init__(self, function: Callable, args: tuple, kwargs: dict[str, Any], statics: Statics) -> None:
        fixed = statics.positions(function, len(args))
        kept = [value for k, value in enumerate(args) if k not in fixed]
        named = {name: value for name, value in kwargs.items() if name not in statics.argnames}
        self._args, self._kwargs, self._fixed = args, kwargs, fixed
        self._leaves, self._structure = jax.tree.flatten((kept, named))
        self._places = [k for k, leaf in enumerate(self._leaves) if isinstance(leaf, NUMBERS) and _has_numbers(leaf)]

    @property
    def inputs(self) -> list[Any]:
        """The numbers and arrays, in order."""
        return [self._leaves[k] for k in self._places]

    def joined(self, inputs: Iterable[Any]) -> tuple[tuple, dict[str, Any]]:
        """The arguments with others in the place of `inputs`."""
        leaves = list(self._leaves)
        for place, value in zip(self._places, inputs, strict=True):
            leaves[place] = value
        kept, named = jax.tree.unflatten(self._structure, leaves)
        rest = iter(kept)
        args = tuple(value if k in self._fixed else next(rest) for k, value in enumerate(self._args))
        return args, {name: named.get(name, value) for name, value in self._kwargs.items()}


def _has_numbers(leaf: Any) -> bool:
    return not isinstance(leaf, np.ndarray | np.generic) or leaf.dtype.kind not in "OSUMm"


_HARMLESS = (str, bytes, enum.Enum, type, np.generic, np.ndarray)
"""What a function may return beside numbers, and cannot hold a tracer."""


def traced(function: Callable, split: Split) -> Program:
    """The program of `function`. Raises what tracing raises."""
    seen: dict[str, Any] = {}

    def body(watched: Any, *inputs: Any) -> list[Any]:
        seen["trace"] = trace_behind(watched)
        args, kwargs = split.joined(inputs)
        leaves, seen["structure"] = jax.tree.flatten(function(*args, **kwargs))
        numbers = {k for k, leaf in enumerate(leaves) if isinstance(leaf, NUMBERS) and _has_numbers(leaf)}
        seen["still"] = {k: leaf for k, leaf in enumerate(leaves) if k not in numbers}
        return [leaf for k, leaf in enumerate(leaves) if k in numbers]

    jaxpr = jax.jit(body).trace(0.0, *split.inputs).jaxpr
    still = {k: leaf if isinstance(leaf, _HARMLESS) else type(leaf) for k, leaf in seen.pop("still").items()}
    return Program(jaxpr, still, seen["structure"], seen["trace"]() is not None)


SAME, OTHER_CONSTANTS, OTHER = range(3)
"""How two programs compare: the same, the same but for constants, or different."""


def compared(one: ClosedJaxpr, other: ClosedJaxpr) -> int:
    """How two programs compare. What stands for a function in them is not looked into."""
    return _Comparison().closed(one, other)


class _Comparison:
    def __init__(self) -> None:
        self.names: dict[Any, Any] = {}

    def closed(self, one: ClosedJaxpr, other: ClosedJaxpr) -> int:
        if len(one.consts) != len(other.consts):
            return OTHER
        return max(self.jaxpr(one.jaxpr, other.jaxpr), *map(_constants, one.consts, other.consts), SAME)

    def jaxpr(self, one: Jaxpr, other: Jaxpr) -> int:
        pairs = ((one.constvars, other.constvars), (one.invars, other.invars))
        if any(len(a) != len(b) for a, b in (*pairs, (one.eqns, other.eqns), (one.outvars, other.outvars))):
            return OTHER
        bound = [self.bind(*pair) for a, b in pairs for pair in zip(a, b, strict=True)]
        equations = [self.equation(*pair) for pair in zip(one.eqns, other.eqns, strict=True)]
        results = [self.use(*pair) for pair in zip(one.outvars, other.outvars, strict=True)]
        return max((*bound, *equations, *results), default=SAME)

    def bind(self, one: Any, other: Any) -> int:
        self.names[one] = other
        return SAME if one.aval == other.aval else OTHER

    def use(self, one: Any, other: Any) -> int:
        if isinstance(one, Literal) and isinstance(other, Literal):
            return OTHER if one.aval != other.aval else _constants(one.val, other.val)
        if isinstance(one, Literal) or isinstance(other, Literal):
            return OTHER
        return SAME if self.names.get(one, other) is other else OTHER

    def equation(self, one: Any, other: Any) -> int:
        same = one.primitive is other.primitive and len(one.invars) == len(other.invars)
        if not same or len(one.outvars) != len(other.outvars) or one.params.keys() != other.params.keys():
            return OTHER
        used = [self.use(*pair) for pair in zip(one.invars, other.invars, strict=True)]
        params = [self.param(value, other.params[name]) for name, value in one.params.items()]
        bound = [self.bind(*pair) for pair in zip(one.outvars, other.outvars, strict=True)]
        return max((*used, *params, *bound), default=SAME)

    def param(self, one: Any, other: Any) -> int:
        if one is other or (callable(one) and callable(other)):
            return SAME
        if isinstance(one, ClosedJaxpr) and isinstance(other, ClosedJaxpr):
            return _Comparison().closed(one, other)
        if isinstance(one, Jaxpr) and isinstance(other, Jaxpr):
            return _Comparison().jaxpr(one, other)
        if isinstance(one, tuple | list) and isinstance(other, tuple | list) and len(one) == len(other):
            return max((self.param(*pair) for pair in zip(one, other, strict=True)), default=SAME)
        return SAME if alike(one, other) else OTHER


def _constants(one: Any, other: Any) -> int:
    return SAME if _same_constant(one, other) else OTHER_CONSTANTS


def _same_constant(one: Any, other: Any) -> bool:
    if one is other:
        return True
    try:
        return alike(np.asarray(one), np.asarray(other))
    except Exception:  # a key, a Ref
        return alike(one, other)


def draws(jaxpr: Any) -> bool:
    """Whether random numbers are drawn, or keys made, anywhere in a program."""
    inner = jaxpr.jaxpr if isinstance(jaxpr, ClosedJaxpr) else jaxpr
    return any(
        str(equation.primitive.name).startswith("random_") or any(map(draws, programs_in(equation.params.values())))
        for equation in inner.eqns
    )


def programs_in(values: Iterable[Any]) -> Iterator[Any]:
    """The programs among the parameters of an equation."""
    for value in values:
        if isinstance(value, ClosedJaxpr | Jaxpr):
            yield value
        elif isinstance(value, tuple | list):
            yield from programs_in(value)
