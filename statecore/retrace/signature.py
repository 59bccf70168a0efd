"""What came in when a function was traced: a type or a static value for every path of its arguments."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from types import FrameType
from typing import Any

import jax
import numpy as np


@dataclass(frozen=True)
class Type:
    """The type that `jit` keeps of an array or a number.

    Attributes:
      shape: its shape.
      dtype: the name of its dtype.
      weak: True for a Python number, and for what was computed from Python numbers alone.
      sharding: how it is laid out over devices, as text; empty where it lies on one device.
    """

    shape: tuple[int, ...]
    dtype: str
    weak: bool
    sharding: str

    def __str__(self) -> str:
        sizes = ",".join(str(size) for size in self.shape)
        over = f" laid out as {self.sharding}" if self.sharding else ""
        return f"{'weakly typed ' if self.weak else ''}{self.dtype}[{sizes}]{over}"


@dataclass(frozen=True, eq=False)
class Static:
    """A value that is no array: `jit` compares it by hash and `==`."""

    value: Any

    def same(self, other: "Static") -> bool:
        """True when `jit` would find `other` in its cache under this value."""
        if self.value is other.value:
            return True
        return type(self.value) is type(other.value) and bool(self.value == other.value)

    def by_identity(self) -> bool:
        """True when the value's class compares by identity, so that a new object is never equal to an old one."""
        return type(self.value).__eq__ is object.__eq__

    def __str__(self) -> str:
        text = repr(self.value)
        return text if len(text) <= 80 else f"{text[:79]}…"


@dataclass(frozen=True)
class Argument:
    """One argument: its leaves by path (`params['w']`), and the structure that holds them."""

    leaves: Mapping[str, Type | Static]
    structure: Any


Signature = Mapping[str, Argument]
"""The arguments of one trace, by name."""


def of_frame(frame: FrameType) -> Signature:
    """The arguments with which the frame's function was called; while `jit` traces, arrays are tracers."""
    names = inspect.getargvalues(frame)
    found = {name: argument(name, names.locals[name]) for name in names.args if name in names.locals}
    if names.varargs:
        rest = names.locals.get(names.varargs, ())
        found |= {f"{names.varargs}[{at}]": argument(f"{names.varargs}[{at}]", one) for at, one in enumerate(rest)}
    if names.keywords:
        found |= {key: argument(key, one) for key, one in names.locals.get(names.keywords, {}).items()}
    return found


def argument(name: str, value: Any) -> Argument:
    """The leaves of one argument by path; None counts as a leaf, so that None becoming an array has a path."""
    leaves, structure = jax.tree_util.tree_flatten_with_path(value, is_leaf=lambda node: node is None)
    return Argument({name + _path(path): leaf(one) for path, one in leaves}, structure)


def leaf(value: Any) -> Type | Static:
    """The type of an array or tracer, or the static value."""
    if not isinstance(value, jax.Array | np.ndarray | np.generic):
        return Static(value)
    found: Any = jax.typeof(value)
    return Type(tuple(found.shape), str(found.dtype), bool(getattr(found, "weak_type", False)), _sharding(found))


def _sharding(found: Any) -> str:
    sharding: Any = getattr(found, "sharding", None)
    mesh = getattr(sharding, "mesh", None)
    if mesh is None or mesh.empty:
        return ""
    axes = ", ".join(f"{name}: {size}" for name, size in mesh.shape.items())
    return f"{sharding.spec} on the mesh ({axes})"


def _path(path: tuple) -> str:
    return jax.tree_util.keystr(path)
