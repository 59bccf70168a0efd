"""Follow keys through a program: what made each of them, and what used it up."""

from dataclasses import dataclass, replace
from typing import Any

import jax
import numpy as np
from jax.extend import core

from statecore.randomness.keys import Key
from statecore.reading import lowered as reading

MAX_KEYS = 2048
"""The most keys of one tree."""


@dataclass(frozen=True)
class Value:
    """An array; where it is an array of keys, also the index of each in the tree, int32 of the same shape."""

    array: Any
    ids: Any = None


class Follower:
    """Runs a jaxpr one equation at a time, and keeps the keys that it meets in `keys`."""

    def __init__(self) -> None:
        self.keys: list[Key] = []

    def first(self, leaf: Any, made_by: str) -> Value:
        """An array from outside, or made of a seed; a key becomes one of the first of the tree."""
        if not _is_key(leaf):
            return Value(leaf)
        ids = [self._add(data, None, made_by) for data in _data(leaf)]
        return Value(leaf, np.array(ids, np.int32).reshape(leaf.shape))

    def run(self, jaxpr: core.Jaxpr, consts: Any, args: list[Value], drawing: str = "") -> list[Value]:
        """Run the equations; `drawing` is the `jax.random` function that they belong to."""
        found = dict(zip(jaxpr.constvars, map(self._made, consts), strict=True))
        found.update(zip(jaxpr.invars, args, strict=True))

        def read(atom: Any) -> Value:
            return Value(atom.val) if isinstance(atom, core.Literal) else found[atom]

        for equation in jaxpr.eqns:
            results = self._equation(equation, [read(atom) for atom in equation.invars], drawing)
            found.update(zip(equation.outvars, results, strict=True))
        return [read(atom) for atom in jaxpr.outvars]

    def _equation(self, equation: Any, args: list[Value], drawing: str) -> list[Value]:
        call = reading.called(equation)
        if call:
            return self.run(call.jaxpr, call.consts, args, drawing or call.drawing)
        with_keys = any(arg.ids is not None for arg in args) or reading.makes_keys(equation)
        if with_keys and reading.programs_inside(equation):
            raise ValueError(f"keys that go through {equation.primitive.name} are not followed")
        arrays = reading.run(equation, [arg.array for arg in args])
        if not with_keys:
            return [self._made(array) for array in arrays]
        if not any(_is_key(array) for array in arrays):
            for arg in args:
                self._consume(arg, drawing or equation.primitive.name)
            return [Value(array) for array in arrays]
        return self._keys_of_keys(equation, args, arrays)

    def _keys_of_keys(self, equation: Any, args: list[Value], arrays: list) -> list[Value]:
        made = reading.makes_of_keys(equation)
        if made == "split":
            return [self._split(args[0], arrays[0])]
        if made == "fold_in":
            return [self._fold_in(args[0], args[1].array, arrays[0])]
        moved = reading.run(equation, [arg.array if arg.ids is None else arg.ids for arg in args])
        return [self._moved(array, np.asarray(ids), equation) for array, ids in zip(arrays, moved, strict=True)]

    def _moved(self, array: Any, ids: np.ndarray, equation: Any) -> Value:
        """Keys in another place; Unreadable when they are not the very keys that went in."""
        if _is_key(array) and [self.keys[index].data for index in ids.ravel()] != _data(array):
            raise reading.Unreadable(f"{equation.primitive.name} makes other keys of keys, in a way that is not known")
        return Value(array, ids) if _is_key(array) else Value(array)

    def _split(self, arg: Value, keys: Any) -> Value:
        self._consume(arg, "split")
        count = keys.size // arg.ids.size
        ids = [
            self._add(data, int(arg.ids.ravel()[index // count]), f"split {index % count + 1} of {count}")
            for index, data in enumerate(_data(keys))
        ]
        return Value(keys, np.array(ids, np.int32).reshape(keys.shape))

    def _fold_in(self, arg: Value, numbers: Any, keys: Any) -> Value:
        numbers = np.broadcast_to(np.asarray(numbers), keys.shape).ravel()
        parents = np.broadcast_to(arg.ids, keys.shape).ravel()
        ids = [
            self._add(data, int(parent), f"fold_in {number}")
            for data, parent, number in zip(_data(keys), parents, numbers, strict=True)
        ]
        return Value(keys, np.array(ids, np.int32).reshape(keys.shape))

    def _made(self, array: Any) -> Value:
        return self.first(array, "key")

    def _consume(self, arg: Value, by: str) -> None:
        if arg.ids is not None:
            for index in arg.ids.ravel():
                key = self.keys[index]
                self.keys[index] = replace(key, used_by=(*key.used_by, by))

    def _add(self, data: tuple[int, ...], parent: int | None, made_by: str) -> int:
        index = len(self.keys)
        if index >= MAX_KEYS:
            raise ValueError(f"more than {MAX_KEYS:,} keys: draw fewer")
        depth = 0
        if parent is not None:
            above = self.keys[parent]
            depth = above.depth + 1
            self.keys[parent] = replace(above, children=(*above.children, index))
        self.keys.append(Key(index, data, parent, made_by, depth))
        return index


def _is_key(value: Any) -> bool:
    return isinstance(value, jax.Array) and jax.dtypes.issubdtype(value.dtype, jax.dtypes.prng_key)


def _data(keys: jax.Array) -> list[tuple[int, ...]]:
    """The numbers of each key, in order."""
    return [tuple(row) for row in np.asarray(jax.random.key_data(keys)).reshape(keys.size, -1).tolist()]
