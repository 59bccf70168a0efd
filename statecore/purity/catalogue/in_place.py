"""A write into the array that came in."""

import jax.numpy as jnp
import numpy as np


# broken
def broken(x):
    x[0] += 1
    return x.sum()


x = np.zeros(3)


def call_broken(f, k):
    return f(x)


# fixed
def fixed(x):
    x = x.at[0].add(1)
    return x.sum(), x


start = jnp.zeros(3)


def call_fixed(f, k, x):
    value, x = f(x)
    return value, x
