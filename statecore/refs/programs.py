"""The counters under jit, as programs on show."""

import jax
import jax.numpy as jnp

from statecore.counter import Counter, CounterV2
from statecore.program import Program
from statecore.refs.counters import (
    ExplicitReset,
    ExplicitScan,
    HiddenReset,
    HiddenScan,
    RefCounter,
    RefReset,
    RefScan,
)

RESET_BEFORE = 4
"""The call of the reset programs that resets its counter before it counts."""


def hidden():
    counter = Counter()
    return jax.jit(counter.count)


def ref():
    counter = RefCounter()
    return jax.jit(counter.count)


def explicit():
    counter = CounterV2()
    return jax.jit(counter.count)


def donated():
    counter = CounterV2()
    return jax.jit(
        counter.count, donate_argnums=0)


def hidden_reset():
    counter = HiddenReset()
    return jax.jit(
        counter.count_after,
        static_argnums=0)


def ref_reset():
    counter = RefReset()
    return jax.jit(
        counter.count_after,
        static_argnums=0)


def explicit_reset():
    counter = ExplicitReset()
    return jax.jit(
        counter.count_after,
        static_argnums=1)


def hidden_scan():
    counter = HiddenScan()
    return jax.jit(
        counter.count_five)


def ref_scan():
    counter = RefScan()
    return jax.jit(
        counter.count_five)


def explicit_scan():
    counter = ExplicitScan()
    return jax.jit(
        counter.count_five)


def call(count):
    value = count()
    return value


def call_with_state(count, n):
    value, n = count(n)
    return value, n


def call_after(count, reset):
    value = count(reset)
    return value


def call_n_after(count, n, reset):
    value, n = count(n, reset)
    return value, n


# an int32, as the Ref holds: after a reset, which gives an int32,
# a count that began as a Python 0 would be traced once more
def first_state() -> jax.Array:
    return jnp.int32(0)


def _reset(k: int) -> tuple[bool]:
    return (k == RESET_BEFORE,)


CALL = {
    "hidden": Program(hidden, call),
    "ref": Program(ref, call),
    "explicit": Program(explicit, call_with_state, first_state),
}
"""Every call adds one."""
RESET = {
    "hidden": Program(
        hidden_reset, call_after, inputs=_reset, watch=(HiddenReset.count_after, Counter.count, Counter.reset)
    ),
    "ref": Program(
        ref_reset, call_after, inputs=_reset, watch=(RefReset.count_after, RefCounter.count, RefCounter.reset)
    ),
    "explicit": Program(
        explicit_reset,
        call_n_after,
        first_state,
        inputs=_reset,
        watch=(ExplicitReset.count_after, CounterV2.count, ExplicitReset.reset),
    ),
}
"""As `CALL`; call `RESET_BEFORE` resets its counter first, so it is another program and has a trace of its own."""
SCAN = {
    "hidden": Program(hidden_scan, call, watch=(HiddenScan.count_five, Counter.count)),
    "ref": Program(ref_scan, call, watch=(RefScan.count_five, RefCounter.count)),
    "explicit": Program(explicit_scan, call_with_state, first_state, watch=(ExplicitScan.count_five, CounterV2.count)),
}
"""Every call counts five times in one `scan`."""
