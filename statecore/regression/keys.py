"""The keys of data and params: as the JAX page has them, and one for each."""

import jax


def page_keys(seed: int) -> tuple[jax.Array, jax.Array]:
    """The keys of data and params as the JAX page has them: one key, used for both."""
    key = jax.random.key(seed)
    return key, key


def separate_keys(seed: int) -> tuple[jax.Array, jax.Array]:
    """The keys of data and params with one more split, so that no key is used twice."""
    data_key, params_key = jax.random.split(jax.random.key(seed))
    return data_key, params_key
