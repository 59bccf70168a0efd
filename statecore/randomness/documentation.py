"""The regression of the JAX documentation uses one key twice: its numbers, the error, the fix.

Source: "Stateful computations" in the JAX documentation, whose data and params are
both drawn from `jax.random.key(42)`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from statecore.line import init, make_data


def start(keys, seed, points=128):
    data_key, params_key = keys(seed)
    data = make_data(data_key, points)
    params = init(params_key)
    return data, params


def start_checked(keys, seed, points=128):
    with jax.debug_key_reuse(True):
        return start(keys, seed, points)


@dataclass(frozen=True)
class Coincidence:
    """The first numbers of a regression that ought to have nothing in common.

    Attributes:
      weight, bias: the initial params.
      first_x, first_noise: the first input, and the first noise before it is scaled.
    """

    weight: float
    bias: float
    first_x: float
    first_noise: float

    @property
    def same_numbers(self) -> bool:
        """True when weight is the first input and bias the first noise, bit for bit."""
        return (self.weight, self.bias) == (self.first_x, self.first_noise)


def coincidence(keys: Callable, seed: int, points: int = 128) -> Coincidence:
    """Look at the first numbers of `start(keys, seed, points)`.

    Args:
      keys: `regression.page_keys` or `regression.separate_keys`.
    """
    data, params = start(keys, seed, points)
    data_key, _ = keys(seed)
    _, noise_key = jax.random.split(data_key)
    noise = jax.random.normal(noise_key, (points, 1))
    return Coincidence(
        weight=float(params.weight),
        bias=float(params.bias),
        first_x=float(data.x[0, 0]),
        first_noise=float(noise[0, 0]),
    )


def caught(keys: Callable, seed: int, points: int = 128) -> jax.errors.KeyReuseError | None:
    """The error of `jax.debug_key_reuse`, which checks typed keys in this thread only; None when all is well."""
    try:
        start_checked(keys, seed, points)
    except jax.errors.KeyReuseError as error:
        return error
    return None


@dataclass(frozen=True)
class Starts:
    """Many regressions' initial weight and first input, float32 arrays of shape (seeds,)."""

    weight: np.ndarray
    first_x: np.ndarray


def starts(keys: Callable, seeds: int = 512, points: int = 128) -> Starts:
    """The start of the regression for the seeds 0, 1, ..., drawn all at once."""
    weight, first_x = _starts(jnp.arange(seeds), keys=keys, points=points)
    return Starts(np.asarray(weight), np.asarray(first_x))


def _draw_starts(seeds, keys, points):
    def first(seed):
        data, params = start(keys, seed, points)
        return params.weight, data.x[0, 0]

    return jax.vmap(first)(seeds)


_starts = jax.jit(_draw_starts, static_argnames=("keys", "points"))
