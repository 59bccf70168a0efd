"""Things that hold a state of their own, read and written as a whole; and the places of any value."""

import contextlib
import contextvars
import random
import types
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np

from statecore.checker.comparing import alike, slots
from statecore.checker.places import ABSENT, Attributes, Entries, Items, Members, Place, Same, Slots


class Value(Place):
    """Something that holds a state which can be read and written as a whole: an array, a generator, a Ref."""

    def __init__(self, path: str, owner: Any, read: Callable[[Any], Any], write: Callable[[Any, Any], None]) -> None:
        self._read, self._write = read, write
        super().__init__(path, owner)

    def read(self) -> Any:
        return self._read(self.owner)

    def write(self, content: Any) -> None:
        self._write(self.owner, content)

    def moved(self) -> bool:
        return not _same_state(self.saved, self.read())

    def changes(self, same: Same) -> Iterator[tuple[str, Any, Any]]:
        now = self.read()
        if not _same_state(self.saved, now):
            shown = isinstance(now, np.ndarray | jax.Array | bytes | int | float | str)
            yield self.path, *((self.saved, now) if shown else (ABSENT, ABSENT))


def _same_state(one: Any, other: Any) -> bool:
    """Whether two states are the same; those of Python's own generators are tuples of numbers alone."""
    plain = type(one) is tuple and not any(isinstance(part, np.ndarray) for part in one)
    return one == other if plain else alike(one, other)


def _array_back(array: np.ndarray, saved: np.ndarray) -> None:
    array[...] = saved


def array(path: str, owner: np.ndarray) -> Value:
    return Value(path, owner, np.array, _array_back)


def _bytes_back(owner: bytearray, saved: bytes) -> None:
    owner[:] = saved


def _ref_back(ref: Any, saved: Any) -> None:
    ref[...] = saved


def _variable(variable: contextvars.ContextVar) -> Any:
    try:
        return variable.get()
    except LookupError:  # never set
        return ABSENT


def _variable_back(variable: contextvars.ContextVar, saved: Any) -> None:
    if saved is not ABSENT:
        variable.set(saved)


_VALUES: tuple[tuple[Any, Callable[[Any], Any], Callable[[Any, Any], None]], ...] = (
    (bytearray, bytes, _bytes_back),
    (contextvars.ContextVar, _variable, _variable_back),
    (jax.Ref, lambda ref: ref[...], _ref_back),
    (np.random.Generator, lambda rng: rng.bit_generator.state, lambda rng, s: setattr(rng.bit_generator, "state", s)),
    (np.random.BitGenerator, lambda bits: bits.state, lambda bits, state: setattr(bits, "state", state)),
    (np.random.RandomState, lambda rng: rng.get_state(), lambda rng, state: rng.set_state(state)),
    (random.Random, lambda rng: rng.getstate(), lambda rng, state: rng.setstate(state)),
)


def whole(path: str, value: Any) -> Value | None:
    """The place of a thing with a state of its own, such as a random generator; None for anything else."""
    for kind, read, write in _VALUES:
        if isinstance(value, kind) and not isinstance(value, random.SystemRandom):
            return Value(path, value, read, write)
    return None


def hidden_generators() -> list[Value]:
    """The generators behind `random.random()` and `np.random.normal()`."""
    return [
        Value("the generator of `random`", random, lambda module: module.getstate(), lambda m, s: m.setstate(s)),
        Value("the generator of `np.random`", np.random, lambda m: m.get_state(), lambda m, s: m.set_state(s)),
    ]


def places_of(path: str, value: Any) -> Iterator[Place]:
    """The places of one value itself, not of what is in it."""
    if isinstance(value, np.ndarray):
        if value.flags.writeable:
            yield array(path, value)
        return
    found = whole(path, value)
    if found is not None:
        yield found
    elif isinstance(value, dict):
        yield Entries(path, value)
    elif isinstance(value, list | deque):
        yield Items(path, value)
    elif isinstance(value, set):
        yield Members(path, value)
    if not isinstance(value, types.FunctionType) and slots(type(value)):
        yield Slots(path, value)
    with contextlib.suppress(AttributeError):
        yield Attributes(path, value)
