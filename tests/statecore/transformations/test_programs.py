"""A carry keeps its type: what scan refuses and what it promotes."""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statecore import lockstep
from statecore import transformations as tf
from statecore.program import Program
from statecore.transformations import tries

XS = jnp.array([4.0, 1.0, 2.5, 0.5])


def running_means(xs):
    return np.cumsum(xs) / np.arange(1, len(xs) + 1)


def lane(make, init):
    return lockstep.start(Program(make, tf.call_with_state, init, lambda k: (XS + k,), (tf.mean_step,)))


def test_an_int_carry_is_refused_by_scan_and_passes_in_a_python_loop():
    broken = lockstep.step(lane(tf.scanned, tf.start_with_ints))
    assert isinstance(broken.tape[0], TypeError)
    message = str(broken.tape[0])
    assert "mean" in message
    assert "int32[]" in message
    assert "float32[]" in message
    assert "carry" in message
    loop = lockstep.step(lane(tf.plain, tf.start_with_ints))
    np.testing.assert_allclose(loop.tape[0], running_means(XS + 1), rtol=1e-6)


def test_a_float_carry_goes_through_and_on_into_the_next_call():
    fixed = lockstep.go(lane(tf.scanned, tf.start_with_float), 2)
    everything = np.concatenate([XS + 1, XS + 2])
    np.testing.assert_allclose(np.concatenate(fixed.tape), running_means(everything), rtol=1e-5)
    assert int(fixed.moment.state.count) == 8
    assert (fixed.moment.state.count.dtype, fixed.moment.state.mean.dtype) == (jnp.int32, jnp.float32)
    assert lockstep.go(fixed, 1).moment.seen.traced
    assert not fixed.moment.seen.traced
    assert tf.start_with_float().count == 0


def test_the_programs_on_show_average_all_values_so_far_or_refuse():
    broken, fixed = (lockstep.go(lockstep.start(tf.PROGRAMS[key]), 2) for key in ("broken", "fixed"))
    values = np.concatenate([tf.PROGRAMS["fixed"].inputs(k)[0] for k in (1, 2)])
    np.testing.assert_allclose(np.concatenate(fixed.tape), running_means(values), rtol=1e-5)
    assert [type(error) for error in broken.tape] == [TypeError, TypeError]
    assert (int(broken.moment.state.count), broken.kept) == (0, None)


def test_python_numbers_are_promoted_and_hide_the_mistake():
    """A weakly typed 0 may become a float: the error needs an int32 that means it."""
    values, _ = tf.scanned()(tf.Mean(0, 0), XS)
    np.testing.assert_allclose(values, running_means(XS), rtol=1e-6)
    for works in (tries.start_with_python_numbers, tries.ints_in_a_python_loop):
        state = works(XS)
        assert (int(state.count), state.mean.dtype) == (4, jnp.float32)
        np.testing.assert_allclose(state.mean, np.mean(XS))


@pytest.mark.parametrize("zero", [0, 0.0, jnp.array(0)], ids=["0", "0.0", "jnp.array(0)"])
def test_a_weakly_typed_start_is_promoted_by_rule(zero):
    assert jnp.asarray(zero).weak_type
    _, state = tf.scanned()(tf.Mean(0, zero), XS)
    assert state.mean == np.mean(XS)


@pytest.mark.parametrize("zero", [jnp.int32(0), np.int32(0), False], ids=["jnp.int32(0)", "np.int32(0)", "False"])
def test_a_start_with_a_type_of_its_own_is_refused(zero):
    assert not jnp.asarray(zero).weak_type
    with pytest.raises(TypeError, match="carry"):
        tf.scanned()(tf.Mean(jnp.int32(0), zero), XS)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.floats(-1000, 1000, width=32), min_size=4, max_size=4))
def test_the_scan_gives_what_the_python_loop_gives(values):
    xs = jnp.asarray(values, jnp.float32)
    looped, scanned = (make()(tf.start_with_float(), xs) for make in (tf.plain, tf.scanned))
    np.testing.assert_allclose(scanned[0], looped[0], rtol=1e-5, atol=1e-3)
    assert (int(looped[1].count), int(scanned[1].count)) == (4, 4)
