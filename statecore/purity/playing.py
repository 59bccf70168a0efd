"""Entries of the catalogue, really played: the same calls as Python makes them and as JAX does."""

import functools
import inspect
import io
import re
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from statecore import kept
from statecore.checker import Report, check
from statecore.checker.comparing import same
from statecore.kept import Kept
from statecore.observe import Line, hidden_state, observe
from statecore.purity.entries import Entry, check_side, load

MAX_CALLS = 5
"""A play makes no more calls than this: the entries' data lasts that long."""

_DATA = (bool, int, float, complex, list, tuple, dict, np.ndarray, jax.Array)


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


@dataclass(frozen=True)
class Call:
    """One call that was made.

    Attributes:
      outcome: the value it returned, or the exception it raised.
      ran: the lines of the entry's file that executed.
      body_runs: how often the body of the function ran.
      printed: the lines it wrote to the log.
    """

    outcome: Any
    ran: frozenset[Line]
    body_runs: int
    printed: tuple[str, ...]

    @property
    def raised(self) -> bool:
        return isinstance(self.outcome, Exception)


@dataclass(frozen=True)
class Run:
    """The calls made one way, in a namespace of their own.

    Attributes:
      written: how the callable is written, such as `jax.jit(broken)`.
      after: what is left behind, or the exception raised by looking at it; None
        where there is nothing to look at.
      kept: the program that jit kept, or None when there is none.
      state: what the last call handed back to be passed on; None where nothing is.
    """

    written: str
    calls: tuple[Call, ...]
    after: Any
    kept: Kept | None
    state: Any = None

    @property
    def printed(self) -> tuple[str, ...]:
        return tuple(line for call in self.calls for line in call.printed)

    @property
    def body_runs(self) -> int:
        return sum(call.body_runs for call in self.calls)


@dataclass(frozen=True)
class Play:
    """The same calls made both ways."""

    plain: Run
    transformed: Run


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


def play(entry: Entry, side: str = "broken", transformation: str = "jit", calls: int = 3) -> Play:
    """Make the calls of one side, as plain Python and transformed, and observe them.

    Both ways start from a fresh namespace, so a play can be repeated and two
    readers never meet. Raises ValueError for a side or transformation that the
    entry does not have, and for more than `MAX_CALLS` calls.
    """
    check_side(entry, side)
    if transformation not in entry.transformations:
        raise ValueError(f"{entry.name} is shown under {', '.join(entry.transformations)}, not {transformation!r}")
    if not 1 <= calls <= MAX_CALLS:
        raise ValueError(f"a play makes 1 to {MAX_CALLS} calls, not {calls}")
    comparison = COMPARISONS[transformation]
    ways = zip(comparison.written(side), (comparison.make_plain, comparison.make_transformed), strict=True)
    plain, transformed = (_run(entry, side, transformation, written, make, calls) for written, make in ways)
    return Play(plain, transformed)


def symptom(play: Play) -> str:
    """What a user of the transformed function notices; one of `SYMPTOMS`."""
    plain, transformed = play.plain, play.transformed
    outcomes = [call.outcome for call in transformed.calls]
    expected = [call.outcome for call in plain.calls]
    if any(call.raised for call in transformed.calls) and not any(call.raised for call in plain.calls):
        return "raises"
    if not all(map(same, expected, outcomes)):
        stuck = all(same(outcomes[0], each) for each in outcomes) and not same(expected[0], expected[-1])
        return "repeats" if stuck else "differs"
    left = isinstance(transformed.after, Exception) or not same(plain.after, transformed.after)
    # a debug callback may write in another order
    return "outside" if left or sorted(plain.printed) != sorted(transformed.printed) else "none"


def checked(entry: Entry, side: str = "broken") -> Report:
    """What `statecore.checker.check` says of one side, given the arguments of its first call."""
    namespace, args = first_arguments(entry, side)
    return check(getattr(namespace, side), *args)


def first_arguments(entry: Entry, side: str) -> tuple[types.ModuleType, tuple]:
    """A fresh namespace, and the arguments its function is given in the first call.

    The namespace is as it was loaded: the call that reveals the arguments is made in another.
    """
    check_side(entry, side)
    transformation = "fori_loop" if "fori_loop" in entry.transformations else "jit"
    stage = _Stage(entry, side, transformation, COMPARISONS[transformation].make_plain)
    stage.call(1, stage.start)
    namespace = load(entry)
    # what is printed is neither an output nor a state, and the check makes it print
    namespace.__dict__["print"] = functools.partial(print, file=io.StringIO())
    return namespace, stage.received[0]


