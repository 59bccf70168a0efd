import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from statecore import counter
from statecore.counter import PROGRAMS, Counter, CounterV2, scan_count
from tests.helpers import compilations


def test_the_impure_counter_counts_in_plain_python():
    count = Counter().count
    assert [count() for _ in range(3)] == [1, 2, 3]


def test_the_impure_counter_counts_once_per_trace_under_jit():
    impure = Counter()
    count = jax.jit(impure.count)
    assert [int(count()) for _ in range(3)] == [1, 1, 1]
    assert impure.n == 1


def test_reset_of_the_impure_counter_changes_it():
    impure = Counter()
    impure.count()
    impure.reset()
    assert impure.n == 0
    assert impure.count() == 1


@pytest.mark.parametrize("start", [0, 7, -3])
def test_the_pure_counter_returns_value_and_state(start):
    assert CounterV2().count(start) == (start + 1, start + 1)


def test_the_pure_counter_holds_nothing():
    pure = CounterV2()
    assert pure.reset() == 0
    assert pure.count(5) == pure.count(5)
    assert vars(pure) == {}


def test_jit_of_the_pure_counter_equals_eager():
    count = jax.jit(CounterV2().count)
    state = CounterV2().reset()
    for expected in range(1, 6):
        value, state = count(state)
        assert (int(value), int(state)) == (expected, expected)


def test_another_count_does_not_compile_again():
    count = jax.jit(CounterV2().count)
    _, state = count(jnp.int32(0))
    with compilations() as heard:
        for _ in range(3):
            _, state = count(state)
    assert heard == []
    assert int(state) == 4


def test_vmap_counts_many_states_at_once():
    states = jnp.array([0, 10, 20])
    values, new = jax.vmap(CounterV2().count)(states)
    np.testing.assert_array_equal(values, [1, 11, 21])
    np.testing.assert_array_equal(new, [1, 11, 21])
    np.testing.assert_array_equal(states, [0, 10, 20])


@pytest.mark.parametrize("calls", [0, 1, 5, 100])
@pytest.mark.parametrize("start", [0, 41])
def test_scan_count_equals_a_loop_of_calls(calls, start):
    values, state = scan_count(CounterV2().count, start, calls)
    np.testing.assert_array_equal(values, np.arange(start + 1, start + calls + 1))
    assert values.shape == (calls,)
    assert int(state) == start + calls


def test_scan_count_goes_through_jit_and_vmap():
    counts = jax.jit(jax.vmap(lambda state: scan_count(CounterV2().count, state, 4)))
    values, states = counts(jnp.array([0, 10]))
    np.testing.assert_array_equal(values, [[1, 2, 3, 4], [11, 12, 13, 14]])
    np.testing.assert_array_equal(states, [4, 14])


def test_scan_runs_the_body_of_the_impure_counter_once():
    impure = Counter()
    values, _ = scan_count(lambda state: (impure.count(), state), jnp.int32(0), 5)
    np.testing.assert_array_equal(values, [1] * 5)
    assert impure.n == 1


def test_every_program_is_made_of_fresh_objects():
    for name in ("plain", "broken"):
        first, second = (inspect.unwrap(PROGRAMS[name].make()) for _ in range(2))
        assert first.__self__ is not second.__self__
    assert PROGRAMS["fixed"].make() is not PROGRAMS["fixed"].make()


def test_only_the_fixed_program_is_handed_its_state():
    assert {name: program.explicit for name, program in PROGRAMS.items()} == {
        "plain": False,
        "broken": False,
        "fixed": True,
    }
    assert PROGRAMS["fixed"].init() == 0


def test_the_calling_lines():
    assert counter.call(Counter().count) == 1
    assert counter.call_with_state(CounterV2().count, 3) == (4, 4)
