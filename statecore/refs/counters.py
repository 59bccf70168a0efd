"""Three counters: state hidden in self, in a Ref, and explicit; also with a reset, and inside a scan.

A step of the explicit ones is `count(n) -> (value, n)`, output first; `scan` wants the
carry first, so its body turns the two around.
"""

import jax
import jax.numpy as jnp

from statecore.counter import Counter, CounterV2


class RefCounter:
    """The counter that changes itself, kept in a Ref: `jit` sees the read and the write."""

    def __init__(self):
        self.n = jax.new_ref(
            jnp.int32(0))

    def count(self):
        self.n[...] += 1
        return self.n[...]

    def reset(self):
        self.n[...] = 0


class HiddenReset(Counter):
    """The hidden counter, with a call that may reset it first."""

    def count_after(self, reset):
        if reset:
            self.reset()
        return self.count()


class RefReset(RefCounter):
    """The Ref counter, with a call that may reset it first."""

    def count_after(self, reset):
        if reset:
            self.reset()
        return self.count()


class ExplicitReset(CounterV2):
    """The explicit counter, with a call that may reset it first."""

    def reset(self):
        return jnp.int32(0)

    def count_after(self, n, reset):
        if reset:
            n = self.reset()
        return self.count(n)


class HiddenScan(Counter):
    """The hidden counter, counting five times in one compiled loop."""

    def count_five(self):
        def body(carry, _):
            return carry, self.count()

        _, values = jax.lax.scan(
            body, None, None, length=5)
        return values


class RefScan(RefCounter):
    """The Ref counter, counting five times in one compiled loop."""

    def count_five(self):
        def body(carry, _):
            return carry, self.count()

        _, values = jax.lax.scan(
            body, None, None, length=5)
        return values


class ExplicitScan(CounterV2):
    """The explicit counter, counting five times in one compiled loop."""

    def count_five(self, n):
        def body(n, _):
            value, n = self.count(n)
            return n, value

        n, values = jax.lax.scan(
            body, n, None, length=5)
        return values, n
