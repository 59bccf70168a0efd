"""Numbers that 32 bits cannot hold: under jit they would be others, and nothing would say so."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from statecore.functional.refusing import CannotFunctionalize, keep_static
from statecore.functional.uses import Uses

_INT32 = np.iinfo(np.int32)
_LARGEST, _SMALLEST = float(np.finfo(np.float32).max), float(np.finfo(np.float32).tiny)
_EXACT = 2.0**24
"""From here on a 32-bit float does not hold every integer, so that adding one may do nothing."""


def check(attributes: Mapping[str, Any], uses: Uses) -> None:
    """Refuse numbers that change when they become JAX's. Raises CannotFunctionalize."""
    if jnp.result_type(float) == np.float64:
        return
    for name, value in attributes.items():
        for path, leaf in jax.tree_util.tree_leaves_with_path(value):
            if problem := _problem(leaf, written=not uses.never_writes(name)):
                raise CannotFunctionalize(
                    f"self.{name}{jax.tree_util.keystr(path)}",
                    problem[0],
                    f"{problem[1]} If the method only reads it, keep it out of the state: {keep_static([name])}.",
                )


def _problem(leaf: Any, written: bool) -> tuple[str, str] | None:
    if isinstance(leaf, np.ndarray | np.generic):
        return _of_numpy(leaf)
    if isinstance(leaf, bool | complex):
        return None
    if isinstance(leaf, int):
        return None if _INT32.min <= leaf <= _INT32.max else _too_large(leaf)
    return _of_float(leaf, written) if isinstance(leaf, float) else None


def _of_numpy(leaf: Any) -> tuple[str, str] | None:
    kind, size = leaf.dtype.kind, leaf.dtype.itemsize
    if (kind == "f" and size > 4) or (kind == "c" and size > 8):
        small = "float32" if kind == "f" else "complex64"
        return (
            f"is a NumPy {leaf.dtype}, and JAX would make a {small} of it",
            f"If that is exact enough, say so: make it np.{small}. Otherwise run all of it in jax.enable_x64(True).",
        )
    if kind in "iu" and size > 4 and leaf.size:
        limits = _INT32 if kind == "i" else np.iinfo(np.uint32)
        if leaf.max() > limits.max or leaf.min() < limits.min:
            return _too_large(leaf.max())
    return None


def _of_float(leaf: float, written: bool) -> tuple[str, str] | None:
    size = abs(leaf)
    if size == 0 or not np.isfinite(leaf):
        return None
    if size > _LARGEST or size < _SMALLEST:
        return f"is {leaf}, which a 32-bit float cannot hold", "Choose other units, or use jax.enable_x64(True)."
    if written and size >= _EXACT:
        return (
            f"starts at {leaf}, where a 32-bit float does not hold every integer: adding 1 may do nothing",
            "Count from 0, count in integers, or use jax.enable_x64(True).",
        )
    return None


def _too_large(value: Any) -> tuple[str, str]:
    return f"is {value}, which a 32-bit integer cannot hold", "Choose other units, or use jax.enable_x64(True)."
