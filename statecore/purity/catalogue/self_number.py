"""A number kept on self."""

import jax.numpy as jnp


# broken
class Scaler:
    def __init__(self):
        self.calls = 0

    def scale(self, x):
        self.calls += 1
        return x * self.calls


scaler = Scaler()
broken = scaler.scale


def call_broken(f, k):
    return f(10.0)


def call_broken_vmap(f, k):
    return f(jnp.array([1.0, 2.0, 3.0]))


def after_broken():
    return scaler.calls


# fixed
def fixed(calls, x):
    calls = calls + 1
    return x * calls, calls


start = 0


def call_fixed(f, k, calls):
    value, calls = f(calls, 10.0)
    return value, calls


start_vmap = jnp.zeros(3)


def call_fixed_vmap(f, k, calls):
    x = jnp.array([1.0, 2.0, 3.0])
    values, calls = f(calls, x)
    return values, calls


def after_fixed(calls):
    return calls
