"""Noise from NumPy's generator."""

import jax
import jax.numpy as jnp
import numpy as np

# broken
rng = np.random.default_rng(seed=0)


def broken(x):
    return x + rng.normal()


def call_broken(f, k):
    return f(0.0)


def call_broken_vmap(f, k):
    return f(jnp.zeros(3))


# fixed
def fixed(x, key):
    return x + jax.random.normal(key)


root = jax.random.key(0)


def call_fixed(f, k):
    key = jax.random.fold_in(root, k)
    return f(0.0, key)


def call_fixed_vmap(f, k):
    key = jax.random.fold_in(root, k)
    keys = jax.random.split(key, 3)
    return f(jnp.zeros(3), keys)
