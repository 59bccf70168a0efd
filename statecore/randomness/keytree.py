"""The keys that a function makes and uses, read from the program that JAX made of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax

from statecore.randomness.following import Follower
from statecore.randomness.keys import Key


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

    The function is traced; its program is then run one operation at a time. Where keys
    are moved about (indexing, stacking), numbers are moved in their place.

    Args:
      function: a function that JAX can trace, of arrays and typed keys.
      *args: its arguments. The keys among them are the first of the tree, as are
        those that the function makes of a seed.

    Raises ValueError where there is no typed key at all, for more than `MAX_KEYS`
    keys, and where keys go through an operation that is not followed (`scan`, `cond`,
    `while_loop`); Unreadable where JAX does something to keys that is not known.
    """
    # a fresh function, so that no trace of another visitor is found in the cache
    closed, shape = jax.make_jaxpr(lambda *args: function(*args), return_shape=True)(*args)
    follower = Follower()
    given = [follower.first(leaf, "argument") for leaf in jax.tree.leaves(args)]
    values = follower.run(closed.jaxpr, closed.consts, given)
    if not follower.keys:
        raise ValueError("no typed key is made or used: make one with jax.random.key(seed)")
    result = jax.tree.unflatten(jax.tree.structure(shape), [value.array for value in values])
    return KeyTree(tuple(follower.keys), result)
