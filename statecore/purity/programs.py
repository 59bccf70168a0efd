"""The catalogue's entries as programs: the same calls as Python makes them and as JAX does."""

import functools
import inspect
import io
import re
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from statecore import lockstep
from statecore.checker import Report, check
from statecore.checker.comparing import same
from statecore.lockstep import Lane
from statecore.program import Made, Program
from statecore.purity.entries import Entry, check_side, load

MAX_CALLS = 5
"""The entries' data lasts for so many calls."""


@dataclass(frozen=True)
class Comparison:
    """Two ways to make the same calls: as Python runs them, and as JAX does.

    Attributes:
      plain, transformed: how the two callables are written, with `f` for the function.
    """

    plain: str
    transformed: str
    make_plain: Callable[..., Callable] = field(repr=False)
    make_transformed: Callable[..., Callable] = field(repr=False)

    def written(self, side: str) -> tuple[str, str]:
        """How the two callables are written for one side of an entry."""
        plain, transformed = (re.sub(r"\bf\b", side, each) for each in (self.plain, self.transformed))
        return plain, transformed


def _looped(f: Callable, state: bool) -> Callable:
    """`f` called for one row of the batch after the other, in Python."""

    @functools.wraps(f)
    def loop(*batches):
        rows = [f(*row) for row in zip(*batches, strict=True)]
        return jax.tree.map(lambda *leaves: jnp.stack([jnp.asarray(leaf) for leaf in leaves]), *rows)

    return loop


def _grad(f: Callable, state: bool) -> Callable:
    """The gradient with respect to `x`; a state comes first and is passed through."""
    return jax.grad(f, argnums=1, has_aux=True) if state else jax.grad(f)


def _python_loop(f: Callable, state: bool) -> Callable:
    @functools.wraps(f)
    def loop(n, carry):
        for i in range(n):
            carry = f(i, carry)
        return carry

    return loop


def _fori_loop(f: Callable, state: bool) -> Callable:
    @functools.wraps(f)
    def loop(n, carry):
        return jax.lax.fori_loop(0, n, f, carry)

    return loop


COMPARISONS: Mapping[str, Comparison] = types.MappingProxyType(
    {
        "jit": Comparison("f in plain Python", "jax.jit(f)", lambda f, state: f, lambda f, state: jax.jit(f)),
        "vmap": Comparison("f in a Python loop", "jax.vmap(f)", _looped, lambda f, state: jax.vmap(f)),
        "grad": Comparison("jax.grad(f)", "jax.jit(jax.grad(f))", _grad, lambda f, state: jax.jit(_grad(f, state))),
        "fori_loop": Comparison("f in a Python loop", "jax.lax.fori_loop(0, n, f, ...)", _python_loop, _fori_loop),
    }
)
"""What a transformation is compared with. `grad` by itself runs the body at every
call, so it is the plain one there; under jit it does not."""


class Ways(NamedTuple):
    """The same calls made both ways, of programs or of what they did."""

    plain: Any
    transformed: Any


def programs(entry: Entry, side: str = "broken", transformation: str = "jit") -> Ways:
    """One side of an entry as two programs: plain Python, and transformed.

    Every `make` loads the file into a namespace of its own, so a program can be started
    again and two readers never meet. Raises ValueError for a side or a transformation that
    the entry does not have.
    """
    check_side(entry, side)
    if transformation not in entry.transformations:
        raise ValueError(f"{entry.name} is shown under {', '.join(entry.transformations)}, not {transformation!r}")
    comparison = COMPARISONS[transformation]
    makers = (comparison.make_plain, comparison.make_transformed)
    return Ways(*(_program(entry, side, transformation, make) for make in makers))


def lanes(entry: Entry, side: str = "broken", transformation: str = "jit", calls: int = 3) -> Ways:
    """Make the calls of one side both ways. Raises ValueError also for more than `MAX_CALLS` calls."""
    if not 0 <= calls <= MAX_CALLS:
        raise ValueError(f"an entry is called up to {MAX_CALLS} times, not {calls}")
    made = programs(entry, side, transformation)
    return Ways(*(lockstep.go(lockstep.start(program), calls) for program in made))


