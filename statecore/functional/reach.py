"""Everything that a value reaches, and whether it has changed."""

import functools
import types
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np


@dataclass(frozen=True)
class Snapshot:
    """What some values reach, by path, as values that can be compared later."""

    names: tuple[str, ...]
    values: dict[str, Any]

    @classmethod
    def of(cls, named: dict[str, Any]) -> "Snapshot":
        """What the named values reach now; a name is the path that starts there."""
        walked = (item for path, value in named.items() for item in reach(value, path))
        return cls(tuple(named), {path: _frozen(value) for path, value in walked})

    def first_difference(self, other: "Snapshot") -> str | None:
        """The path of something that was changed, removed or added; None when all is the same."""
        for path, value in self.values.items():
            if path not in other.values or not _same(value, other.values[path]):
                return path
        return next((path for path in other.values if path not in self.values), None)


def _frozen(value: Any) -> Any:
    """What to compare later: a copy of what changes in place, the object itself otherwise."""
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, list | tuple | dict | set | frozenset | deque):
        return type(value), len(value), frozenset(map(repr, value)) if isinstance(value, set) else None
    return value


def _same(before: Any, after: Any) -> bool:
    if isinstance(before, np.ndarray) and isinstance(after, np.ndarray):
        return before.dtype == after.dtype and np.array_equal(before, after, equal_nan=before.dtype.kind in "fc")
    if isinstance(before, str | int | float | complex | tuple | bytes) and type(before) is type(after):
        return bool(before == after) or before != before
    return before is after


def containers(value: Any) -> Iterator[Any]:
    """The mutable containers in a pytree."""
    return (part for _, part in reach(value, "") if not isinstance(part, tuple) and any(True for _ in _parts(part)))


def reach(value: Any, path: str = "self", seen: set[int] | None = None) -> Iterator[tuple[str, Any]]:
    """Everything `value` reaches, with its path; what is reached twice is given twice, and entered once."""
    seen = set() if seen is None else seen
    yield path, value
    if id(value) in seen:
        return
    seen.add(id(value))
    for step, part in _parts(value):
        yield from reach(part, path + step, seen)


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    """What a container, an object, a closure or a bound method holds."""
    if isinstance(value, dict):
        yield from ((f"[{key!r}]", part) for key, part in value.items())
    elif isinstance(value, tuple) and hasattr(value, "_fields"):
        yield from ((f".{name}", part) for name, part in zip(value._fields, value, strict=True))
    elif isinstance(value, list | tuple | deque):
        yield from ((f"[{index}]", part) for index, part in enumerate(value))
    elif isinstance(value, types.MethodType):
        yield " (bound to)", value.__self__
        yield " (method)", value.__func__
    elif isinstance(value, functools.partial):
        yield from ((" (argument)", part) for part in (value.func, *value.args, *value.keywords.values()))
    elif isinstance(value, types.FunctionType):
        yield from _closure(value)
    elif not isinstance(value, type | types.ModuleType | np.ndarray | np.generic | jax.Array):
        if callable(wrapped := getattr(value, "__wrapped__", None)):
            yield " (wrapped)", wrapped
        if type(value).__module__.partition(".")[0] not in ("jax", "jaxlib", "numpy"):
            yield from ((f".{name}", part) for name, part in getattr(value, "__dict__", {}).items())


def _closure(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            yield f" (closes over {name})", cell.cell_contents
        except ValueError:  # the variable has no value yet
            continue
    yield from ((" (default)", part) for part in (function.__defaults__ or ()))
    yield from ((" (default)", part) for part in (function.__kwdefaults__ or {}).values())
    if callable(wrapped := getattr(function, "__wrapped__", None)):
        yield " (wrapped)", wrapped
