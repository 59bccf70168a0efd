"""Everything that a value reaches, and whether it has changed."""

import functools
import pickle
import types
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

_PLAIN = (str, bytes, int, float, complex, type(None), type, types.ModuleType, np.generic, jax.Array)
"""What is compared as it is, and reaches nothing."""


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


def reach(value: Any, path: str = "self", seen: set[int] | None = None) -> Iterator[tuple[str, Any]]:
    """Everything `value` reaches, with its path; what is reached twice is given twice, and entered once."""
    seen = set() if seen is None else seen
    yield path, value
    if isinstance(value, _PLAIN) or id(value) in seen:
        return
    seen.add(id(value))
    for step, part in _parts(value):
        yield from reach(part, path + step, seen)


def attributes_of(value: Any) -> dict[str, Any]:
    """What an object holds in its `__dict__` and in all its `__slots__`."""
    found = {}
    for base in type(value).__mro__:
        slots = vars(base).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            hidden = f"_{base.__name__.lstrip('_')}{name}" if name.startswith("__") and name[-2:] != "__" else name
            if name not in ("__dict__", "__weakref__") and hasattr(value, hidden):
                found[hidden] = getattr(value, hidden)
    held = getattr(value, "__dict__", {})
    return found | (dict(held) if isinstance(held, Mapping) else {})


def _frozen(value: Any) -> Any:
    """What to compare later: a copy of what changes in place, the object itself otherwise."""
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, list | tuple | dict | set | frozenset | deque):
        return type(value), len(value), frozenset(map(repr, value)) if isinstance(value, set) else None
    return _Opaque(value) if _is_opaque(value) else value


class _Opaque:
    """An object whose inside only pickling shows, such as a bytearray."""

    def __init__(self, value: Any) -> None:
        self.value = value
        try:
            self.inside = pickle.dumps(value)
        except Exception:
            self.inside = b""


def _is_opaque(value: Any) -> bool:
    if isinstance(value, _PLAIN) or callable(value) or attributes_of(value):
        return False
    return type(value).__module__.partition(".")[0] not in ("jax", "jaxlib")


def _same(before: Any, after: Any) -> bool:
    if isinstance(before, np.ndarray) and isinstance(after, np.ndarray):
        return before.dtype == after.dtype and np.array_equal(before, after, equal_nan=before.dtype.kind in "fc")
    if isinstance(before, _Opaque) and isinstance(after, _Opaque):
        return before.value is after.value and before.inside == after.inside
    if isinstance(before, str | int | float | complex | tuple | bytes) and type(before) is type(after):
        return bool(before == after) or before != before
    return before is after


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    """What a container, an object, a closure or a bound method holds."""
    if isinstance(value, dict | types.MappingProxyType):
        yield from ((f"[{key!r}]", part) for key, part in value.items())
    elif isinstance(value, tuple) and hasattr(value, "_fields"):
        yield from ((f".{name}", part) for name, part in zip(value._fields, value, strict=True))
    elif isinstance(value, list | tuple | deque):
        yield from ((f"[{index}]", part) for index, part in enumerate(value))
    elif isinstance(value, set | frozenset):
        yield from ((f" (element {part!r})", part) for part in value)
    elif isinstance(value, types.MethodType):
        yield " (bound to)", value.__self__
        yield " (method)", value.__func__
    elif isinstance(value, functools.partial):
        yield from ((" (argument)", part) for part in (value.func, *value.args, *value.keywords.values()))
    if isinstance(value, types.FunctionType):
        yield from _closure(value)
    elif not isinstance(value, np.ndarray):
        yield from _of_object(value)


def _of_object(value: Any) -> Iterator[tuple[str, Any]]:
    if callable(wrapped := getattr(value, "__wrapped__", None)):
        yield " (wrapped)", wrapped
    if type(value).__module__.partition(".")[0] not in ("jax", "jaxlib", "numpy"):
        yield from ((f".{name}", part) for name, part in attributes_of(value).items())
    elif not callable(value):
        children = jax.tree.leaves(value, is_leaf=lambda part: part is not value)
        yield from ((f" (part {index})", part) for index, part in enumerate(children) if part is not value)


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
