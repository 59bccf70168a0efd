"""The mutable places of a caller's world: what was in each, and how it is put back."""

import contextlib
import threading
from abc import ABC, abstractmethod
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from statecore.checker.comparing import slots

ABSENT: Any = type("Absent", (), {"__repr__": lambda self: "nothing"})()

Same = Callable[[Any, Any], bool]
"""Whether what is in a place now is what was there: a stand-in counts as what it stands for."""


class Place(ABC):
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

    @abstractmethod
    def read(self) -> Any:
        """What is in it now."""

    @abstractmethod
    def write(self, content: Any) -> None:
        """Put `content`, which was read before, back into it."""

    @abstractmethod
    def moved(self) -> bool:
        """Whether anything in it is another thing than before, equal or not."""

    @abstractmethod
    def changes(self, same: Same) -> Iterator[tuple[str, Any, Any]]:
        """What changed, as (path, before, after); `ABSENT` stands for what is not there."""

    def put_back(self) -> None:
        if self.moved():
            self.write(self.saved)


class Keyed(Place):
    """Things by name: a dictionary, attributes, globals, the slots of an object, a cell."""

    def entry(self, key: Any) -> str:
        """What a reader calls the thing of that name."""
        return f"{self.path}.{key}"

    @abstractmethod
    def put(self, key: Any, value: Any) -> None:
        ...

    @abstractmethod
    def remove(self, key: Any) -> None:
        ...

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
            was, is_now = self.saved.get(key, ABSENT), now.get(key, ABSENT)
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

    def remove(self, key: Any) -> None:
        self.kind.__delitem__(self.owner, key)

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
        if vars(self.owner).get(key, ABSENT) is not value:
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


def is_absent(value: Any) -> bool:
    return value is ABSENT
