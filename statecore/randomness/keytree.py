"""The keys that a function makes and uses, read from the program that JAX made of it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend import core

MAX_KEYS = 2048
"""The most keys of one tree."""


def deep(key, draws):
    values = []
    for _ in range(draws):
        key, subkey = jax.random.split(key)
        values.append(jax.random.normal(subkey))
    return jnp.stack(values)


def wide(key, draws):
    keys = jax.random.split(key, draws)
    values = [jax.random.normal(k) for k in keys]
    return jnp.stack(values)


def folded(key, draws):
    values = []
    for step in range(draws):
        subkey = jax.random.fold_in(key, step)
        values.append(jax.random.normal(subkey))
    return jnp.stack(values)


def reused(key, draws):
    values = []
    for _ in range(draws):
        values.append(jax.random.normal(key))
    return jnp.stack(values)


def split_and_folded(key, draws):
    first = jax.random.split(key, draws)[0]
    other = jax.random.fold_in(key, 0)
    return jnp.stack([
        jax.random.normal(first),
        jax.random.normal(other)])


def folded_twice(key, draws):
    values = []
    for _ in range(draws):
        subkey = jax.random.fold_in(key, 0)
        values.append(jax.random.normal(subkey))
    return jnp.stack(values)


@dataclass(frozen=True)
class Key:
    """One key.

    Attributes:
      index: its place in `KeyTree.keys`.
      data: its numbers, as `jax.random.key_data` gives them.
      parent: the index of the key it was made from; None for the first ones.
      made_by: `argument`, `key` (of a seed), `split 1 of 3` (counted from 1) or `fold_in 7`.
      depth: how many times a key was split or folded to get here.
      used_by: what consumed it: `split`, or the function that drew, such as `normal`.
      children: the indices of the keys made from it.
    """

    index: int
    data: tuple[int, ...]
    parent: int | None
    made_by: str
    depth: int
    used_by: tuple[str, ...] = ()
    children: tuple[int, ...] = ()

    @property
    def consumed(self) -> bool:
        """True when it was split or drawn from: it must not be used again."""
        return bool(self.used_by)


@dataclass(frozen=True)
class KeyTree:
    """All keys of one call, in the order they were made, and what the call returned."""

    keys: tuple[Key, ...]
    value: Any

    @property
    def depth(self) -> int:
        """The longest way from a first key to another."""
        return max(key.depth for key in self.keys)

    @property
    def width(self) -> int:
        """The most keys at the same depth."""
        depths = [key.depth for key in self.keys]
        return max(map(depths.count, depths))

    @property
    def reused(self) -> tuple[tuple[Key, ...], ...]:
        """Keys that were consumed more than once, those with the same numbers together."""
        same: dict[tuple[int, ...], list[Key]] = {}
        for key in self.keys:
            same.setdefault(key.data, []).append(key)
        return tuple(tuple(keys) for keys in same.values() if sum(len(key.used_by) for key in keys) > 1)


def key_tree(function: Callable, *args: Any) -> KeyTree:
    """Run `function(*args)` and record every key it makes and uses.

    The function is traced; its program is then run one operation at a time. Moving
    keys about (indexing, stacking) is followed with numbers in the place of keys; a
    `scan` is followed turn by turn.

    Args:
      function: a function that JAX can trace, of arrays and typed keys.
      *args: its arguments. The keys among them are the first of the tree, as are
        those that the function makes of a seed.

    Raises ValueError where there is no typed key at all, for more than `MAX_KEYS`
    keys, and where keys go through an operation that is not followed (`cond`,
    `while_loop`).
    """
    # a fresh function, so that no trace of another visitor is found in the cache
    closed, shape = jax.make_jaxpr(lambda *args: function(*args), return_shape=True)(*args)
    recorder = _Recorder()
    given = [recorder.first(leaf, "argument") for leaf in jax.tree.leaves(args)]
    values = recorder.run(closed.jaxpr, closed.consts, given)
    if not recorder.keys:
        raise ValueError("no typed key is made or used: make one with jax.random.key(seed)")
    result = jax.tree.unflatten(jax.tree.structure(shape), [value.array for value in values])
    return KeyTree(tuple(recorder.keys), result)


@dataclass(frozen=True)
class _Value:
    """An array; where it is an array of keys, also the index of each in the tree."""

    array: Any
    ids: Any = None


class _Recorder:
    """Runs a jaxpr and keeps the keys."""

    def __init__(self) -> None:
        self.keys: list[Key] = []

    def first(self, leaf: Any, made_by: str) -> _Value:
        """An array from outside, or made of a seed; a key becomes one of the first of the tree."""
        if not _is_key(leaf):
            return _Value(leaf)
        flat = jax.random.key_data(leaf).reshape(leaf.size, -1)
        ids = [self._add(data, None, made_by) for data in np.asarray(flat)]
        return _Value(leaf, np.array(ids, np.int32).reshape(leaf.shape))

    def run(self, jaxpr: core.Jaxpr, consts: Any, args: list[_Value], drawing: str = "") -> list[_Value]:
        """Run the equations; `drawing` is the `jax.random` function that they belong to."""
        found = dict(zip(jaxpr.constvars, map(self._constant, consts), strict=True))
        found.update(zip(jaxpr.invars, args, strict=True))

        def read(atom: Any) -> _Value:
            return _Value(atom.val) if isinstance(atom, core.Literal) else found[atom]

        for equation in jaxpr.eqns:
            results = self._equation(equation, [read(atom) for atom in equation.invars], drawing)
            found.update(zip(equation.outvars, results, strict=True))
        return [read(atom) for atom in jaxpr.outvars]

    def _equation(self, equation: Any, args: list[_Value], drawing: str) -> list[_Value]:
        name, params = equation.primitive.name, equation.params
        with_keys = any(arg.ids is not None for arg in args) or _makes_keys(equation)
        if name in ("jit", "pjit"):
            return self.run(*_body(equation), args, drawing or _drawing(params["name"]))
        if name == "scan" and with_keys:
            return self._scan(equation, args, drawing)
        if with_keys and _bodies(equation):
            raise ValueError(f"keys that go through {name} are not followed")
        arrays = _bind(equation.primitive, params, [arg.array for arg in args])
        if not with_keys:
            return [self._constant(array) for array in arrays]
        if name == "random_split":
            return [self._split(args[0], arrays[0])]
        if name == "random_fold_in":
            return [self._fold_in(args[0], args[1].array, arrays[0])]
        if not any(_is_key(array) for array in arrays):
            for arg in args:
                self._consume(arg, drawing or name)
            return [_Value(array) for array in arrays]
        moved = _bind(equation.primitive, params, [arg.array if arg.ids is None else arg.ids for arg in args])
        return [_Value(array, np.asarray(ids)) for array, ids in zip(arrays, moved, strict=True)]

    def _scan(self, equation: Any, args: list[_Value], drawing: str) -> list[_Value]:
        params, (body, body_consts) = equation.params, _body(equation)
        # told apart by shape, since JAX versions name the counts differently: only
        # rows in and rows out have one more axis outside the body than inside
        carries = sum(map(_same_shape, equation.outvars, body.outvars))
        consts = sum(map(_same_shape, equation.invars, body.invars)) - carries
        fixed, carry, rows = args[:consts], args[consts : consts + carries], args[consts + carries :]
        turns = range(params["length"])
        stacked: list[list[_Value]] = []
        for turn in reversed(turns) if params["reverse"] else turns:
            row = [_Value(arg.array[turn], None if arg.ids is None else arg.ids[turn]) for arg in rows]
            results = self.run(body, body_consts, [*fixed, *carry, *row], drawing)
            carry = results[:carries]
            stacked.append(results[carries:])
        if params["reverse"]:
            stacked.reverse()
        return carry + [_stack(values) for values in zip(*stacked, strict=True)]

    def _split(self, arg: _Value, keys: Any) -> _Value:
        self._consume(arg, "split")
        flat = keys.reshape(arg.ids.size, -1)
        count = flat.shape[1]
        ids = [
            self._add(data, int(parent), f"split {turn + 1} of {count}")
            for parent, row in zip(arg.ids.ravel(), np.asarray(jax.random.key_data(flat)), strict=True)
            for turn, data in enumerate(row)
        ]
        return _Value(keys, np.array(ids, np.int32).reshape(keys.shape))

    def _fold_in(self, arg: _Value, numbers: Any, keys: Any) -> _Value:
        numbers = np.broadcast_to(np.asarray(numbers), keys.shape).ravel()
        parents = np.broadcast_to(arg.ids, keys.shape).ravel()
        flat = np.asarray(jax.random.key_data(keys)).reshape(keys.size, -1)
        ids = [
            self._add(data, int(parent), f"fold_in {number}")
            for data, parent, number in zip(flat, parents, numbers, strict=True)
        ]
        return _Value(keys, np.array(ids, np.int32).reshape(keys.shape))

    def _constant(self, array: Any) -> _Value:
        return self.first(array, "key")

    def _consume(self, arg: _Value, by: str) -> None:
        if arg.ids is not None:
            for index in arg.ids.ravel():
                key = self.keys[index]
                self.keys[index] = replace(key, used_by=(*key.used_by, by))

    def _add(self, data: Any, parent: int | None, made_by: str) -> int:
        index = len(self.keys)
        if index >= MAX_KEYS:
            raise ValueError(f"more than {MAX_KEYS:,} keys: draw fewer")
        depth = 0
        if parent is not None:
            above = self.keys[parent]
            depth = above.depth + 1
            self.keys[parent] = replace(above, children=(*above.children, index))
        self.keys.append(Key(index, tuple(map(int, data)), parent, made_by, depth))
        return index


def _bind(primitive: Any, params: dict, args: list) -> list:
    results = primitive.bind(*map(jnp.asarray, args), **primitive.get_bind_params(params))
    return list(results) if primitive.multiple_results else [results]


def _body(equation: Any) -> tuple[core.Jaxpr, Any]:
    inner = equation.params["jaxpr"]
    return getattr(inner, "jaxpr", inner), getattr(inner, "consts", ())


def _same_shape(outside: Any, inside: Any) -> bool:
    return outside.aval.shape == inside.aval.shape


def _stack(values: tuple[_Value, ...]) -> _Value:
    array = jnp.stack([value.array for value in values])
    ids = None if values[0].ids is None else np.stack([value.ids for value in values])
    return _Value(array, ids)


def _is_key(value: Any) -> bool:
    return isinstance(value, jax.Array) and jax.dtypes.issubdtype(value.dtype, jax.dtypes.prng_key)


def _drawing(name: str) -> str:
    """The public function of `jax.random` that a private one such as `_normal` belongs to."""
    public = name.lstrip("_")
    return public if public != name and hasattr(jax.random, public) else ""


def _bodies(equation: Any) -> list[Any]:
    """The programs inside an equation, such as the branches of a `cond`."""
    parts = jax.tree.leaves(list(equation.params.values()), is_leaf=_is_jaxpr)
    return [getattr(part, "jaxpr", part) for part in parts if _is_jaxpr(part)]


def _makes_keys(equation: Any) -> bool:
    """True when keys are made inside, of a seed."""
    return any(
        inner.primitive.name == "random_seed" or _makes_keys(inner)
        for body in _bodies(equation)
        for inner in body.eqns
    )


def _is_jaxpr(value: Any) -> bool:
    return isinstance(value, core.Jaxpr | core.ClosedJaxpr)
