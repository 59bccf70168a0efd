"""An array kept on self: what is left there is a tracer."""

import jax.numpy as jnp


# broken
class Accumulator:
    def __init__(self):
        self.total = jnp.zeros(())

    def add(self, x):
        self.total = self.total + x
        return self.total


accumulator = Accumulator()
broken = accumulator.add


def call_broken(f, k):
    return f(1.0)


def after_broken():
    return accumulator.total + 1.0


# fixed
def fixed(total, x):
    total = total + x
    return total, total


start = jnp.zeros(())


def call_fixed(f, k, total):
    value, total = f(total, 1.0)
    return value, total


def after_fixed(total):
    return total + 1.0
