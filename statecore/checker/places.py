"""The mutable places of a caller's world: what was in each, and how it is put back."""

import contextlib
import contextvars
import random
import threading
import types
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jax
import numpy as np

from statecore.checker.comparing import alike, slots

_ABSENT: Any = type("Absent", (), {"__repr__": lambda self: "nothing"})()

Same = Callable[[Any, Any], bool]
"""Whether what is in a place now is what was there: a stand-in counts as what it stands for."""


class Place:
    """One mutable thing, called `path`, and what was in it when it was met.

    Attributes:
      path: what a reader calls it.
      owner: the thing itself, which is kept alive.
      saved: what was in it.
      given: True for what came in as an argument.
      of_library: True for what a library's function has captured, and what a library's object holds.
    """

    given = False
    of_library = False

    def __init__(self, path: str, owner: Any) -> None:
        self.path, self.owner = path, owner
        self.saved = self.read()

    def read(self) -> Any:
        """What is in it now."""
        raise NotImplementedError

    def write(self, content: Any) -> None:
        """Put `content`, which was read before, back into it."""
        raise NotImplementedError

    def moved(self) -> bool:
        """Whether anything in it is another thing than before, equal or not."""
        raise NotImplementedError

    def changes(self, same: Same) -> Iterator[tuple[str, Any, Any]]:
        """What changed, as (path, before, after); `_ABSENT` stands for what is not there."""
        raise NotImplementedError

    def put_back(self) -> None:
        if self.moved():
            self.write(self.saved)


class Keyed(Place):
    """Things by name: a dictionary, attributes, globals, the slots of an object, a cell."""

    def entry(self, key: Any) -> str:
        """What a reader calls the thing of that name."""
        return f"{self.path}.{key}"

    def put(self, key: Any, value: Any) -> None:
        raise NotImplementedError

    def remove(self, key: Any) -> None:
        raise NotImplementedError

    def moved(self) -> bool:
        now = self.read()
        return now.keys() != self.saved.keys() or any(now[key] is not was for key, was in self.saved.items())

    def write(self, content: Mapping) -> None:
        for key in self.read().keys() - content.keys():
            self.remove(key)
        for key, value in content.items():
            self.put(key, value)

    def changes(self, same: Same) -> Iterator[tuple[str, Any, Any]]:
        now = self.read()
        for key in dict.fromkeys((*self.saved, *now)):
            was, is_now = self.saved.get(key, _ABSENT), now.get(key, _ABSENT)
            if not same(was, is_now):
                yield self.entry(key), was, is_now


class Entries(Keyed):
    """A dictionary; the methods of its own class, which may do more, are not called."""

    @property
    def kind(self) -> Any:
        return OrderedDict if isinstance(self.owner, OrderedDict) else dict

    def read(self) -> dict:
        return dict(self.kind.items(self.owner))

    def entry(self, key: Any) -> str:
        return f"{self.path}[{key!r}]"

    def put(self, key: Any, value: Any) -> None:
        self.kind.__setitem__(self.owner, key, value)

    def write(self, content: Mapping) -> None:
        self.kind.clear(self.owner)
        self.kind.update(self.owner, content)

    def changes(self, same: Same) -> Iterator[tuple[str, Any, Any]]:
        now = self.read()
        if now.keys() != self.saved.keys():
            yield self.path, self.saved, now
        else:
            yield from super().changes(same)


class Attributes(Entries):
    """The `__dict__` of an object or of a function."""

    def __init__(self, path: str, owner: Any) -> None:
        # every thread has attributes of its own there
        local = isinstance(owner, threading.local)
        super().__init__(path, owner.__dict__ if local else object.__getattribute__(owner, "__dict__"))
        self.holder = owner

    def entry(self, key: Any) -> str:
        return f"{self.path}.{key}"

    def changes(self, same: Same) -> Iterator[tuple[str, Any, Any]]:
        return Keyed.changes(self, same)


class Names(Keyed):
    """The globals, or the attributes of a module, that some code names."""

    def __init__(self, path: str, owner: dict[str, Any], names: frozenset[str]) -> None:
        self.names = names
        super().__init__(path, owner)

    def read(self) -> dict[str, Any]:
        return {name: self.owner[name] for name in self.names if name in self.owner}

    def entry(self, key: Any) -> str:
        return f"{self.path}.{key}" if self.path else key

    def put(self, key: Any, value: Any) -> None:
        self.owner[key] = value

    def remove(self, key: Any) -> None:
        del self.owner[key]


class ClassAttributes(Keyed):
    """What a class holds, its special names apart."""

    def read(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self.owner).items() if not _special(name)}

    def put(self, key: Any, value: Any) -> None:
        if vars(self.owner).get(key, _ABSENT) is not value:
            type.__setattr__(self.owner, key, value)

    def remove(self, key: Any) -> None:
        type.__delattr__(self.owner, key)


def _special(name: str) -> bool:
    return name.startswith("__") or name == "_abc_impl"


class Slots(Keyed):
    """What an object holds in its slots."""

    def read(self) -> dict[str, Any]:
        held = {}
        for name, slot in slots(type(self.owner)).items():
            with contextlib.suppress(AttributeError):
                held[name] = slot.__get__(self.owner)
        return held

    def put(self, key: Any, value: Any) -> None:
        slots(type(self.owner))[key].__set__(self.owner, value)

    def remove(self, key: Any) -> None:
        slots(type(self.owner))[key].__delete__(self.owner)


class Cell(Keyed):
    """A captured variable."""

    def read(self) -> dict[str, Any]:
        try:
            return {self.path: self.owner.cell_contents}
        except ValueError:  # not assigned yet
            return {}

    def entry(self, key: Any) -> str:
        return self.path

    def put(self, key: Any, value: Any) -> None:
        self.owner.cell_contents = value

    def remove(self, key: Any) -> None:
        del self.owner.cell_contents


class Items(Place):
    """A list or a deque."""

    def read(self) -> list:
        return list(self.owner)

    def write(self, content: Any) -> None:
        kind: Any = deque if isinstance(self.owner, deque) else list
        kind.clear(self.owner)
        kind.extend(self.owner, content)

    def moved(self) -> bool:
        now = self.read()
        return len(now) != len(self.saved) or any(one is not other for one, other in zip(now, self.saved, strict=True))

    def changes(self, same: Same) -> Iterator[tuple[str, Any, Any]]:
        if self.moved():
            now = self.read()
            if len(now) != len(self.saved) or not all(map(same, self.saved, now)):
                yield self.path, self.saved, now


class Members(Place):
    """A set."""

    def read(self) -> frozenset:
        return frozenset(self.owner)

    def write(self, content: Any) -> None:
        set.clear(self.owner)
        set.update(self.owner, content)

    def moved(self) -> bool:
        return self.read() != self.saved

    def changes(self, same: Same) -> Iterator[tuple[str, Any, Any]]:
        if self.moved():
            yield self.path, set(self.saved), set(self.read())


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
            yield self.path, *((self.saved, now) if shown else (_ABSENT, _ABSENT))


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
        return _ABSENT


def _variable_back(variable: contextvars.ContextVar, saved: Any) -> None:
    if saved is not _ABSENT:
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


def is_absent(value: Any) -> bool:
    return value is _ABSENT


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
