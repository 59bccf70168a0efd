"""The state of an object: a frozen dataclass that JAX knows, one field for each attribute."""

import dataclasses
import functools
import threading
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

_MAKING = threading.Lock()
"""Two threads must not make two classes for the same attributes."""


def make_state(owner: str, attributes: Mapping[str, Any]) -> Any:
    """The attributes as a state: for `owner="Counter"` and `n`, `CounterState(n=...)`.

    The class is a frozen dataclass registered with JAX, so the state is a pytree whose
    key paths are `.n`. Its fields are sorted by name: the order in which `__init__`
    set the attributes does not matter. `state.replace(n=5)` is another state; where an
    attribute is itself called replace, use `dataclasses.replace`. Equality compares
    the numbers.

    Args:
      owner: the name of the class that the attributes belong to.
      attributes: their names and values, pytrees of arrays and numbers.
    """
    with _MAKING:
        cls = _state_class(owner, tuple(sorted(attributes)))
    return cls(**attributes)


def names_of(state: Any) -> tuple[str, ...]:
    """The names of the attributes that a state holds."""
    return tuple(field.name for field in dataclasses.fields(state))


@functools.cache
def _state_class(owner: str, names: tuple[str, ...]) -> type:
    methods: dict[str, Any] = {"replace": _replace, "__eq__": _equal, "__hash__": None, "__reduce__": _reduce}
    namespace = {name: method for name, method in methods.items() if name not in names}
    namespace["__doc__"] = f"The state of a {owner}: its attributes that are arrays and numbers."
    fields = [(name, Any) for name in names]
    cls = dataclasses.make_dataclass(f"{owner}State", fields, frozen=True, eq=False, namespace=namespace)
    cls.__module__ = __name__
    jax.tree_util.register_dataclass(cls, data_fields=list(names), meta_fields=[])
    return cls


def _values(state: Any) -> dict[str, Any]:
    return {name: getattr(state, name) for name in names_of(state)}


def _replace(self: Any, **changes: Any) -> Any:
    """This state with other values. Raises AttributeError for a name that it does not have."""
    if unknown := sorted(set(changes) - set(names_of(self))):
        raise AttributeError(f"{type(self).__name__} has no {', '.join(unknown)}; it has {', '.join(names_of(self))}.")
    return dataclasses.replace(self, **changes)


def _equal(self: Any, other: Any) -> Any:
    if type(other) is not type(self):
        return NotImplemented
    if not same_structure(self, other):
        return False
    return all(map(_same_numbers, jax.tree.leaves(self), jax.tree.leaves(other)))


def same_structure(one: Any, other: Any) -> bool:
    """True when two pytrees have the same structure."""
    structure: Any = jax.tree.structure(one)
    return bool(structure == jax.tree.structure(other))


def _same_numbers(one: Any, other: Any) -> bool:
    return jnp.shape(one) == jnp.shape(other) and bool(jnp.all(jnp.asarray(one) == jnp.asarray(other)))


def _reduce(self: Any) -> Any:
    return make_state, (type(self).__name__.removesuffix("State"), _values(self))
