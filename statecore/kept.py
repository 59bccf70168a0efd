"""What a traced function kept: its program, and which of its constants were variables while it was traced."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import jax
from jax.extend import core

from statecore import origins
from statecore.origins import Origin
from statecore.reading import jaxprs as reading
from statecore.witness import Witness


@dataclass(frozen=True)
class Constant:
    """A value that the compiled program holds and will never read again.

    Attributes:
      text: how the jaxpr prints it, such as `1:i32[]`, or its name, such as `a:f32[]`.
      value: the value itself.
      origin: the variable that it certainly was while the function was traced; None
        where that is not certain, and where it was written in the code.
      candidates: the variables of this value that were read while tracing, where it is
        not certain which of them, or whether any, is where the constant comes from.
    """

    text: str
    value: Any
    origin: Origin | None = None
    candidates: tuple[str, ...] = ()


@dataclass(frozen=True)
class Output:
    """One result of the program.

    Attributes:
      inputs: the arguments that it is computed from, as printed.
      constant: its value, where the program holds it; else None.
      same_as: the argument that it hands back as it came in; else None.
    """

    inputs: tuple[str, ...]
    constant: Any = None
    same_as: str | None = None

    @property
    def frozen(self) -> bool:
        """True when no argument reaches this output, so it is the same on every call."""
        return not self.inputs


@dataclass(frozen=True)
class Kept:
    """The program that `jit` kept.

    Attributes:
      text: the jaxpr as JAX prints it.
      inputs: its arguments as printed, such as `a:i32[]`.
      constants: the values baked into it, captured arrays first.
      outputs: what each result is computed from.
    """

    text: str
    inputs: tuple[str, ...]
    constants: tuple[Constant, ...]
    outputs: tuple[Output, ...]

    @property
    def baked(self) -> tuple[Constant, ...]:
        """The constants that certainly were a variable when the function was traced."""
        return tuple(constant for constant in self.constants if constant.origin)


_READ: WeakKeyDictionary[core.Jaxpr, Kept] = WeakKeyDictionary()


def of(closed: core.ClosedJaxpr, seen: Witness, body: Any) -> Kept:
    """As `read`, but a program that was read right after its trace is not read again: it is the same one."""
    found = None if seen.traced else _READ.get(closed.jaxpr)
    if found is None:
        found = _READ[closed.jaxpr] = read(closed, seen, body)
    return found


def read(closed: core.ClosedJaxpr, seen: Witness | None = None, body: Any = None) -> Kept:
    """Read a jaxpr.

    Args:
      closed: what `wrapper.trace(*args).jaxpr` returns.
      seen: what was witnessed of the call that traced it. Without it nothing is said of
        where a constant comes from.
      body: the function that was traced, where it returns what the program returns.

    Raises `reading.Unreadable` for a jaxpr of a form that is not known.
    """
    names = reading.header(closed)
    find = origins.Finder(closed, seen, body) if seen and seen.traced else None
    named = list(zip(names.consts, closed.consts, strict=True))
    # a captured Ref is read on every call: it comes in like an argument
    refs = [name for name, value in named if isinstance(value, jax.Ref)]
    found = [(name, value) for name, value in named if name not in refs]
    literals = {reading.literal_text(each): reading.literal_value(each) for each in reading.literals(closed.jaxpr)}
    return Kept(
        text=reading.text(closed),
        inputs=(*refs, *names.inputs),
        constants=tuple(_constant(text, value, find) for text, value in (*found, *literals.items())),
        outputs=_outputs(closed, (*refs, *names.inputs)),
    )


def _constant(text: str, value: Any, find: origins.Finder | None) -> Constant:
    if find is None:
        return Constant(text, value)
    origin, candidates = find.origin(text, value)
    return Constant(text, value, origin, candidates)


def _outputs(closed: core.ClosedJaxpr, names: Sequence[str]) -> tuple[Output, ...]:
    """Follow each output back to the arguments; an equation passes on all that it reads."""
    jaxpr = closed.jaxpr
    constants = dict(zip(jaxpr.constvars, closed.consts, strict=True))
    refs = [variable for variable, value in constants.items() if isinstance(value, jax.Ref)]
    came_in = dict(zip([*refs, *jaxpr.invars], names, strict=True))
    reached = {variable: {name} for variable, name in came_in.items()}
    for equation in jaxpr.eqns:
        sources = set().union(
            *(reached.get(atom, set()) for atom in equation.invars if not isinstance(atom, core.Literal))
        )
        reached.update((variable, sources) for variable in equation.outvars)

    def output(atom) -> Output:
        if isinstance(atom, core.Literal):
            return Output((), reading.literal_value(atom))
        inputs = tuple(name for name in names if name in reached.get(atom, set()))
        return Output(inputs, constants.get(atom), came_in.get(atom))

    return tuple(output(atom) for atom in jaxpr.outvars)
