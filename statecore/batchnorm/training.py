"""A training step of the layer: the params learn by gradient, the statistics follow the batches."""

import jax
import jax.numpy as jnp

from statecore.batchnorm.layer import State, apply


def loss(params, stats, x, target):
    y, stats = apply(params, stats, x, train=True)
    return jnp.mean((y - target) ** 2), stats


def update(state, x, target, learning_rate):
    params, stats = state
    (error, stats), grads = jax.value_and_grad(
        loss, has_aux=True)(params, stats, x, target)
    params = jax.tree.map(
        lambda p, g: p - learning_rate * g,
        params, grads)
    return error, State(params, stats)
