"""What `functionalize` refuses, run as it is, without the guard, with it, and fixed.

Every builder makes new objects (and, where the class itself is written, a new class),
so that two visitors never meet.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from statecore.functional import CannotFunctionalize, functionalize, unguarded
from statecore.strategy.refused import (
    BranchesOnState,
    Cached,
    CallsMethod,
    FixedArray,
    Flat,
    GrowingList,
    HoldsSelf,
    KeptFirst,
    MadeFirst,
    MadeLater,
    Nested,
    NumberWritten,
    NumPyGenerator,
    OneList,
    OwnIndex,
    OwnIterator,
    OwnKey,
    SelectsOnState,
    SharedList,
    Slots,
    StartsAsNone,
    StartsAsNumber,
    TextWritten,
    written_on_class,
)


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
