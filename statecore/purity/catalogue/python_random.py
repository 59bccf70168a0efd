"""A die from Python's generator."""

import random

import jax
import jax.numpy as jnp

# broken
rng = random.Random(1)


def broken(x):
    return x + rng.randint(1, 6)


def call_broken(f, k):
    return f(0)


def call_broken_vmap(f, k):
    return f(jnp.zeros(3, int))


# fixed
def fixed(x, key):
    die = jax.random.randint(key, (), 1, 7)
    return x + die


root = jax.random.key(2)


def call_fixed(f, k):
    key = jax.random.fold_in(root, k)
    return f(0, key)


def call_fixed_vmap(f, k):
    key = jax.random.fold_in(root, k)
    keys = jax.random.split(key, 3)
    return f(jnp.zeros(3, int), keys)
