"""An iterator inside the body of a compiled loop."""

import itertools

import jax.numpy as jnp

# broken
numbers = itertools.cycle(range(10))


def broken(i, total):
    return total + next(numbers)


def call_broken(loop, k):
    return loop(10, 0)


# fixed
array = jnp.arange(10)


def fixed(i, total):
    return total + array[i]


def call_fixed(loop, k):
    return loop(10, 0)
