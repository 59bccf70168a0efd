"""Adam written out: two running means, corrected for their start at zero."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax


class AdamState(NamedTuple):
    """What Adam remembers.

    `steps` is how many were taken, int32 of shape (); `mean` and `square` are
    running means of the gradient and of its square, trees like the params.
    """

    steps: jax.Array
    mean: Any
    square: Any


def adam_init(params) -> AdamState:
    # each tree gets zeros of its own: a state whose leaves share a buffer cannot be donated
    mean = jax.tree.map(jnp.zeros_like, params)
    square = jax.tree.map(jnp.zeros_like, params)
    return AdamState(jnp.int32(0), mean, square)


def adam_step(state, grads, learning_rate,
              b1=0.9, b2=0.999, eps=1e-8):
    steps = state.steps + 1
    mean = jax.tree.map(
        lambda m, g: b1 * m + (1 - b1) * g,
        state.mean, grads)
    square = jax.tree.map(
        lambda s, g: b2 * s + (1 - b2) * g**2,
        state.square, grads)
    updates = jax.tree.map(
        lambda m, s: -learning_rate
        * (m / (1 - b1**steps))
        / (jnp.sqrt(s / (1 - b2**steps)) + eps),
        mean, square)
    return updates, AdamState(steps, mean, square)


def adam_by_hand(learning_rate):
    def update(grads, state, params=None):
        return adam_step(state, grads, learning_rate)

    return optax.GradientTransformation(
        adam_init, update)
