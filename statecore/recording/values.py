"""Values as plain data: what a call gave, without the live objects that it gave."""

import hashlib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import jax
import numpy as np

from statecore.recording.texts import LONGEST, readable, said, written

MOST = 64
"""The numbers of an array are kept up to so many; of a larger one, a digest that tells it from another."""

DEEPEST = 24
"""Containers inside one another are followed so far."""

PARTS = 2000
"""Of one value so many parts are read; of what is left, how much it is."""

_BITS = 2048  # of the whole numbers that are kept: Python writes and reads so many under any setting
Real = float | str
"""A float that is finite, or `nan`, `inf`, `-inf` as text: equal when it is the same, and JSON has it."""


@dataclass(frozen=True)
class Float:
    """A Python float."""

    value: Real


@dataclass(frozen=True)
class Complex:
    """A Python complex number."""

    real: Real
    imag: Real


@dataclass(frozen=True)
class Array:
    """An array of JAX or NumPy.

    Attributes:
      type: its type as JAX writes it, such as `float32[3]`, or `~int32[]` where it is weak.
      data: its numbers in row-major order, complex ones as two numbers each; empty when
        there are more than `MOST`.
      digest: tells a larger array from another one; empty where `data` has it all.
    """

    type: str
    data: tuple[bool | int | Real, ...] = ()
    digest: str = ""


@dataclass(frozen=True)
class Key:
    """A typed random key, such as `key<fry>[]`, or an array of keys.

    Attributes:
      type: as JAX writes it.
      data: the whole numbers in it; empty when there are more than `MOST`.
      digest: tells more keys than that from others; empty where `data` has it all.
    """

    type: str
    data: tuple[int, ...] = ()
    digest: str = ""


@dataclass(frozen=True)
class Tracer:
    """A stand-in for a value while JAX traces, by the type that it stands for."""

    type: str


@dataclass(frozen=True)
class Ref:
    """A mutable array of JAX, by what it holds."""

    value: "Plain"


@dataclass(frozen=True)
class Tree:
    """A container with its parts by name.

    The fields of a NamedTuple and of a dataclass, the keys of a dict (`[1]` for a key that is
    no text), the places of a list or a tuple, and of a set, whose parts are sorted.
    """

    type: str
    parts: tuple[tuple[str, "Plain"], ...]


@dataclass(frozen=True)
class Raised:
    """An exception, by its type and the sentences that help."""

    type: str
    message: str


@dataclass(frozen=True)
class Thing:
    """Anything else, by its type and how it is written."""

    type: str
    text: str


Plain = None | bool | int | str | Float | Complex | Array | Key | Tracer | Ref | Tree | Raised | Thing


def plain(value: Any) -> Plain:
    """A value as plain data, immutable and detached from what it was. It never raises.

    What cannot be read becomes a `Thing` that says so. What is not data of its own loses what
    is this machine's alone: addresses in memory and paths, in text as well.
    """
    kind = type(value)
    if value is None or kind is bool or (kind is int and value.bit_length() <= _BITS):
        return value
    if kind is str and len(value) <= LONGEST and value.isascii() and "/" not in value and "0x" not in value:
        return value
    return _Reader().read(value)


def real(value: float) -> Real:
    """A float as it is when it is finite, else as text."""
    return float(value) if math.isfinite(value) else str(float(value))


