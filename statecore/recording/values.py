"""Values as plain data: what a call gave, without the live objects that it gave."""

import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

MOST = 64
"""The numbers of an array are kept up to so many; of a larger one, a digest that tells it from another."""

_ADDRESS = re.compile(r" at 0x[0-9a-f]+")

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
    """A typed random key, such as `key<fry>[]`, and the whole numbers in it."""

    type: str
    data: tuple[int, ...]


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
    """A container with its parts by name: the fields of a NamedTuple, the keys of a dict, the places of a list."""

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
    """A value as plain data, immutable and detached from what it was."""
    if value is None or isinstance(value, str) and type(value) is str:
        return value
    if type(value) in (bool, int):
        return value
    if type(value) is float:
        return Float(real(value))
    if type(value) is complex:
        return Complex(real(value.real), real(value.imag))
    if isinstance(value, jax.core.Tracer):
        return Tracer(str(jax.typeof(value)))
    if isinstance(value, jax.Ref):
        return Ref(plain(value[...]))
    if isinstance(value, jax.Array | np.ndarray | np.generic):
        return _array(value)
    if isinstance(value, Exception):
        return Raised(type(value).__name__, str(value).strip())
    parts = _parts(value)
    if parts is not None:
        return Tree(type(value).__name__, tuple((name, plain(part)) for name, part in parts))
    return Thing(type(value).__name__, _ADDRESS.sub("", repr(value)))


def real(value: float) -> Real:
    """A float as it is when it is finite, else as text."""
    return float(value) if math.isfinite(value) else str(float(value))


def _array(value: Any) -> Plain:
    if isinstance(value, jax.Array) and value.is_deleted():
        return Thing("Array", f"{jax.typeof(value)}, deleted")
    if jax.dtypes.issubdtype(value.dtype, jax.dtypes.prng_key):
        return Key(str(jax.typeof(value)), tuple(np.asarray(jax.random.key_data(value)).ravel().tolist()))
    array = np.asarray(value)
    kind = str(jax.typeof(value)) if isinstance(value, jax.Array) else f"{array.dtype}[{','.join(map(str, array.shape))}]"
    if array.size > MOST or array.dtype.kind not in "biufcV":
        return Array(kind, digest=hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:16])
    return Array(kind, tuple(_numbers(array)))


def _numbers(array: np.ndarray):
    for number in array.ravel():
        if array.dtype.kind in "bui":
            yield number.item()
        elif array.dtype.kind == "c":
            yield from (real(number.real), real(number.imag))
        else:  # bfloat16 and the like are of a kind of their own to NumPy
            yield real(float(number))


def _parts(value: Any) -> list[tuple[str, Any]] | None:
    """The parts of a container by name, or None for what is no container."""
    if isinstance(value, Mapping):
        return [(key if isinstance(key, str) else repr(key), part) for key, part in value.items()]
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return list(zip(value._fields, value, strict=True))
    if isinstance(value, list | tuple):
        return [(str(place), part) for place, part in enumerate(value)]
    if not isinstance(value, type) and not jax.tree_util.all_leaves([value]):
        children, _ = jax.tree_util.tree_flatten_with_path(value, is_leaf=lambda part: part is not value)
        return [(jax.tree_util.keystr(path).lstrip("."), part) for path, part in children]
    return None
