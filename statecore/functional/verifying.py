"""Run a method and its pure function side by side, and say where they first differ."""

import copy
import types
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from statecore.functional.attributes import copied, is_numeric, read
from statecore.functional.refusing import NotTheSame
from statecore.functional.state import names_of, same_structure


def verify(method: Any, pure: Callable, state: Any, examples: tuple, calls: int) -> None:
    """Make calls both ways, and compare outputs and state after each.

    Args:
      method: the bound method; it runs on a copy of its object.
      pure: the pure function, which is jitted here.
      state: its first state.
      examples: the arguments of every call. Arrays and numbers are traced.
      calls: how many calls.

    Raises:
      NotTheSame: at the first difference. Floats may differ by what rounding in their
        type explains; everything else must be equal.
    """
    plain, step = _copy(method), _jitted(pure, examples)
    for call in range(1, calls + 1):
        wanted = plain(*copy.deepcopy(examples))
        got, state = step(state)
        _compare(call, "the output", wanted, got)
        after = read(plain.__self__, state)
        for name in names_of(state):
            _compare(call, f"self.{name}", getattr(after, name), getattr(state, name))


def _copy(method: Any) -> Any:
    owner = method.__self__
    twin = object.__new__(type(owner))
    vars(twin).update(copied(vars(owner)))
    return types.MethodType(method.__func__, twin)


def _jitted(pure: Callable, examples: tuple) -> Callable:
    """One call of the jitted function; arguments that are no arrays are settings of it."""
    traced = [index for index, value in enumerate(examples) if is_numeric(value)]

    @jax.jit
    def run(state: Any, given: list) -> Any:
        arguments = list(examples)
        for index, value in zip(traced, given, strict=True):
            arguments[index] = value
        return pure(state, *arguments)

    return lambda state: run(state, [examples[index] for index in traced])


def _compare(call: int, where: str, wanted: Any, got: Any) -> None:
    if not same_structure(wanted, got):
        raise _different(call, where, wanted, got)
    for path, one, other in _leaves(wanted, got):
        if not _same(one, other):
            raise _different(call, where + path, one, other)


def _leaves(wanted: Any, got: Any) -> Iterator[tuple[str, Any, Any]]:
    for (path, one), other in zip(jax.tree_util.tree_leaves_with_path(wanted), jax.tree.leaves(got), strict=True):
        yield jax.tree_util.keystr(path), one, other


def _same(one: Any, other: Any) -> bool:
    if jnp.shape(one) != jnp.shape(other):
        return False
    if isinstance(one, jax.Array) and jnp.issubdtype(one.dtype, jax.dtypes.prng_key):
        one, other = jax.random.key_data(one), jax.random.key_data(other)
    one, other = np.asarray(one), np.asarray(other)
    inexact = jnp.issubdtype(one.dtype, jnp.inexact) or jnp.issubdtype(other.dtype, jnp.inexact)
    if not inexact:
        return np.array_equal(one, other)
    small = min((jnp.finfo(x.dtype).bits for x in (one, other) if jnp.issubdtype(x.dtype, jnp.inexact)), default=32)
    tolerance = 1e-4 if small >= 32 else 2e-2
    wide = np.complex128 if np.iscomplexobj(one) or np.iscomplexobj(other) else np.float64
    return np.allclose(one.astype(wide), other.astype(wide), rtol=tolerance, atol=tolerance / 100, equal_nan=True)


def _different(call: int, where: str, wanted: Any, got: Any) -> NotTheSame:
    return NotTheSame(
        where,
        f"differs at call {call}: the method gives {wanted!r}, the jitted pure function {got!r}",
        "Look for a type test, a Python number that needs more than 32 bits, or state outside the object.",
    )
