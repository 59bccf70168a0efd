"""Functions whose keys make trees of different shapes: each draws `draws` numbers from one key."""

import jax
import jax.numpy as jnp


def deep(key, draws):
    values = []
    for _ in range(draws):
        key, subkey = jax.random.split(key)
        values.append(jax.random.normal(subkey))
    return jnp.stack(values)


def wide(key, draws):
    keys = jax.random.split(key, draws)
    values = [jax.random.normal(k) for k in keys]
    return jnp.stack(values)


def folded(key, draws):
    values = []
    for step in range(draws):
        subkey = jax.random.fold_in(key, step)
        values.append(jax.random.normal(subkey))
    return jnp.stack(values)


def reused(key, draws):
    values = []
    for _ in range(draws):
        values.append(jax.random.normal(key))
    return jnp.stack(values)


def split_and_folded(key, draws):
    first = jax.random.split(key, draws)[0]
    other = jax.random.fold_in(key, 0)
    return jnp.stack([
        jax.random.normal(first),
        jax.random.normal(other)])


def folded_twice(key, draws):
    values = []
    for _ in range(draws):
        subkey = jax.random.fold_in(key, 0)
        values.append(jax.random.normal(subkey))
    return jnp.stack(values)
