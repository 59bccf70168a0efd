"""The same step in every loop: a Python loop around it, or one compiled loop with it inside."""

import inspect
from collections.abc import Callable
from typing import NamedTuple

import jax
import numpy as np

from statecore.line import Data, Params, update


def python_update(params, x, y, learning_rate):
    weight, bias = params
    errors = [weight * a + bias - b
              for a, b in zip(x, y, strict=True)]
    d_weight = 2 / len(x) * sum(
        e * a for e, a in zip(errors, x, strict=True))
    d_bias = 2 / len(x) * sum(errors)
    return Params(weight - learning_rate * d_weight,
                  bias - learning_rate * d_bias)


def numpy_update(params, x, y, learning_rate):
    weight, bias = params
    errors = weight * x + bias - y
    d_weight = 2 * np.mean(errors * x)
    d_bias = 2 * np.mean(errors)
    return Params(weight - learning_rate * d_weight,
                  bias - learning_rate * d_bias)


eager_update = inspect.unwrap(update)
"""`regression.update` as it was written, without its `jit`."""


def python_loop(update, params, x, y, learning_rate, steps):
    for _ in range(steps):
        params = update(params, x, y, learning_rate)
    return params


def scan_loop(params, x, y, learning_rate, steps):
    def body(params, _):
        return update(params, x, y, learning_rate), None

    params, _ = jax.lax.scan(
        body, params, None, length=steps)
    return params


def fori_loop(params, x, y, learning_rate, steps):
    def body(_, params):
        return update(params, x, y, learning_rate)

    return jax.lax.fori_loop(0, steps, body, params)


def _loop(step: Callable, steps: int) -> Callable:
    def run(params, x, y, learning_rate):
        return python_loop(step, params, x, y, learning_rate, steps)

    return run


def _compiled(loop: Callable, steps: int) -> Callable:
    def run(params, x, y, learning_rate):
        return loop(params, x, y, learning_rate, steps)

    return jax.jit(run)


def _fresh_jit(step: Callable) -> Callable:
    return jax.jit(lambda *args: step(*args))


def _as_they_are(params: Params, data: Data) -> tuple:
    return params, *data


def _as_numpy(params: Params, data: Data) -> tuple:
    return jax.tree.map(np.asarray, (params, *data))


def _as_numbers(params: Params, data: Data) -> tuple:
    x, y = (np.ravel(values).tolist() for values in data)
    return jax.tree.map(float, params), x, y


class Variant(NamedTuple):
    """One way to take the steps.

    Attributes:
      name: what a reader calls it.
      make: `make(steps)` builds `run(params, x, y, learning_rate) -> params`. Whatever
        it jits is a fresh function, so that its first call compiles.
      arguments: puts params and data in the form that `run` takes.
      steps: the steps of one call of `run`.
    """

    name: str
    make: Callable[[int], Callable]
    arguments: Callable[[Params, Data], tuple] = _as_they_are
    steps: int = 1_000


VARIANTS = (
    Variant("JAX without jit, Python loop", lambda steps: _loop(eager_update, steps), steps=20),
    Variant("jitted step, Python loop", lambda steps: _loop(_fresh_jit(eager_update), steps)),
    Variant("plain Python", lambda steps: _loop(python_update, steps), _as_numbers),
    Variant("NumPy, Python loop", lambda steps: _loop(numpy_update, steps), _as_numpy),
    Variant("fori_loop, jitted", lambda steps: _compiled(fori_loop, steps)),
    Variant("scan, jitted", lambda steps: _compiled(scan_loop, steps)),
)
"""Every way on show; the slowest takes fewer steps per call, so that progress never stalls."""
