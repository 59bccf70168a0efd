"""The attributes of an object: its state, as a pytree, and its settings."""

import copy
import enum
import inspect
from collections.abc import Iterable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from statecore.functional.state import make_state, names_of


def split(owner: Any, static: tuple[str, ...] = ()) -> tuple[Any, dict[str, Any]]:
    """The attributes of `owner`: those that are arrays and numbers, and copies of the others."""
    names = [name for name, value in vars(owner).items() if name not in static and is_numeric(value)]
    settings = {name: value for name, value in vars(owner).items() if name not in names}
    return read(owner, names), copied(settings)


def make_like(owner: Any, state: Any, settings: Mapping[str, Any]) -> Any:
    """An object of the same class with this state, that nobody else holds; `__init__` does not run."""
    stand_in = object.__new__(type(owner))
    vars(stand_in).update(copied(settings))
    vars(stand_in).update({name: fresh(getattr(state, name)) for name in names_of(state)})
    return stand_in


def read(owner: Any, names: Any) -> Any:
    """The named attributes (or those of another state) as a state of their own."""
    names = names if isinstance(names, Iterable) else names_of(names)
    return make_state(type(owner).__name__, {name: fresh(vars(owner)[name]) for name in names})


def fresh(value: Any) -> Any:
    """The same leaves in new containers; NumPy arrays become JAX arrays, which cannot change in place."""
    return jax.tree.map(lambda leaf: jnp.array(leaf) if isinstance(leaf, np.ndarray) else leaf, value)


def own_containers(value: Any) -> Any:
    """The same leaves in new containers, so that a write into one does not reach its owner; NumPy arrays are copied."""
    try:
        return jax.tree.map(lambda leaf: leaf.copy() if isinstance(leaf, np.ndarray) else leaf, value)
    except Exception:  # something that JAX cannot take apart
        return value


def is_numeric(value: Any) -> bool:
    """True when every leaf of the pytree is a number or an array of numbers (or a key)."""
    try:
        return all(map(is_number, jax.tree.leaves(value)))
    except Exception:  # a class of somebody else that cannot be flattened now
        return False


def is_number(leaf: Any) -> bool:
    """True for arrays and numbers; not for an enum, nor for what merely has a dtype."""
    if isinstance(leaf, np.ndarray | np.generic):
        return leaf.dtype.kind in "biufc" or jnp.issubdtype(leaf.dtype, jnp.number)
    return isinstance(leaf, jax.Array | int | float | complex) and not isinstance(leaf, enum.Enum)


def copied(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Deep copies, but of code and JAX arrays: functions, classes and modules are what they are."""
    kept = {id(leaf): leaf for leaf in jax.tree.leaves(dict(settings)) if _need_not_be_copied(leaf)}
    return copy.deepcopy(dict(settings), kept)


def _need_not_be_copied(value: Any) -> bool:
    if inspect.isroutine(value) or inspect.isclass(value) or inspect.ismodule(value) or isinstance(value, jax.Array):
        return True
    return callable(value) and type(value).__module__.partition(".")[0] in ("jax", "jaxlib", "numpy", "functools")
