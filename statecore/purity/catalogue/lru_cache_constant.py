"""A Python cache that keeps an array made during a trace."""

from functools import lru_cache

import jax.numpy as jnp
import numpy as np


# broken
@lru_cache
def weights(n):
    return jnp.arange(n) / n


def broken(x):
    return (x * weights(4)).sum()


def call_broken(f, k):
    return f(float(k))


def after_broken():
    return weights(4) + 0


# fixed
@lru_cache
def numpy_weights(n):
    return np.arange(n, dtype="float32") / n


def fixed(x):
    return (x * numpy_weights(4)).sum()


def call_fixed(f, k):
    return f(float(k))


def after_fixed():
    return numpy_weights(4) + 0