def _program(entry: Entry, side: str, transformation: str, make: Callable[..., Callable]) -> Program:
    suffix = "_vmap" if transformation == "vmap" else ""
    names = vars(load(entry))
    stateful = side != "broken" and "start" in names

    def made() -> Made:
        namespace = load(entry)
        names = vars(namespace)
        caller = names.get(f"call_{side}{suffix}") or names[f"call_fixed{suffix}"]
        watch = tuple(_functions(namespace))
        return Made(make(names[side], stateful), _call(caller, stateful), watch, names.get(f"after_{side}"))

    def init() -> Any:
        names = vars(load(entry))
        return names.get(f"start{suffix}", names["start"])

    return Program(made, _called, init if stateful else None, lambda k: (k,))


def _called(function: Callable, k: int) -> Any:
    return function(k)


def _call(caller: Callable, stateful: bool) -> Callable:
    """The entry's caller, which takes the number of the call before the state."""
    if not stateful:
        return caller

    @functools.wraps(caller)
    def call(function: Callable, state: Any, k: int) -> Any:
        return caller(function, k, state)

    return call


def _functions(namespace: types.ModuleType) -> Iterator[Callable]:
    """Every function written in the entry's file, methods included."""
    for value in vars(namespace).values():
        if inspect.isclass(value) and value.__module__ == namespace.__name__:
            yield from (method for method in vars(value).values() if inspect.isfunction(method))
        elif callable(value) and getattr(inspect.unwrap(value), "__module__", None) == namespace.__name__:
            yield value


SYMPTOMS: Mapping[str, str] = types.MappingProxyType(
    {
        "none": "what plain Python gives",
        "repeats": "the first answer, again and again",
        "differs": "other answers",
        "raises": "an error",
        "outside": "right answers, wrong outside",
    }
)
"""What there is to notice, and how it is called."""


def symptom(ways: Ways) -> str:
    """What a user of the transformed function notices; one of `SYMPTOMS`."""
    expected, outcomes = ways.plain.tape, ways.transformed.tape
    if any(map(_raised, outcomes)) and not any(map(_raised, expected)):
        return "raises"
    if not all(map(same, expected, outcomes)):
        stuck = all(same(outcomes[0], each) for each in outcomes) and not same(expected[0], expected[-1])
        return "repeats" if stuck else "differs"
    return "outside" if _left_differs(ways) else "none"


def _left_differs(ways: Ways) -> bool:
    left = [lane.moment.outside for lane in ways]
    # a debug callback may write in another order
    lines = [sorted(printed(lane)) for lane in ways]
    return _raised(left[1]) or not same(*left) or lines[0] != lines[1]


def _raised(outcome: Any) -> bool:
    return isinstance(outcome, Exception)


def printed(lane: Lane) -> tuple[str, ...]:
    """The lines printed by the calls up to the cursor."""
    return tuple(line for moment in lane.moments[1 : lane.cursor + 1] if moment.seen for line in moment.seen.printed)


def checked(entry: Entry, side: str = "broken") -> Report:
    """What the checker says of one side, given the arguments of its first call."""
    namespace, args = first_arguments(entry, side)
    return check(getattr(namespace, side), *args)


def first_arguments(entry: Entry, side: str) -> tuple[types.ModuleType, tuple]:
    """A fresh namespace, and the arguments its function is given in the first call.

    The namespace is as it was loaded: the call that reveals the arguments is made in another.
    """
    transformation = "fori_loop" if "fori_loop" in entry.transformations else "jit"
    program = programs(entry, side, transformation).plain
    received: list[tuple] = []
    made = program.made()
    body = inspect.unwrap(made.function)

    def noted(*args: Any) -> Any:
        received.append(tuple(arg.copy() if isinstance(arg, np.ndarray) else arg for arg in args))
        return body(*args)

    function = COMPARISONS[transformation].make_plain(noted, program.explicit)
    assert made.call is not None
    made.call(function, *([program.init()] if program.init else []), 1)
    namespace = load(entry)
    # what is printed is neither an output nor a state, and the check makes it print
    namespace.__dict__["print"] = functools.partial(print, file=io.StringIO())
    return namespace, received[0]
