"""Batch normalisation: a layer with a memory, as a pure function and as the class it replaces.

In training the layer normalises with the mean and variance of the batch, and
keeps a running mean of each; in evaluation it normalises with those.

Conventions: `new = momentum * old + (1 - momentum) * batch`, so that `momentum` is
the share of the past that is kept, as in Flax, Equinox and TensorFlow (PyTorch
calls the other share momentum: its 0.1 is 0.9 here). The running mean starts at 0
and the running variance at 1. The variance divides by n, the biased one, as in
Flax and Equinox; with `correction=1` the running one divides by n - 1, as
PyTorch's does. What normalises a batch divides by n everywhere.

Source: Ioffe and Szegedy, "Batch Normalization" (2015).
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

EPSILON = 1e-5
MOMENTUM = 0.9


class Params(NamedTuple):
    """What is learned, each of shape (features,)."""

    scale: jax.Array
    bias: jax.Array


class Stats(NamedTuple):
    """What is remembered: the running mean and variance, each of shape (features,)."""

    mean: jax.Array
    var: jax.Array


class State(NamedTuple):
    """Both, for a layer that is handed all that it needs."""

    params: Params
    stats: Stats


def init(features: int = 1) -> State:
    """The first state. Every leaf is an array of its own, so that the whole of it can be donated."""
    params = Params(jnp.ones(features), jnp.zeros(features))
    return State(params, Stats(jnp.zeros(features), jnp.ones(features)))


def apply(params, state, x, train,
          momentum=MOMENTUM, correction=0):
    if train:
        mean = x.mean(0)
        var = ((x - mean) ** 2).mean(0)
        state = follow(state, mean, var, len(x),
                       momentum, correction)
    else:
        mean, var = state
    y = (x - mean) / jnp.sqrt(var + EPSILON)
    return params.scale * y + params.bias, state


def follow(state, mean, var, n, momentum, correction):
    var = var * n / (n - correction)
    return Stats(
        momentum * state.mean + (1 - momentum) * mean,
        momentum * state.var + (1 - momentum) * var)


class BatchNorm:
    """The layer that keeps its statistics on self; jitted, they freeze or leak."""

    def __init__(self, features=1, momentum=MOMENTUM):
        self.mean = jnp.zeros(features)
        self.var = jnp.ones(features)
        self.scale = jnp.ones(features)
        self.bias = jnp.zeros(features)
        self.momentum = momentum

    def apply(self, x, train):
        if train:
            mean = x.mean(0)
            var = ((x - mean) ** 2).mean(0)
            m = self.momentum
            self.mean = m * self.mean + (1 - m) * mean
            self.var = m * self.var + (1 - m) * var
        else:
            mean, var = self.mean, self.var
        y = (x - mean) / jnp.sqrt(var + EPSILON)
        return self.scale * y + self.bias
