"""What `functionalize` refuses: each class as somebody would write it, and mended.

Every builder makes its objects (and, where the class itself is written, its class)
anew, so that two visitors never meet.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from statecore.counter import Counter
from statecore.functional import CannotFunctionalize, functionalize, unguarded


class MadeLater:
    def count(self):
        if not hasattr(self, "n"):
            self.n = 0
        self.n += 1
        return self.n


class MadeFirst:
    def __init__(self):
        self.n = 0

    def count(self):
        self.n += 1
        return self.n


class SharedList:
    def __init__(self):
        self.counts = [0]
        self.view = self.counts

    def count(self):
        self.counts[0] += 1
        return self.view[0]


class OneList:
    def __init__(self):
        self.counts = [0]

    def count(self):
        self.counts[0] += 1
        return self.counts[0]


class Nested:
    def __init__(self):
        self.counter = Counter()

    def count(self):
        return self.counter.count()


class Flat(Counter):
    pass


class TextWritten:
    def __init__(self):
        self.n = 0
        self.mode = "first"

    def count(self):
        self.n += 1
        if self.mode == "first":
            self.mode = "later"
            return self.n
        return self.n + 9


class NumberWritten:
    def __init__(self):
        self.n = 0
        self.first = True

    def count(self):
        self.n += 1
        later = jnp.where(self.first, 0, 9)
        self.first = False
        return self.n + later


def written_on_class():
    class OnClass:
        n = 0

        def count(self):
            type(self).n += 1
            return self.n

    return OnClass().count


class OwnIterator:
    def __init__(self):
        self.values = iter(range(1, 10))

    def count(self):
        return next(self.values)


class OwnIndex:
    def __init__(self):
        self.values = jnp.arange(1, 10)
        self.index = 0

    def count(self):
        value = self.values[self.index]
        self.index += 1
        return value


class NumPyGenerator:
    def __init__(self):
        self.rng = np.random.default_rng(0)

    def draw(self):
        return self.rng.normal()


class OwnKey:
    def __init__(self):
        self.key = jax.random.key(0)

    def draw(self):
        self.key, subkey = jax.random.split(
            self.key)
        return jax.random.normal(subkey)


class HoldsSelf:
    def __init__(self):
        self.n = 0
        self.add = lambda: setattr(
            self, "n", self.n + 1)

    def count(self):
        self.add()
        return self.n


class CallsMethod:
    def __init__(self):
        self.n = 0

    def add(self):
        self.n += 1

    def count(self):
        self.add()
        return self.n


class Cached:
    def __init__(self):
        self.n = 0

    @cached_property
    def first(self):
        return self.n

    def count(self):
        self.n += 1
        return self.n - self.first


class KeptFirst:
    def __init__(self):
        self.n = 0
        self.first = 1

    def count(self):
        self.n += 1
        return self.n - self.first


class Slots:
    __slots__ = ("n",)

    def __init__(self):
        self.n = 0

    def count(self):
        self.n += 1
        return self.n


class StartsAsNone:
    def __init__(self):
        self.total = None

    def count(self):
        old = 0 if self.total is None else self.total
        self.total = old + 1
        return self.total


class StartsAsNumber:
    def __init__(self):
        self.total = 0

    def count(self):
        self.total += 1
        return self.total


class GrowingList:
    def __init__(self):
        self.seen = []

    def count(self):
        self.seen.append(1)
        return len(self.seen)


class FixedArray:
    def __init__(self):
        self.seen = jnp.zeros(8, int)
        self.n = 0

    def count(self):
        self.seen = self.seen.at[self.n].set(1)
        self.n += 1
        return self.seen.sum()


class BranchesOnState:
    def __init__(self):
        self.n = 0

    def count(self):
        if self.n < 2:
            self.n += 1
        return self.n


class SelectsOnState:
    n: int | jax.Array

    def __init__(self):
        self.n = 0

    def count(self):
        self.n = jnp.where(
            self.n < 2, self.n + 1, self.n)
        return self.n


@dataclass(frozen=True)
class Refusal:
    """A class that is refused, and the same class mended.

    Attributes:
      name: what it is, in words.
      attribute: what the error names.
      refused: makes a fresh object of the refused class, and gives its method.
      mended: makes a fresh object of the mended class, and gives its method.
      shown: the two things whose source is of interest.
    """

    name: str
    attribute: str
    refused: Callable[[], Callable]
    mended: Callable[[], Callable]
    shown: tuple[Any, Any]


def _refusal(name: str, attribute: str, refused: type, mended: type, method: str = "count") -> Refusal:
    return Refusal(
        name, attribute, lambda: getattr(refused(), method), lambda: getattr(mended(), method), (refused, mended)
    )


REFUSALS = (
    _refusal("an attribute made on the first call", "self.n", MadeLater, MadeFirst),
    _refusal("a list that two attributes share", "self.view", SharedList, OneList),
    _refusal("another object that changes", "self.counter.n", Nested, Flat),
    _refusal("text that changes", "self.mode", TextWritten, NumberWritten),
    Refusal(
        "an attribute of the class", "OnClass.n", written_on_class,
        lambda: MadeFirst().count, (written_on_class, MadeFirst),
    ),
    _refusal("an iterator", "self.values", OwnIterator, OwnIndex),
    _refusal("a random generator", "self.rng", NumPyGenerator, OwnKey, "draw"),
    _refusal("a function that holds self", "self.add", HoldsSelf, CallsMethod),
    _refusal("a cached property", "self.first", Cached, KeptFirst),
    _refusal("slots", "self.n", Slots, MadeFirst),
    _refusal("None that becomes a number", "self.total", StartsAsNone, StartsAsNumber),
    _refusal("a list that grows", "self.seen", GrowingList, FixedArray),
    _refusal("a Python if on the state", "self.n", BranchesOnState, SelectsOnState),
)


@dataclass(frozen=True)
class Outcome:
    """Three calls of a class that is refused.

    Attributes:
      eager: what the method gives.
      without_guard: what the jitted pure function gives when nothing is checked,
        or the exception it raises.
      error: the refusal.
      mended: what the mended class gives through `functionalize` and `jit`.
    """

    eager: list[Any]
    without_guard: list[Any] | Exception
    error: CannotFunctionalize
    mended: list[Any]


def outcome(refusal: Refusal, calls: int = 3) -> Outcome:
    """Run a refused class: eagerly, through the function without its guard, with it, and mended."""
    eager = refusal.refused()
    try:
        without: list[Any] | Exception = _jitted(unguarded, refusal.refused(), calls)
    except Exception as raised:
        without = raised
    try:
        _jitted(functionalize, refusal.refused(), calls)
    except CannotFunctionalize as raised:
        error = raised
    else:
        raise AssertionError(f"{refusal.name} was not refused")
    return Outcome(
        [_number(eager()) for _ in range(calls)], without, error, _jitted(functionalize, refusal.mended(), calls)
    )


def _jitted(make_pure: Callable, method: Callable, calls: int) -> list[Any]:
    pure, state = make_pure(method)
    step = jax.jit(pure)
    values = []
    for _ in range(calls):
        value, state = step(state)
        values.append(_number(value))
    return values


def _number(value: Any) -> Any:
    return np.asarray(value).item()
