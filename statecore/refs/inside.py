"""Purity is in the eye of the caller: a Ref that is made inside a function concerns nobody else."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from statecore.refs.refusals import Outcome, attempt

XS = (1.0, 2.0, 3.0, 4.0)
"""What both functions add up, at every call."""


class LeakyTotals:
    """Running totals in a Ref that outlives the call: every call starts where the last one ended."""

    def __init__(self):
        self.total = jax.new_ref(jnp.float32(0))

    def totals(self, xs):
        def body(_, x):
            self.total[...] += x
            return None, self.total[...]

        _, sums = jax.lax.scan(body, None, xs)
        return sums


def totals(xs):
    total = jax.new_ref(jnp.float32(0))

    def body(_, x):
        total[...] += x
        return None, total[...]

    _, sums = jax.lax.scan(body, None, xs)
    return sums


def through_transformations(make: Callable[[], Callable], xs: jax.Array) -> dict[str, Outcome]:
    """Send what `make` builds, built again each time, through JAX's transformations.

    Args:
      make: builds a function of an array of shape (n,) that returns one of shape (n,).
      xs: float32 of shape (n,).

    Returns:
      by name: "first call", "second call", "jit", "vmap" over two rows (xs and 2 xs)
      and "grad" of the last total: the value, or the error raised.
    """
    again = make()
    return {
        "first call": attempt(again, xs),
        "second call": attempt(again, xs),
        "jit": attempt(jax.jit(make()), xs),
        "vmap": attempt(jax.vmap(make()), jnp.stack([xs, 2 * xs])),
        "grad": attempt(_grad(make()), xs),
    }


def _grad(function: Callable) -> Callable:
    return jax.grad(lambda xs: function(xs)[-1])
