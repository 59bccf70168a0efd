"""Whole runs of the page's update, against Python and NumPy loops, and their bits."""

import jax
import numpy as np
import pytest

from statecore import line, regression, training
from statecore.history import History
from statecore.line import Data, Params
from statecore.regression.runs import LEARNER
from tests.helpers import compilations, finish
from tests.statecore.regression.problems import numpy_loop, problem, python_loop


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_descent_converges_just_below_the_largest_stable_rate_and_diverges_just_above(seed):
    params, data = problem(seed)
    limit = line.largest_stable_rate(data)
    least = float(line.loss(line.least_squares(data), *data))
    below = regression.run(params, data, 0.98 * limit, 1000)
    assert below.loss[-1] == pytest.approx(least, rel=1e-4)
    assert line.growth(data, 0.98 * limit) < 1
    above = regression.run(params, data, 1.02 * limit, 1000)
    assert not above.loss[-1] <= 1e6 * above.loss[0]
    assert line.growth(data, 1.02 * limit) > 1


@pytest.mark.parametrize("rate", [0.005, 0.3, 0.9])
def test_a_run_is_the_python_loop_of_the_same_update(rate):
    params, data = problem()
    history, loop = regression.run(params, data, rate, 300), python_loop(params, data, rate, 300)
    np.testing.assert_array_equal(history.states.weight, loop.states.weight)  # bitwise: the scan runs this very update
    np.testing.assert_array_equal(history.states.bias, loop.states.bias)
    np.testing.assert_allclose(history.loss, loop.loss, rtol=1e-6)  # the loop's loss is not jitted


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-4), (np.float64, 1e-5)])
@pytest.mark.parametrize("points", [16, 128])
def test_a_run_is_gradient_descent_by_hand(dtype, tolerance, points):
    params, data = problem(4, points)
    history, by_hand = regression.run(params, data, 0.05, 300), numpy_loop(params, data, 0.05, 300, dtype)
    for mine, its in zip(jax.tree.leaves(history), jax.tree.leaves(by_hand), strict=True):
        np.testing.assert_allclose(mine, its, rtol=tolerance, atol=1e-6)


def test_the_first_state_is_included():
    params, data = problem()
    history = regression.run(params, data, 0.1, 10)
    assert len(history) == 11
    assert history[0] == Params(*(np.float32(leaf) for leaf in params))
    assert {column.dtype for column in (history.states.weight, history.states.bias, history.loss)} == {
        np.dtype(np.float32)
    }


@pytest.mark.parametrize("steps", [0, 1, 100, 1022, 1023, 1024, 1025, 2500])
def test_chunks_do_not_show(steps):
    params, data = problem()
    longest = regression.run(params, data, 0.05, 2500)
    history, shares = finish(training.run(LEARNER, params, data, 0.05, steps))
    assert shares == [min(1024 * k / (steps + 1), 1.0) for k in range(1, len(shares) + 1)]
    assert shares[-1] == 1
    assert history.same_bits(longest.until(steps))


def test_short_chunks_for_many_points_do_not_show_either():
    params, data = problem(points=20_000)
    assert training.chunk_length(20_000) < training.chunk_length(10_000)
    history, shares = finish(training.run(LEARNER, params, data, 0.5, 150))
    assert shares == [64 / 151, 128 / 151, 1.0]
    loop = python_loop(params, data, 0.5, 150)
    np.testing.assert_allclose(history.states.weight, loop.states.weight, rtol=1e-5)
    np.testing.assert_allclose(history.states.bias, loop.states.bias, rtol=1e-5)


@pytest.mark.parametrize("step", [1, 2, 3, 37, 500])
def test_a_run_from_a_past_state_goes_on_bitwise(step):
    params, data = problem()
    whole = regression.run(params, data, 0.3, 500)
    later = regression.run(whole[step], data, 0.3, 500 - step)
    assert whole.until(step).then(later).same_bits(whole)


def test_another_rate_other_values_and_another_length_do_not_compile_again():
    params, data = problem()
    _, other_data = problem(1, weight=-7.0, noise=3.0)
    history = regression.run(params, data, 0.1, 100)
    with compilations() as heard:
        regression.run(params, data, 0.2, 100)
        regression.run(params, other_data, 1e-4, 1000)
        regression.run(history[17], data, 2.0, 3000)
    assert heard == []


def test_another_size_compiles_once():
    params, data = problem(points=17)
    with compilations() as heard:
        for rate in (0.1, 0.2):
            regression.run(params, data, rate, 100)
    assert heard.count("_scan") == 1


def test_whoever_stops_asking_has_cancelled(monkeypatch):
    params, data = problem()
    scan, scans = training._scan, []
    monkeypatch.setattr(training, "_scan", lambda *args: scans.append(1) or scan(*args))
    work = training.run(LEARNER, params, data, 0.1, 100_000)
    next(work)
    next(work)
    work.close()
    assert len(scans) == 2


def test_divergence_is_found_at_its_first_step():
    params, data = problem()
    history = regression.run(params, data, 10.0, 100)
    found = history.first_not_finite
    loop = [k for k in range(101) if not np.isfinite([*history[k], history.loss[k]]).all()]
    assert found == loop[0]
    assert 0 < found < 100
    assert regression.run(params, data, 0.1, 100).first_not_finite is None
    assert history.until(found - 1).first_not_finite is None


def test_a_run_that_diverged_has_the_same_bits_again():
    """NaN equals nothing, not even itself; its bits do."""
    params, data = problem()
    first, again = (regression.run(params, data, 10.0, 100) for _ in range(2))
    assert np.isnan(first.loss[-1])
    assert first.same_bits(again)
    assert not first.same_bits(regression.run(params, data, 9.0, 100))


def test_one_bit_is_a_difference():
    params, data = problem()
    history = regression.run(params, data, 0.1, 10)
    bias = history.states.bias.copy()
    bias[5] = np.nextafter(bias[5], np.float32(1))
    assert not history.same_bits(History(Params(history.states.weight, bias), history.loss))
    assert not history.same_bits(history.until(9))


@pytest.mark.parametrize("steps", [-1, 1001])
def test_a_run_outside_the_cap(steps):
    params, _ = problem()
    column = np.broadcast_to(np.float32(0), (1_000_000, 1))
    with pytest.raises(ValueError, match=r"1,000,000 points x -?[\d,]+ steps is not within 0 to 1,000,000,000"):
        regression.run(params, Data(column, column), 0.1, steps)


def test_what_is_offered_is_within_the_cap_somewhere():
    assert list(regression.POINTS) == sorted(regression.POINTS)
    assert list(regression.STEPS) == sorted(regression.STEPS)
    assert regression.POINTS[0] * regression.STEPS[-1] <= training.MAX_WORK
    assert regression.POINTS[-1] * regression.STEPS[0] <= training.MAX_WORK
