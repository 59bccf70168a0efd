"""Things to try with keys: each a few lines, run as they are shown."""

import jax
import jax.numpy as jnp
from jax.experimental.random import stateful_rng

from statecore.randomness.programs import jitted_stateful_rng, reuse


def split_twice():
    key = jax.random.key(0)
    _, first = jax.random.split(key)
    _, second = jax.random.split(key)
    return jax.random.normal(first), jax.random.normal(second)


def same_seed_elsewhere():
    data = jax.random.normal(jax.random.key(0))
    params = jax.random.normal(jax.random.key(0))
    return data, params


def old_key_again():
    key = jax.random.key(0)
    values = []
    for _ in range(3):
        _new_key, subkey = jax.random.split(key)
        values.append(jax.random.normal(subkey))
    return values


def checked_reuse():
    key = jax.random.key(0)
    with jax.debug_key_reuse(True):
        value, key = reuse(key)
        value, key = reuse(key)
    return value


def unchecked_raw_key():
    key = jax.random.PRNGKey(0)
    with jax.debug_key_reuse(True):
        first, key = reuse(key)
        second, key = reuse(key)
    return first, second


def unnoticed_reuse():
    key = jax.random.key(0)
    with jax.debug_key_reuse(True):
        first, _ = jax.random.split(key)
        other = jax.random.fold_in(key, 0)
        return (jax.random.normal(first),
                jax.random.normal(other))


def draws_at_once():
    keys = jax.random.split(jax.random.key(0), 3)
    one_by_one = [jax.random.normal(key) for key in keys]
    at_once = jax.vmap(jax.random.normal)(keys)
    return jnp.array_equal(at_once, jnp.stack(one_by_one))


def three_of_two():
    key = jax.random.key(0)
    two, three = jax.random.split(key, 2), jax.random.split(key, 3)
    return [jax.random.normal(keys[0]) for keys in (two, three)]


def generator_on_a_ref():
    sample = jitted_stateful_rng(0)
    return [sample() for _ in range(3)]


def generator_under_vmap():
    rng = stateful_rng(0)

    def noisy(x):
        return x + rng.normal()

    return jax.vmap(noisy)(jnp.zeros(3))
