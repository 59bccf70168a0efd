"""Histories of any numbers: cut, joined, compared bit for bit."""

import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from statecore.history import History, columns, join

FLOATS = st.floats(width=32, allow_nan=True, allow_infinity=True)


@st.composite
def histories(draw, least: int = 1):
    """A history of 1 to 30 steps: a float, a count, a vector, and the loss."""
    steps = draw(st.integers(least, 30))
    states = {
        "w": draw(arrays(np.float32, steps, elements=FLOATS)),
        "count": np.arange(steps, dtype=np.int32),
        "mu": (draw(arrays(np.float32, (steps, 2), elements=FLOATS)),),
    }
    return History(states, draw(arrays(np.float32, steps, elements=FLOATS)))


@given(histories(), st.data())
def test_a_history_cut_anywhere_and_joined_is_the_same(history, data):
    step = data.draw(st.integers(0, len(history) - 1))
    later = jax.tree.map(lambda column: column[step:], history)
    assert history.until(step).then(later).same_bits(history)
    assert len(history.until(step)) == step + 1
    assert join([history]).same_bits(history)


@given(histories(), histories())
def test_then_begins_the_later_run_at_its_first_step(history, later):
    both = history.then(later)
    assert len(both) == len(history) + len(later) - 1
    if len(history) > 1:
        assert both.until(len(history) - 2).same_bits(history.until(len(history) - 2))
    assert jax.tree.map(lambda column: column[len(history) - 1 :], both).same_bits(later)


@given(histories(), st.data())
def test_one_bit_anywhere_is_a_difference(history, data):
    leaves, structure = jax.tree.flatten(jax.tree.map(np.copy, history))
    raw = leaves[data.draw(st.integers(0, len(leaves) - 1))].view(np.uint8).reshape(-1)
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert not history.same_bits(jax.tree.unflatten(structure, leaves))
    assert history.same_bits(jax.tree.map(np.copy, history))


@given(histories())
def test_the_first_step_that_is_not_finite_is_found_by_looking(history):
    steps = range(len(history))
    bad = [k for k in steps if not all(np.isfinite(leaf[k]).all() for leaf in jax.tree.leaves(history))]
    assert history.first_not_finite == (bad[0] if bad else None)


@given(histories(), FLOATS)
def test_the_first_step_at_a_target_is_found_by_looking(history, target):
    reached = [k for k in range(len(history)) if history.loss[k] <= np.float32(target)]
    assert history.steps_to(target) == (reached[0] if reached else None)


@given(histories(), st.data())
def test_a_step_is_the_state_there(history, data):
    step = data.draw(st.integers(0, len(history) - 1))
    state = history[step]
    assert state["count"] == step
    np.testing.assert_array_equal(state["mu"][0], history.states["mu"][0][step])
    with pytest.raises(IndexError):
        history[len(history)]


def test_histories_of_other_trees_or_dtypes_differ():
    numbers = np.zeros(3, np.float32)
    history = History({"a": numbers}, numbers)
    assert not history.same_bits(History({"b": numbers}, numbers))
    assert not history.same_bits(History({"a": np.zeros(3, np.int32)}, numbers))
    assert not history.same_bits(history.until(1))


@given(histories())
def test_columns_are_named_by_path_and_float32(history):
    found = columns(history.states)
    assert set(found) == {"['count']", "['mu'][0]", "['w']"}
    assert {column.dtype for column in found.values()} == {np.dtype(np.float32)}
    np.testing.assert_array_equal(found["['w']"], history.states["w"])
