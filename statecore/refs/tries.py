"""Things to try with Refs: each function is run as it stands, and shown as it stands."""

import jax
import jax.numpy as jnp

from statecore.counter import Counter, CounterV2
from statecore.refs.counters import RefCounter


def hidden_set():
    counter = Counter()
    count = jax.jit(counter.count)
    values = [int(count()), int(count())]
    counter.n = 100
    return [*values, int(count())]


def ref_set():
    counter = RefCounter()
    count = jax.jit(counter.count)
    values = [int(count()), int(count())]
    counter.n[...] = 100
    return [*values, int(count())]


def ref_replaced():
    counter = RefCounter()
    count = jax.jit(counter.count)
    values = [int(count()), int(count())]
    counter.n = jax.new_ref(jnp.int32(100))
    return [*values, int(count())]


def old_ref():
    counter = RefCounter()
    count = jax.jit(counter.count)
    before = counter.n
    count()
    return int(before[...])


def old_state():
    count = jax.jit(CounterV2().count)
    before = jnp.int32(0)
    count(before)
    return int(before)
