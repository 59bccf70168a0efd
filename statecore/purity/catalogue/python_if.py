"""A Python `if` on a traced value."""

import jax
import jax.numpy as jnp


# broken
def broken(x):
    if x > 2:
        return 10 * x
    return x


def call_broken(f, k):
    return f(float(k))


def call_broken_vmap(f, k):
    return f(jnp.array([1.0, 2.0, 3.0]))


# fixed
def fixed(x):
    return jnp.where(x > 2, 10 * x, x)


def call_fixed(f, k):
    return f(float(k))


def call_fixed_vmap(f, k):
    return f(jnp.array([1.0, 2.0, 3.0]))


# fixed_cond
def tenfold(x):
    return 10 * x


def unchanged(x):
    return x


def fixed_cond(x):
    return jax.lax.cond(
        x > 2, tenfold, unchanged, x
    )
