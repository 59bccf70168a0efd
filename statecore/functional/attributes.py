"""The attributes of an object: its state, as a pytree, and its settings."""

import copy
import inspect
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np


@jax.tree_util.register_pytree_with_keys_class
class State:
    """The attributes of an object that are arrays and numbers; immutable, a pytree.

    `state.n` and `state["n"]` read an attribute, `iter(state)` gives the names,
    `state.replace(n=5)` is another state.
    """

    _attributes: dict[str, Any]

    def __init__(self, attributes: Mapping[str, Any]) -> None:
        object.__setattr__(self, "_attributes", dict(attributes))

    def __getattr__(self, name: str) -> Any:
        # an object that is being copied has no _attributes yet
        if name == "_attributes" or name not in self._attributes:
            raise AttributeError(f"the state has no attribute {name}")
        return self._attributes[name]

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"a state does not change: use state.replace({name}=...)")

    def __delattr__(self, name: str) -> None:
        raise AttributeError("a state does not change")

    def __getitem__(self, name: str) -> Any:
        return self._attributes[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._attributes)

    def __len__(self) -> int:
        return len(self._attributes)

    def __repr__(self) -> str:
        return f"State({', '.join(f'{name}={value!r}' for name, value in self._attributes.items())})"

    def replace(self, **changes: Any) -> "State":
        """This state with other values. Raises AttributeError for a name it does not have."""
        if unknown := set(changes) - set(self._attributes):
            raise AttributeError(f"the state has no attribute {', '.join(sorted(unknown))}")
        return State(self._attributes | changes)

    def tree_flatten_with_keys(self):
        names = tuple(self._attributes)
        children = [(jax.tree_util.GetAttrKey(name), self._attributes[name]) for name in names]
        return children, names

    @classmethod
    def tree_unflatten(cls, names, values):
        return cls(dict(zip(names, values, strict=True)))


def split(owner: Any, static: tuple[str, ...] = ()) -> tuple[State, dict[str, Any]]:
    """The attributes of `owner`: those that are arrays and numbers, and copies of the others."""
    names = [name for name, value in vars(owner).items() if name not in static and is_numeric(value)]
    settings = {name: value for name, value in vars(owner).items() if name not in names}
    return read(owner, names), copied(settings)


def is_numeric(value: Any) -> bool:
    """True when every leaf of `value` is a number or an array of numbers (or a key)."""
    return not callable(value) and all(map(is_number, jax.tree.leaves(value)))


def is_number(leaf: Any) -> bool:
    if isinstance(leaf, np.ndarray | np.generic):
        return leaf.dtype.kind not in "OSUMm"  # objects, text, dates
    return isinstance(leaf, bool | int | float | complex) or hasattr(leaf, "dtype")


def make_like(owner: Any, state: State, settings: Mapping[str, Any]) -> Any:
    """An object of the same class with this state, that nobody else holds; `__init__` does not run."""
    stand_in = object.__new__(type(owner))
    vars(stand_in).update(copied(settings))
    vars(stand_in).update({name: fresh(state[name]) for name in state})
    return stand_in


def read(owner: Any, names: Iterable[str]) -> State:
    """The named attributes as a state of their own."""
    return State({name: fresh(vars(owner)[name]) for name in names})


def fresh(value: Any) -> Any:
    """The same leaves in new containers; NumPy arrays become JAX arrays, which cannot change in place."""
    return jax.tree.map(lambda leaf: jnp.asarray(leaf) if isinstance(leaf, np.ndarray) else leaf, value)


def copied(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Deep copies, but of code: functions, classes and modules are what they are."""
    code = {id(leaf): leaf for leaf in jax.tree.leaves(dict(settings)) if is_code(leaf)}
    return copy.deepcopy(dict(settings), code)


def is_code(value: Any) -> bool:
    """True for functions, classes, modules and the callables that JAX and NumPy make of functions."""
    if inspect.isroutine(value) or inspect.isclass(value) or inspect.ismodule(value):
        return True
    return callable(value) and type(value).__module__.partition(".")[0] in ("jax", "jaxlib", "numpy", "functools")
