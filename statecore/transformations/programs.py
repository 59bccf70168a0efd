"""A carry keeps its type: a running mean in a scan that starts as an int, or as a float.

A step gives its output first and the new state second. `scan` wants the carry
first, so the body turns the two around.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from statecore.program import Program


class Mean(NamedTuple):
    """A running mean: how many values were seen, int32, and their mean, float32; both of shape ()."""

    count: Any
    mean: Any


def start_with_ints() -> Mean:
    return Mean(jnp.int32(0), jnp.int32(0))


def start_with_float() -> Mean:
    return Mean(jnp.int32(0), jnp.float32(0))


def mean_step(state, x):
    count = state.count + 1
    mean = state.mean + (x - state.mean) / count
    return mean, Mean(count, mean)


def plain():
    def means(state, xs):
        values = []
        for x in xs:
            mean, state = mean_step(state, x)
            values.append(mean)
        return jnp.stack(values), state

    return means


def scanned():
    def means(state, xs):
        def body(state, x):
            mean, state = mean_step(state, x)
            return state, mean  # carry first

        state, values = jax.lax.scan(body, state, xs)
        return values, state

    return jax.jit(means)


def call_with_state(means, state, xs):
    values, state = means(state, xs)
    return values, state


def _inputs(k: int) -> tuple[np.ndarray]:
    return (np.array([4, 1, 2.5, 0.5], np.float32) + np.float32(k - 1),)


PROGRAMS = {
    "broken": Program(scanned, call_with_state, start_with_ints, _inputs, (mean_step,)),
    "fixed": Program(scanned, call_with_state, start_with_float, _inputs, (mean_step,)),
}
"""Four values to average at every call, in a `scan` whose carry starts as two ints, or as an int and a float."""
