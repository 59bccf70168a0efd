"""Looking at values without running any code of theirs, and without holding what must not be held."""

from collections.abc import Iterator, Mapping
from itertools import islice
from types import FrameType, GetSetDescriptorType, ModuleType
from typing import Any

import jax
import numpy as np

MISSING = object()
"""What stands for a value that cannot be seen."""

_NUMBERS = (bool, int, float, complex, np.generic, np.ndarray, jax.Array, jax.core.Tracer)
_MOST_LEAVES = 200
_DEEPEST = 8
_COPIED = 10_000  # elements: a larger array is looked at as it is later
_FIELDS = ("member_descriptor", "_tuplegetter")  # a slot, a field of a NamedTuple


def lookup(name: str, frame: FrameType) -> Any:
    """The value of a dotted name in a frame; `MISSING` where it could only be had by running Python.

    A property or a `__getattr__` would run Python, and looking must not change what is looked at.
    """
    first, *attributes = name.split(".")
    value = frame.f_locals.get(first, frame.f_globals.get(first, MISSING))
    for attribute in attributes:
        if value is MISSING:
            break
        value = _attribute(value, attribute)
    return value


def _attribute(value: Any, name: str) -> Any:
    """What `value.name` is by Python's rules, where these run no code."""
    kind = type(value)
    if issubclass(kind, type):
        found = _in_classes(value, name)
        return MISSING if hasattr(type(found), "__get__") else found
    if issubclass(kind, ModuleType) and kind.__getattribute__ is ModuleType.__getattribute__:
        return ModuleType.__getattribute__(value, "__dict__").get(name, MISSING)
    if kind.__getattribute__ not in (object.__getattribute__, tuple.__getattribute__):
        return MISSING
    found = _in_classes(kind, name)
    if type(found).__name__ in _FIELDS:
        return _field(found, value)
    if hasattr(type(found), "__set__"):
        return MISSING
    mine = attributes_of(value)
    if name in mine:
        return mine[name]
    return MISSING if hasattr(type(found), "__get__") else found


def _field(found: Any, value: Any) -> Any:
    try:
        return found.__get__(value, type(value))
    except AttributeError:
        return MISSING


def _in_classes(kind: type, name: str) -> Any:
    return next((vars(each)[name] for each in type.mro(kind) if name in vars(each)), MISSING)


def attributes_of(value: Any) -> Mapping[str, Any]:
    """The attributes in an object's own `__dict__`; empty where it has none, or has a strange one."""
    found = _in_classes(type(value), "__dict__")
    return found.__get__(value) if isinstance(found, GetSetDescriptorType) else {}


def is_number(value: Any) -> bool:
    """A number or an array of numbers, a tracer among them; by its type alone."""
    return issubclass(type(value), _NUMBERS)


def is_tracer(value: Any) -> bool:
    return issubclass(type(value), jax.core.Tracer)


def leaves(value: Any) -> Iterator[tuple[str, Any]]:
    """The numbers in a value by their path, such as `['w'][0]`: its own path is empty.

    Only lists, tuples and dicts are entered, to a depth and for a number of leaves that
    keep looking cheap, and keep it finite where a list contains itself.
    """
    return islice(_leaves(value, "", 0), _MOST_LEAVES)


def _leaves(value: Any, path: str, depth: int) -> Iterator[tuple[str, Any]]:
    kind = type(value)
    if issubclass(kind, _NUMBERS):
        yield path, value
    elif depth < _DEEPEST:
        for key, part in _parts(value, kind):
            yield from _leaves(part, path + key, depth + 1)


def _parts(value: Any, kind: type) -> Iterator[tuple[str, Any]]:
    if issubclass(kind, dict):
        yield from ((f"[{key!r}]", part) for key, part in list(dict.items(value)) if type(key) in (str, int))
    elif issubclass(kind, tuple) and hasattr(kind, "_fields"):
        yield from ((f".{name}", part) for name, part in zip(kind._fields, tuple.__iter__(value), strict=False))
    elif issubclass(kind, list | tuple):
        entries = list.__iter__(value) if issubclass(kind, list) else tuple.__iter__(value)
        yield from ((f"[{at}]", part) for at, part in enumerate(entries))


def at_rest(value: Any) -> Any:
    """A number as it is now: an array that could be written into is copied."""
    return value.copy() if type(value) is np.ndarray and value.size <= _COPIED else value
