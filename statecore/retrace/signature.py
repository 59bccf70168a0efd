"""What a function was given, as JAX looks it up: the type of every leaf, by its path."""

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import FrameType
from typing import Any

import jax
import numpy as np

_AXES = re.compile(r"@[^,\]]*")


@dataclass(frozen=True)
class Leaf:
    """One leaf of the arguments.

    Attributes:
      type: its type as JAX writes it, such as `float32[3]`; empty for what is no array.
      weak: True for a type that gives way to others, as that of a Python number.
      value: the value itself, where it is a Python value: it may have been static.
      sharding: the type with the axes of a mesh over which the array is split, such as `float32[4@data]`.
    """

    type: str
    weak: bool = False
    value: Any = None
    sharding: str = ""

    @property
    def shape(self) -> str:
        return self.type[self.type.index("[") :] if "[" in self.type else ""

    @property
    def dtype(self) -> str:
        return self.type.partition("[")[0].removeprefix("~")


@dataclass(frozen=True)
class Signature:
    """All arguments of a call: the structure of each one, and its leaves by path."""

    structures: Mapping[str, str]
    leaves: Mapping[str, Leaf]


def of_frame(frame: FrameType) -> Signature:
    """The arguments of a function whose frame has just begun; inside a trace they are tracers."""
    code = frame.f_code
    count = code.co_argcount + code.co_kwonlyargcount
    count += bool(code.co_flags & inspect.CO_VARARGS) + bool(code.co_flags & inspect.CO_VARKEYWORDS)
    return of({name: frame.f_locals[name] for name in code.co_varnames[:count] if name in frame.f_locals})


def of_call(function: Any, args: tuple, kwargs: Mapping[str, Any]) -> Signature:
    """The arguments of a call, by the names of the parameters."""
    bound = inspect.signature(function).bind(*args, **kwargs)
    bound.apply_defaults()
    return of(bound.arguments)


def of(arguments: Mapping[str, Any]) -> Signature:
    """The signature of named arguments."""
    structures, leaves = {}, {}
    for name, value in arguments.items():
        structures[name] = str(jax.tree.structure(value))
        for path, leaf in jax.tree_util.tree_leaves_with_path(value):
            leaves[name + jax.tree_util.keystr(path)] = _leaf(leaf)
    return Signature(structures, leaves)


def _leaf(value: Any) -> Leaf:
    static = value if not isinstance(value, jax.Array | np.ndarray) else None
    try:
        kind = jax.typeof(value)
    except TypeError:
        return Leaf("", value=static)
    text = str(kind)  # float32[4@data] is split over the axis `data` of a mesh
    plain = _AXES.sub("", text)
    return Leaf(plain, bool(getattr(kind, "weak_type", False)), static, text + _mesh(kind))


def _mesh(kind: Any) -> str:
    """The mesh of devices that a type belongs to; empty for an array that lies on one device."""
    mesh = getattr(getattr(kind, "sharding", None), "mesh", None)
    if mesh is None or mesh.empty:
        return ""
    return f" on a mesh of {' x '.join(f'{size} ({name})' for name, size in mesh.shape.items())}"
