"""A line printed on the way."""

import jax
import jax.numpy as jnp


# broken
def broken(x):
    print(f"x is {x}")
    return x**2


def call_broken(f, k):
    return f(float(k))


def call_broken_vmap(f, k):
    return f(jnp.array([1.0, 2.0, 3.0]))


# fixed
def show(x):
    print(f"x is {x}")


def fixed(x):
    jax.debug.callback(show, x)
    return x**2


def call_fixed(f, k):
    return f(float(k))


def call_fixed_vmap(f, k):
    return f(jnp.array([1.0, 2.0, 3.0]))


# in a script of your own
def fixed_in_a_script(x):
    jax.debug.print("x is {}", x)
    return x**2
