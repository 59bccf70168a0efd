"""The gradient of a whole run, against finite differences in float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from statecore import line
from statecore import transformations as tf
from statecore.line import Data
from statecore.transformations import gradient, learners
from tests.statecore.transformations.oracle import DATA, KEY, START, numpy_path


def exact_slope(rate, steps, nudge=1e-5):
    ends = [numpy_path(rate * (1 + sign * nudge), steps)[2, -1] for sign in (-1, 1)]
    return (ends[1] - ends[0]) / (2 * nudge * rate)


@pytest.mark.parametrize("steps", tf.RUN_STEPS)
def test_the_slope_is_that_of_finite_differences(steps):
    limit = line.largest_stable_rate(DATA)
    for rate in (0.01, 0.1, 1.02 * limit):
        error, slope = tf.slope_at(rate, START, DATA, steps)
        rate = float(np.float32(rate))
        np.testing.assert_allclose(error, numpy_path(rate, steps)[2, -1], rtol=1e-3)
        np.testing.assert_allclose(slope, exact_slope(rate, steps), rtol=2e-3)


def test_the_two_slopes_shown_agree():
    _, slope = tf.slope_at(0.05, START, DATA, 20)
    np.testing.assert_allclose(tf.slope_by_differences(0.05, START, DATA, 20), slope, rtol=1e-2)


def test_the_curve_falls_and_rises_and_its_slope_says_so():
    limit = line.largest_stable_rate(DATA)
    curve = tf.rate_curve(START, DATA, (0.001, 1.1 * limit), 20)
    assert curve.rate.shape == curve.loss.shape == curve.slope.shape == (tf.CURVE_POINTS,)
    least = int(np.argmin(curve.loss))
    assert 0 < least < tf.CURVE_POINTS - 1
    assert (curve.slope[: least - 1] < 0).all()
    assert (curve.slope[least + 2 :] > 0).all()


@pytest.mark.parametrize("start", [0.001, 0.02, 0.37])
def test_the_learning_rate_is_learned(start):
    assert line.largest_stable_rate(DATA) < 0.37
    learned = tf.learn_rate(start, START, DATA, 20, meta_rate=0.3)
    least = tf.rate_curve(START, DATA, (0.05, 0.36), 20).loss.min()
    assert learned.rate.shape == learned.loss.shape == learned.slope.shape == (tf.RATE_STEPS + 1,)
    np.testing.assert_allclose(learned.rate[0], start, rtol=1e-5)
    assert learned.loss[0] > least + 0.5
    assert learned.loss[-1] < least + 0.002
    np.testing.assert_allclose(
        learned.rate[1],
        start * np.exp(-0.3 * np.clip(start * learned.slope[0], -1, 1)),
        rtol=1e-3,
    )


def test_jit_equals_eager():
    error, after = tf.rate_step(jnp.log(0.05), START, *DATA, 0.1, 20)
    jitted = jax.jit(tf.rate_step, static_argnames="steps")(jnp.log(0.05), START, *DATA, 0.1, steps=20)
    np.testing.assert_allclose(jitted, (error, after), rtol=1e-5)
    states, losses = tf.train(START, *DATA, 0.05, 10)
    states_jitted, losses_jitted = jax.jit(tf.train, static_argnames="steps")(START, *DATA, 0.05, steps=10)
    np.testing.assert_allclose(losses, losses_jitted, rtol=1e-5)
    np.testing.assert_allclose(states.weight, states_jitted.weight, rtol=1e-5)


def test_other_values_are_not_another_trace(monkeypatch):
    traces, real = [], learners.loss

    def counted(*args):
        traces.append(1)
        return real(*args)

    for module in (learners, gradient):
        monkeypatch.setattr(module, "loss", counted)
    counts = []
    # a number of points that no other test uses, so that the first turn compiles
    for seed, high in ((0, 0.2), (1, 0.3)):
        other = tf.make_data(jax.random.key(seed), points=24)
        tf.learn_together(START, other, (0.01, high), 100, learners=4)
        tf.rate_curve(START, other, (0.01, high), 5)
        tf.learn_rate(high / 10, START, other, 5, meta_rate=high)
        counts.append(len(traces))
    assert counts[0] == counts[1] > 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tf.learn_together(START, DATA, (0.1, 0.2), 101), "steps must be one of"),
        (lambda: tf.learn_together(START, DATA, (0.1, 0.2), 100, 5), "learners must be one of"),
        (lambda: tf.learn_together(START, DATA, (0.2, 0.1), 100), "rates must be two positive"),
        (lambda: tf.rate_curve(START, DATA, (0.0, 0.1), 20), "rates must be two positive"),
        (lambda: tf.rate_curve(START, DATA, (0.1, 0.2), 21), "steps must be one of"),
        (lambda: tf.slope_at(0.1, START, DATA, 21), "steps must be one of"),
        (lambda: tf.learn_rate(0.0, START, DATA, 20), "must be positive"),
        (lambda: tf.learn_rate(0.1, START, DATA, 21), "steps must be one of"),
    ],
)
def test_bad_settings_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_the_data_are_those_of_the_regression_moved():
    before = line.make_data(KEY)
    assert isinstance(DATA, Data)
    np.testing.assert_allclose(DATA.x, before.x + 1)
    np.testing.assert_array_equal(DATA.y, before.y)
