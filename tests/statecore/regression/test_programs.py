"""The JAX page's init and update, and the programs on show."""

import inspect

import jax
import numpy as np
import pytest

from statecore import line, lockstep, regression
from statecore.line import Params
from statecore.observation import observe
from statecore.regression import LEARNING_RATE, programs
from tests.statecore.regression.problems import numpy_loop, problem, python_loop


def test_the_page_s_own_run():
    data_key, params_key = regression.page_keys(42)
    data, params = regression.make_data(data_key), regression.init(params_key)
    history = regression.run(params, data, LEARNING_RATE, 1000)
    assert LEARNING_RATE == 0.005
    assert len(history) == 1001
    assert history.loss[0] == pytest.approx(5.8121557, rel=1e-6)
    assert history.states.weight[-1] == pytest.approx(1.9722791, rel=1e-6)
    assert history.states.bias[-1] == pytest.approx(-1.0331397, rel=1e-6)
    assert history.loss[-1] == pytest.approx(0.21343815, rel=1e-6)
    best = line.least_squares(data)
    assert (best.weight, best.bias) == pytest.approx((1.97252, -1.03336), abs=1e-5)
    assert line.largest_stable_rate(data) == pytest.approx(0.9205, abs=1e-4)


def test_the_page_uses_its_key_twice_and_it_shows():
    data_key, params_key = regression.page_keys(42)
    data, params = regression.make_data(data_key), regression.init(params_key)
    assert params.weight == data.x[0, 0]
    with jax.debug_key_reuse(True):
        data_key, params_key = regression.page_keys(42)
        regression.make_data(data_key)
        with pytest.raises(jax.errors.KeyReuseError):
            regression.init(params_key)


@pytest.mark.parametrize("seed", [0, 1, 42])
def test_the_separate_keys_use_no_key_twice(seed):
    with jax.debug_key_reuse(True):
        params, data = problem(seed)
    assert params.weight != data.x[0, 0]
    data_key, params_key = regression.separate_keys(seed)
    assert not np.array_equal(jax.random.key_data(data_key), jax.random.key_data(params_key))


def test_params_are_scalars_drawn_from_two_keys():
    params = regression.init(jax.random.key(0))
    assert params.weight.shape == params.bias.shape == ()
    assert params.weight != params.bias


@pytest.mark.parametrize("rate", [0.0, 0.005, 0.5])
def test_update_is_one_step_down_the_gradient(rate):
    params, data = problem()
    expected = numpy_loop(params, data, rate, 1, np.float64)[1]
    new = regression.update(params, *data, rate)
    assert isinstance(new, Params)
    np.testing.assert_allclose(new, expected, rtol=1e-5)


def test_update_has_the_page_s_rate_unless_told():
    params, data = problem()
    np.testing.assert_allclose(
        regression.update(params, *data), regression.update(params, *data, LEARNING_RATE), rtol=1e-6
    )


def test_update_leaves_the_old_params_alone():
    params, data = problem()
    before = [float(leaf) for leaf in params]
    regression.update(params, *data, 0.5)
    assert [float(leaf) for leaf in params] == before


@pytest.mark.parametrize("rate", [0.005, 0.5])
def test_jit_equals_eager(rate):
    params, data = problem()
    fast = regression.update(params, *data, rate)
    with jax.disable_jit():
        eager = regression.update(params, *data, rate)
    np.testing.assert_allclose(fast, eager, rtol=1e-6)


def test_a_second_step_and_another_rate_do_not_trace_again():
    params, data = problem()
    _, other_data = problem(1)
    update = programs.fixed()
    assert observe(update, params, *data, 0.1).traced
    new = update(params, *data, 0.1)
    for args in [(new, *data, 0.1), (new, *data, 0.2), (params, *other_data, 1e9), (new, *other_data, float("nan"))]:
        seen = observe(update, *args)
        assert not seen.traced
        assert seen.ran == frozenset()
    _, longer = problem(points=129)
    assert observe(update, params, *longer, 0.1).traced


def test_the_programs_on_show_learn_and_do_not_learn():
    lanes = {name: lockstep.go(lockstep.start(program), 5) for name, program in programs.programs().items()}
    flat, learning = ([float(loss) for loss in lanes[name].tape] for name in ("broken", "fixed"))
    assert len(set(flat)) == 1
    assert learning == sorted(learning, reverse=True)
    assert len(set(learning)) == 5
    assert flat[0] == pytest.approx(learning[0], rel=1e-6)
    first = lanes["fixed"].moment.before["state"]
    params, data = programs.programs()["fixed"].init(), programs.programs()["fixed"].inputs(1)
    np.testing.assert_allclose(first, python_loop(params, data, LEARNING_RATE, 4)[4], rtol=1e-6)


@pytest.mark.parametrize("name", ["broken", "fixed"])
def test_the_first_call_traces_for_every_visitor(name):
    """Also after `update` itself was traced: `jit` shares traces between wrappers of one function."""
    params, data = problem()
    regression.update(params, *data)
    program = programs.programs()[name]
    for _ in range(3):
        lane = lockstep.go(lockstep.start(program), 2)
        first = lockstep.go(lane, 1)
        assert (first.moment.seen.traced, lane.moment.seen.traced) == (True, False)
        assert first.moment.seen.ran > lane.moment.seen.ran


def test_a_copy_is_the_same_code_in_another_function():
    body = inspect.unwrap(regression.update)
    copy = programs.copy_of(regression.update)
    assert copy is not body
    assert copy != body
    assert copy.__code__ is body.__code__  # so its lines are those shown
    params, data = problem()
    np.testing.assert_array_equal(jax.jit(copy)(params, *data), regression.update(params, *data))
