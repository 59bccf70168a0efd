"""Many threads on one Ref."""

import threading

import jax
import jax.numpy as jnp
import pytest

from statecore.refs import threads


def test_with_the_lock_no_call_is_lost():
    result = threads.race(threads=4, calls=100)
    assert result == threads.Race(400, 400, {})


def test_without_the_lock_every_call_either_counts_or_fails():
    """A donated array has one taker: no count is lost, and no call that fails has counted."""
    result = threads.race(threads=2, calls=50, locked=False)
    assert result.counted + sum(result.errors.values()) == result.calls == 100


def test_the_lock_is_held_while_either_of_two_functions_runs():
    lock, free = threading.Lock(), []
    pair = [threads.one_at_a_time(lambda: free.append(lock.acquire(blocking=False)), lock) for _ in range(2)]
    for function in pair:
        function()
    assert free == [False, False]
    assert lock.acquire(blocking=False)


def test_a_ref_keeps_its_memory_from_call_to_call():
    """The handle is given up for the time of a call; the memory stays where it is."""
    ref = jax.new_ref(jnp.zeros(1000))

    @jax.jit
    def add():
        ref[...] += 1

    addresses = []
    for _ in range(5):
        addresses.append(ref.unsafe_buffer_pointer())
        add()
    assert len(set(addresses)) == 1
    assert float(ref[0]) == 5


def test_a_race_out_of_range_is_refused():
    with pytest.raises(ValueError, match="threads"):
        threads.race(threads=0)