class _Reader:
    """Reads one value, part by part; it knows where it is and how much it has read."""

    def __init__(self) -> None:
        self.inside: set[int] = set()
        self.left = PARTS

    def read(self, value: Any) -> Plain:
        self.left -= 1
        if id(value) in self.inside:
            return Thing(type(value).__name__, "it holds itself")
        if len(self.inside) >= DEEPEST:
            return Thing(type(value).__name__, f"it is more than {DEEPEST} containers deep")
        self.inside.add(id(value))
        try:
            return self.known(value)
        except Exception as error:  # whatever an object does when it is looked at
            return Thing(type(value).__name__, f"it cannot be read: {type(error).__name__}")
        finally:
            self.inside.discard(id(value))

    def known(self, value: Any) -> Plain:
        if value is None or type(value) is bool:
            return value
        if type(value) in _NUMBERS:
            return _NUMBERS[type(value)](value)
        if type(value) is str:
            return _text(value)
        if isinstance(value, jax.core.Tracer):
            return Tracer(str(jax.typeof(value)))
        if isinstance(value, jax.Ref):
            return Ref(self.read(value[...]))
        if isinstance(value, jax.Array | np.ndarray | np.generic):
            return _array(value)
        if isinstance(value, BaseException):
            return Raised(type(value).__name__, said(value))
        parts = _parts(value)
        return Thing(type(value).__name__, written(value)) if parts is None else self.tree(value, parts)

    def tree(self, value: Any, parts: Iterable[tuple[str, Any]]) -> Tree:
        """The parts of a container, as far as they are read."""
        found: list[tuple[str, Plain]] = []
        for name, part in parts:
            if self.left <= 0:
                found.append(
                    ("…", Thing("more", f"{len(value) - len(found)} more" if hasattr(value, "__len__") else "more"))
                )
                break
            found.append((name, self.read(part)))
        if isinstance(value, set | frozenset):
            ordered = sorted((part for _, part in found), key=repr)
            found = [(str(place), part) for place, part in enumerate(ordered)]
        return Tree(type(value).__name__, tuple(found))


def _whole(value: int) -> Plain:
    if value.bit_length() <= _BITS:
        return value
    digest = hashlib.sha256(hex(value).encode()).hexdigest()[:16]
    return Thing("int", f"a whole number of {value.bit_length()} bits, digest {digest}")


def _text(value: str) -> Plain:
    """A text, or how it is written where JSON has no such text: halves of characters."""
    if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
        return Thing("str", written(value))
    return readable(value)


_NUMBERS = {
    int: _whole,
    float: lambda value: Float(real(value)),
    complex: lambda value: Complex(real(value.real), real(value.imag)),
}


def _array(value: Any) -> Plain:
    kind = str(jax.typeof(value)) if isinstance(value, jax.Array) else ""
    if isinstance(value, jax.Array) and value.is_deleted():
        return Thing("Array", f"{kind}, deleted")
    if isinstance(value, jax.Array) and jax.dtypes.issubdtype(value.dtype, jax.dtypes.prng_key):
        return _data(Key, kind, np.asarray(jax.random.key_data(value)))
    array = np.asarray(value)
    kind = kind or f"{array.dtype}[{','.join(map(str, array.shape))}]"
    return _data(Array, kind, array) if _is_numeric(array.dtype) else Thing(kind, written(array.tolist()))


def _data(kind: Callable[..., Array | Key], name: str, array: np.ndarray) -> Array | Key:
    if array.size > MOST:
        return kind(name, digest=hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:16])
    return kind(name, tuple(_numbers(array)))


def _is_numeric(dtype: np.dtype) -> bool:
    """True for numbers that a Python number holds exactly; bfloat16 is of a kind of its own to NumPy."""
    if dtype.kind in "fc":
        return dtype.itemsize <= (8 if dtype.kind == "f" else 16)
    return dtype.kind in "bui" or (dtype.kind == "V" and dtype.type is not np.void)


def _numbers(array: np.ndarray) -> Iterator[bool | int | Real]:
    whole = array.dtype.kind in "bui" or jax.dtypes.issubdtype(array.dtype, np.integer)  # int4 is one too
    for number in array.ravel().tolist() if array.dtype.kind in "buifc" else array.ravel():
        if whole:
            yield number if type(number) is bool else int(number)
        elif array.dtype.kind == "c":
            yield from (real(number.real), real(number.imag))
        else:
            yield real(float(number))


def _parts(value: Any) -> Iterable[tuple[str, Any]] | None:
    """The parts of a container by name, or None for what is no container."""
    if isinstance(value, Mapping):
        return ((_key(key), part) for key, part in value.items())
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return zip(value._fields, value, strict=True)
    if isinstance(value, list | tuple | set | frozenset):
        return ((str(place), part) for place, part in enumerate(value))
    if isinstance(value, type):
        return None
    if is_dataclass(value):
        return [(field.name, getattr(value, field.name)) for field in fields(value) if hasattr(value, field.name)]
    if not jax.tree_util.all_leaves([value]):
        children, _ = jax.tree_util.tree_flatten_with_path(value, is_leaf=lambda part: part is not value)
        return [(readable(jax.tree_util.keystr(path).lstrip(".")), part) for path, part in children]
    return None


def _key(key: Any) -> str:
    return readable(key) if type(key) is str else f"[{written(key)}]"
