"""Containers and NumPy arrays that are held twice: as a pytree they would be two."""

import dataclasses
from collections.abc import Iterator, Mapping, MutableMapping
from itertools import combinations
from typing import Any

import jax
import numpy as np

from statecore.functional.reach import reach
from statecore.functional.refusing import CannotFunctionalize

_COPY = "Copy it where it is set, or keep it in one attribute."


def check_before(owner: Any, names: tuple[str, ...]) -> None:
    """Refuse a container or NumPy array of the state that the object holds twice."""
    _check_containers(owner, names)
    arrays = [
        (f"self.{name}", leaf)
        for name in names
        for leaf in jax.tree.leaves(vars(owner)[name])
        if isinstance(leaf, np.ndarray)
    ]
    for (first, one), (second, other) in combinations(arrays, 2):
        if np.may_share_memory(one, other):
            raise _refusal(second, "array", first)


def check_after(stand_in: Any, names: tuple[str, ...], originals: Mapping[str, Any]) -> None:
    """The same of what the method left; an array counts where NumPy could change it in place."""
    _check_containers(stand_in, names)
    found: dict[int, str] = {}
    for name in names:
        for leaf in jax.tree.leaves(vars(stand_in)[name]):
            if not isinstance(leaf, jax.Array):
                continue
            first = found.setdefault(id(leaf), name)
            if first != name and (_of_numpy(originals[first]) or _of_numpy(originals[name])):
                raise _refusal(f"self.{name}", "array", f"self.{first}")


def _check_containers(owner: Any, names: tuple[str, ...]) -> None:
    ids = {id(part) for name in names for part in _containers(vars(owner)[name])}
    found: dict[int, str] = {}
    for path, value in reach(owner):
        if id(value) in ids and found.setdefault(id(value), path) != path:
            raise _refusal(path, type(value).__name__, found[id(value)])


def _refusal(path: str, kind: str, first: str) -> CannotFunctionalize:
    return CannotFunctionalize(path, f"is the same {kind} as {first}: a change of one is a change of both", _COPY)


def _containers(value: Any) -> Iterator[Any]:
    """The parts of a pytree that can be changed in place."""
    if isinstance(value, np.ndarray):
        yield value
    children = jax.tree.leaves(value, is_leaf=lambda part: part is not value)
    if any(child is value for child in children):
        return
    if not _is_fixed(value):
        yield value
    for child in children:
        yield from _containers(child)


def _is_fixed(value: Any) -> bool:
    """True for a container that cannot be changed: a tuple, a frozen dataclass, a frozen mapping, None."""
    if value is None or isinstance(value, tuple | jax.tree_util.Partial):
        return True
    if dataclasses.is_dataclass(value):
        return bool(getattr(type(value), "__dataclass_params__").frozen)  # noqa: B009 - has no public type
    return isinstance(value, Mapping) and not isinstance(value, MutableMapping)


def _of_numpy(value: Any) -> bool:
    return any(isinstance(leaf, np.ndarray) for leaf in jax.tree.leaves(value))
