"""Should CounterV2 stay a class? The same counter in five forms, all of which run.

The page's exercise. Each form has a maker that gives `(step, state)`, so that the
same three calls, the same jit and the same scan go through all of them.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import jax
import numpy as np

from statecore.counter import CounterV2
from statecore.observation import observe


def count(n):
    return n + 1, n + 1


class Count(NamedTuple):
    n: int = 0

    def step(self):
        new = Count(self.n + 1)
        return new.n, new


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Strided:
    n: int = 0
    stride: int = field(
        default=1, metadata={"static": True})

    def step(self):
        new = replace(self, n=self.n + self.stride)
        return new.n, new


def make_counter(stride=1):
    def count(n):
        return n + stride, n + stride
    return count, 0


def as_class():
    counter = CounterV2()
    return counter.count, counter.reset()


def as_function():
    return count, 0


def as_namedtuple():
    return Count.step, Count()


def as_dataclass():
    return Strided.step, Strided()


def as_closure():
    return make_counter()


@dataclass(frozen=True)
class Form:
    """One way to write the counter.

    Attributes:
      name: what it is.
      make: gives `(step, state)` with `step(state) -> (value, state)`.
      shown: what to show of it, beside `make`.
      gains, costs: what speaks for it and against it, in a sentence each.
    """

    name: str
    make: Callable[[], tuple[Callable, Any]]
    shown: Any
    gains: str
    costs: str


FORMS = (
    Form(
        "class without state", as_class, CounterV2,
        "Keeps count and reset under one name, and looks like the class it replaces.",
        "The object holds nothing: self is never read, so the class is only a namespace.",
    ),
    Form(
        "plain function", as_function, count,
        "The least there is, and all that jit, scan and vmap need.",
        "A bare number says nothing of what it is, and a second number needs a tuple.",
    ),
    Form(
        "NamedTuple with a method", as_namedtuple, Count,
        "The state has names, is a pytree as it stands, and carries its step along.",
        "Every field is traced, so no setting for an if belongs in it; and a tuple has a method called count already.",
    ),
    Form(
        "registered dataclass", as_dataclass, Strided,
        "Names, and fields that stay Python values (stride): jit compiles once for each of them.",
        "It must be registered as a pytree, or jit does not take it.",
    ),
    Form(
        "closure over settings", as_closure, make_counter,
        "Settings are given once, and callers see only the state.",
        "Settings are baked in: another stride is another function and another compilation.",
    ),
)


def call(step, state):
    value, state = step(state)
    return value, state


@dataclass(frozen=True)
class Trial:
    """What a form gives.

    Attributes:
      jitted: the values of the calls under jit.
      scanned: the same from one scan.
      traces: how often its body was traced for the jitted calls.
      leaves: the leaves of its state after them.
      traced_again: whether a second one, made and jitted while the first is alive, is
        traced again: a new object or closure is a new function to jit.
    """

    jitted: list[int]
    scanned: list[int]
    traces: int
    leaves: list[int]
    traced_again: bool


def trial(form: Form, calls: int = 3) -> Trial:
    """Call a form under jit and in a scan."""
    step, first = form.make()
    traces = 0

    def counted(state):
        nonlocal traces
        traces += 1
        return step(state)

    jitted, state, values = jax.jit(counted), first, []
    for _ in range(calls):
        value, state = call(jitted, state)
        values.append(int(value))
    _, scanned = jax.lax.scan(lambda state, _: step(state)[::-1], first, None, length=calls)
    leaves = [int(leaf) for leaf in jax.tree.leaves(state)]
    return Trial(values, np.asarray(scanned).tolist(), traces, leaves, _traced_again(form))


def _traced_again(form: Form) -> bool:
    first, state = form.make()
    kept = jax.jit(first)
    kept(state)
    second, state = form.make()
    return observe(jax.jit(second), state).traced