class _Stage:
    """A loaded entry with one side made callable; every run of its body is noted."""

    def __init__(self, entry: Entry, side: str, transformation: str, make: Callable[..., Callable]) -> None:
        self.log: list[str] = []
        self.namespace = load(entry, self.log)
        self.received: list[tuple] = []
        self.passed: tuple = ()
        names = vars(self.namespace)
        suffix = "_vmap" if transformation == "vmap" else ""
        self.stateful = side != "broken" and "start" in names
        self.start = names.get(f"start{suffix}", names.get("start")) if self.stateful else None
        self.caller = names.get(f"call_{side}{suffix}") or names[f"call_fixed{suffix}"]
        self.after = names.get(f"after_{side}")
        self.body = names[side]
        self.made = make(self._noted(self.body), self.stateful)

    def call(self, k: int, state: Any):
        """Make call `k`: an observation of its value, with the state where there is one."""

        @functools.wraps(self.made)
        def called(*args):
            self.passed = args
            return self.made(*args)

        args = (k, state) if self.stateful else (k,)
        return observe(called, *args, caller=self.caller, watch=tuple(_functions(self.namespace)))

    def hidden(self) -> dict[str, Any]:
        """The numbers, arrays and containers that the function can see without being given them, by name."""
        seen = inspect.getclosurevars(self.body)
        hidden = {**seen.globals, **seen.nonlocals, **hidden_state(self.body)}
        return {name: value for name, value in hidden.items() if isinstance(value, _DATA)}

    def kept(self, before: Mapping[str, Any]) -> Kept | None:
        """What jit kept of the last call; asking with its own arguments runs no Python."""
        if not hasattr(self.made, "trace"):
            return None
        jaxpr = self.made.trace(*self.passed).jaxpr
        program = kept.read(jaxpr, before)
        return program if program.baked or not before else kept.read(jaxpr, self.hidden())

    def _noted(self, body: Callable) -> Callable:
        @functools.wraps(body)
        def noted(*args):
            self.received.append(_copied(args))
            return body(*args)

        return noted


def _run(entry: Entry, side: str, transformation: str, written: str, make: Callable[..., Callable], calls: int) -> Run:
    stage = _Stage(entry, side, transformation, make)
    state, made, program = stage.start, [], None
    for k in range(1, calls + 1):
        bodies, lines, before = len(stage.received), len(stage.log), stage.hidden()
        seen = stage.call(k, state)
        jax.effects_barrier()  # a debug callback writes to the log when the program gets to it
        outcome = seen.value if seen.error is None else seen.error
        if seen.error is None and stage.stateful:
            outcome, state = seen.value
        ran = frozenset(line for line in seen.ran if line[0] == stage.namespace.__file__)
        made.append(Call(_at_rest(outcome), ran, len(stage.received) - bodies, tuple(stage.log[lines:])))
        if seen.error is None and program is None:
            # a derivative's constants may equal a hidden number by chance: none is traced back there
            program = stage.kept(before if transformation == "jit" else {})
    after = _outcome(stage.after, *([state] if stage.stateful else [])) if stage.after else None
    return Run(written, tuple(made), after, program, state)


def _outcome(function: Callable, *args: Any) -> Any:
    try:
        return _at_rest(function(*args))
    except Exception as raised:
        return raised


def _at_rest(value: Any) -> Any:
    """The value as host numbers, so that a later write into the same array does not show in it."""
    if isinstance(value, Exception):
        return value
    return jax.tree.map(lambda leaf: np.array(leaf) if isinstance(leaf, (jax.Array, np.ndarray)) else leaf, value)


def _copied(args: tuple) -> tuple:
    """The arguments as they are now: a body may write into a NumPy array."""
    return tuple(arg.copy() if isinstance(arg, np.ndarray) else arg for arg in args)


def _functions(namespace: types.ModuleType) -> Iterator[Callable]:
    """Every function written in the entry's file, methods included."""
    for value in vars(namespace).values():
        if inspect.isclass(value) and value.__module__ == namespace.__name__:
            yield from (method for method in vars(value).values() if inspect.isfunction(method))
        elif callable(value) and getattr(inspect.unwrap(value), "__module__", None) == namespace.__name__:
            yield value
