"""A traced value put into a global: it outlives the trace it belongs to."""

import jax.numpy as jnp

# broken
error = jnp.zeros(())


def broken(x):
    global error
    error = jnp.abs(x - 2.0)
    return error**2


def call_broken(f, k):
    return f(float(k))


def after_broken():
    return error + 0.0


# fixed
def fixed(error, x):
    error = jnp.abs(x - 2.0)
    return error**2, error


start = 0.0


def call_fixed(f, k, error):
    value, error = f(error, float(k))
    return value, error


def after_fixed(error):
    return error + 0.0
