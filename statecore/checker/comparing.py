"""Whether two values are equal, whatever they are made of; and a value in a few characters."""

import re
import types
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

import jax
import numpy as np

from statecore.checker.report import error_in_short

NUMBERS = (bool, int, float, complex, np.ndarray, np.generic, jax.Array)


def alike(one: Any, other: Any, rounding: float = 0.0, _met: frozenset = frozenset()) -> bool:
    """Equal values; objects are equal when their attributes are, and errors when their types are.

    Args:
      one, other: anything.
      rounding: how far floating-point numbers may lie apart, in units of the square
        root of their type's spacing and of the largest number beside them. 0 asks for the same numbers.
    """
    if one is other:
        return True
    pair = (id(one), id(other))
    if pair in _met:
        return True
    if isinstance(one, NUMBERS) and isinstance(other, NUMBERS):
        return _same_numbers(one, other, rounding)
    if type(one) is not type(other):
        return False
    if isinstance(one, Exception | types.FunctionType | type):
        return isinstance(one, Exception) or one is other or _same_function(one, other)
    met = _met | {pair}
    parts, others = dict(_parts(one)), dict(_parts(other))
    if not parts and not others:
        return _equal(one, other)
    return parts.keys() == others.keys() and all(alike(parts[k], others[k], rounding, met) for k in parts)


def same(one: Any, other: Any) -> bool:
    """Equal values, within the rounding by which a compiled program may differ; or like errors."""
    return alike(one, other, rounding=1.0)


def _same_function(one: Any, other: Any) -> bool:
    return getattr(one, "__code__", one) is getattr(other, "__code__", other)


def _equal(one: Any, other: Any) -> bool:
    """By `==` where the type has one; two opaque things of one type cannot be told apart."""
    if type(one).__eq__ is object.__eq__:
        return True
    try:
        return bool(one == other)
    except Exception:
        return True


def _parts(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, Mapping):
        yield from value.items()
    elif isinstance(value, list | tuple | deque):
        yield from enumerate(value)
    elif not isinstance(value, str | bytes | set | frozenset):
        yield from attributes(value).items()


def attributes(value: Any) -> dict[str, Any]:
    """The attributes that an object holds itself, its slots among them. Runs no code of the object."""
    try:
        held = dict(object.__getattribute__(value, "__dict__"))
    except Exception:
        held = {}
    for name, slot in slots(type(value)).items():
        try:
            held[name] = slot.__get__(value)
        except AttributeError:
            continue
    return held


def slots(kind: type) -> dict[str, Any]:
    """The slots of a class and of its bases, by name."""
    return {
        name: entry
        for base in reversed(kind.__mro__)
        if "__slots__" in vars(base)
        for name, entry in vars(base).items()
        if isinstance(entry, types.MemberDescriptorType)
    }


def is_key(value: Any) -> bool:
    """Whether it is a typed random key."""
    return isinstance(value, jax.Array) and jax.dtypes.issubdtype(value.dtype, jax.dtypes.prng_key)


def numbers(value: Any) -> np.ndarray:
    """The numbers of an array, or the bits of a random key."""
    return np.asarray(jax.random.key_data(value) if is_key(value) else value)


def _same_numbers(one: Any, other: Any, rounding: float) -> bool:
    if any(isinstance(each, jax.core.Tracer) for each in (one, other)):
        return False
    if isinstance(one, int) and isinstance(other, int):
        return one == other  # as large as they are
    try:
        one, other = numbers(one), numbers(other)
    except RuntimeError:  # an array that was given up by donation
        return True
    if one.shape != other.shape:
        return False
    if one.dtype.kind in "OSUM" or other.dtype.kind in "OSUM":
        return alike(one.ravel().tolist(), other.ravel().tolist(), rounding)
    return _close(one, other, rounding)


def _close(one: np.ndarray, other: np.ndarray, rounding: float) -> bool:
    nan = (one != one) & (other != other)
    same = (one == other) | nan
    if np.all(same):
        return True
    spacing = max(_spacing(one.dtype), _spacing(other.dtype))
    if not rounding or not spacing:
        return False
    wide = np.complex128 if "c" in one.dtype.kind + other.dtype.kind else np.float64
    one, other = np.where(nan, 0, one.astype(wide)), np.where(nan, 0, other.astype(wide))
    finite = np.isfinite(one) & np.isfinite(other)
    scale = max(np.max(np.abs(one[finite]), initial=0.0), np.max(np.abs(other[finite]), initial=0.0))
    apart = np.abs(np.where(finite, one - other, 0))
    return bool(np.all(same | (finite & (apart <= rounding * spacing**0.5 * scale))))


def _spacing(dtype: np.dtype) -> float:
    """The spacing of the type's numbers at 1, that of bfloat16 and its like too; 0 for whole numbers."""
    if not jax.dtypes.issubdtype(dtype, np.inexact):
        return 0.0
    return float(jax.numpy.finfo(dtype).eps)


def in_short(value: Any) -> str:
    """A value in a few characters; an exception by its type and first sentence."""
    if isinstance(value, Exception):
        return error_in_short(value)
    try:
        plain = _plain(value)
        text = f"{plain:.7g}" if isinstance(plain, float) else " ".join(str(plain).split())
    except Exception:  # an object whose own __str__ fails
        text = f"a {type(value).__name__}"
    text = re.sub(r" object at 0x[0-9a-f]+", "", text)
    return text if len(text) <= 60 else text[:57] + "..."


def _plain(value: Any) -> Any:
    """The value with its arrays as plain numbers, within lists, tuples and dictionaries too."""
    if type(value) in (list, tuple):
        return type(value)(map(_plain, value))
    if type(value) is dict:
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, jax.core.Tracer) or not isinstance(value, jax.Array | np.ndarray | np.generic):
        return value
    if isinstance(value, jax.Array) and value.is_deleted():
        return "an array that was given up"
    array = numbers(value)
    return array.tolist() if array.size <= _FEW else array


_FEW = 64
