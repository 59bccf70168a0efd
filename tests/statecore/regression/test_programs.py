import inspect
import io

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from statecore import lockstep, regression
from statecore.observe import observe
from statecore.regression import LEARNING_RATE, Data, History, Params
from tests.helpers import compilations


def problem(seed: int = 0, points: int = 128, **truth) -> tuple[Params, Data]:
    data_key, params_key = regression.separate_keys(seed)
    return regression.init(params_key), regression.make_data(data_key, points, **truth)


def python_loop(params: Params, data: Data, learning_rate, steps: int) -> History:
    """The page's own loop: the same jitted update, called step by step."""
    weights, biases, losses = [], [], []
    for _ in range(steps + 1):
        weights.append(params.weight)
        biases.append(params.bias)
        losses.append(regression.loss(params, *data))
        params = regression.update(params, *data, learning_rate)
    return History(*(np.asarray(column, np.float32) for column in (weights, biases, losses)))


def numpy_loop(params: Params, data: Data, learning_rate: float, steps: int, dtype) -> History:
    """Gradient descent on the mean squared error by hand, without JAX."""
    x, y = (np.asarray(values, dtype).ravel() for values in data)
    weight, bias = (np.asarray(leaf, dtype)[()] for leaf in params)
    rate, two = dtype(learning_rate), dtype(2)
    columns = [[], [], []]
    for _ in range(steps + 1):
        error = weight * x + bias - y
        for column, number in zip(columns, (weight, bias, np.mean(error**2)), strict=True):
            column.append(number)
        weight = weight - rate * two * np.mean(error * x)
        bias = bias - rate * two * np.mean(error)
    return History(*(np.asarray(column) for column in columns))


# --- the page ---------------------------------------------------------------------------------------------


def test_the_page_s_own_run():
    data_key, params_key = regression.page_keys(42)
    data, params = regression.make_data(data_key), regression.init(params_key)
    history = regression.run(params, data, LEARNING_RATE, 1000)
    assert LEARNING_RATE == 0.005
    assert len(history) == 1001
    assert history.loss[0] == pytest.approx(5.8121557, rel=1e-6)
    assert history.weight[-1] == pytest.approx(1.9722791, rel=1e-6)
    assert history.bias[-1] == pytest.approx(-1.0331397, rel=1e-6)
    assert history.loss[-1] == pytest.approx(0.21343815, rel=1e-6)
    best = regression.least_squares(data)
    assert (best.weight, best.bias) == pytest.approx((1.97252, -1.03336), abs=1e-5)
    assert regression.largest_stable_rate(data) == pytest.approx(0.9205, abs=1e-4)


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


# --- data, params, loss, update ---------------------------------------------------------------------------


@pytest.mark.parametrize("points", [16, 128, 1_000])
def test_data_has_the_shape_and_the_truth_asked_for(points):
    _, data = problem(3, points, weight=-4.0, bias=0.5, noise=0.0)
    assert data.x.shape == data.y.shape == (points, 1)
    assert data.x.dtype == data.y.dtype == jnp.float32
    np.testing.assert_allclose(data.y, -4.0 * data.x + 0.5, rtol=1e-5, atol=1e-6)


def test_noise_is_scaled_and_nothing_else_changes():
    _, quiet = problem(3, 10_000, noise=0.0)
    _, noisy = problem(3, 10_000, noise=0.25)
    np.testing.assert_array_equal(quiet.x, noisy.x)
    assert np.std(np.asarray(noisy.y - quiet.y)) == pytest.approx(0.25, rel=0.05)


def test_a_seed_gives_the_same_data_and_another_seed_other_data():
    first, again, other = (problem(seed)[1] for seed in (5, 5, 6))
    np.testing.assert_array_equal(first.x, again.x)
    np.testing.assert_array_equal(first.y, again.y)
    assert not np.array_equal(first.x, other.x)


def test_params_are_scalars_drawn_from_two_keys():
    params = regression.init(jax.random.key(0))
    assert params.weight.shape == params.bias.shape == ()
    assert params.weight != params.bias


def test_loss_is_the_mean_squared_error():
    params, data = problem()
    x, y = (np.asarray(values, np.float64) for values in data)
    expected = np.mean((float(params.weight) * x + float(params.bias) - y) ** 2)
    assert float(regression.loss(params, *data)) == pytest.approx(expected, rel=1e-5)


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
    update = regression.fixed()
    assert observe(update, params, *data, 0.1).traced
    new = update(params, *data, 0.1)
    for args in [(new, *data, 0.1), (new, *data, 0.2), (params, *other_data, 1e9), (new, *other_data, float("nan"))]:
        seen = observe(update, *args)
        assert not seen.traced
        assert seen.ran == frozenset()
    _, longer = problem(points=129)
    assert observe(update, params, *longer, 0.1).traced


# --- closed forms -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("points", [2, 16, 128, 10_000])
@pytest.mark.parametrize("truth", [{}, {"weight": -30.0, "bias": 100.0, "noise": 7.0}])
def test_least_squares_is_numpy_s(points, truth):
    _, data = problem(7, points, **truth)
    x, y = (np.asarray(values, np.float64) for values in data)
    expected, *_ = np.linalg.lstsq(np.hstack([x, np.ones_like(x)]), y, rcond=None)
    np.testing.assert_allclose(regression.least_squares(data), expected.ravel(), rtol=1e-9, atol=1e-9)


def test_the_gradient_vanishes_at_least_squares():
    _, data = problem()
    best = Params(*(jnp.float32(leaf) for leaf in regression.least_squares(data)))
    np.testing.assert_allclose(jax.grad(regression.loss)(best, *data), [0, 0], atol=1e-6)


def test_curvature_is_the_hessian_of_the_loss():
    params, data = problem()
    hessian = jax.hessian(regression.loss)(params, *data)
    np.testing.assert_allclose(np.asarray(hessian).reshape(2, 2), regression.curvature(data), rtol=1e-5, atol=1e-6)


def test_the_largest_stable_rate_is_two_by_the_largest_eigenvalue():
    _, data = problem()
    x = np.asarray(data.x, np.float64).ravel()
    design = np.stack([x, np.ones_like(x)], axis=1)
    largest = np.max(np.linalg.svd(design, compute_uv=False)) ** 2 * 2 / len(x)
    assert regression.largest_stable_rate(data) == pytest.approx(2 / largest, rel=1e-9)
    assert regression.growth(data, regression.largest_stable_rate(data)) == pytest.approx(1, rel=1e-9)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_descent_converges_just_below_the_largest_stable_rate_and_diverges_just_above(seed):
    params, data = problem(seed)
    limit = regression.largest_stable_rate(data)
    least = float(regression.loss(regression.least_squares(data), *data))
    below = regression.run(params, data, 0.98 * limit, 1000)
    assert below.loss[-1] == pytest.approx(least, rel=1e-4)
    assert regression.growth(data, 0.98 * limit) < 1
    above = regression.run(params, data, 1.02 * limit, 1000)
    assert not above.loss[-1] <= 1e6 * above.loss[0]
    assert regression.growth(data, 1.02 * limit) > 1


def test_growth_is_what_one_step_does_to_the_error_in_the_worst_direction():
    _, data = problem()
    rate = 1.5 * regression.largest_stable_rate(data)
    best = np.array(regression.least_squares(data))
    worst = np.linalg.eigh(regression.curvature(data))[1][:, -1]
    before = Params(*(jnp.float32(leaf) for leaf in best + 100 * worst))
    after = np.array(regression.update(before, *data, rate))
    assert np.linalg.norm(after - best) / 100 == pytest.approx(regression.growth(data, rate), rel=1e-4)


def test_loss_on_grid_is_the_loss():
    _, data = problem()
    weights, biases = np.linspace(-3, 5, 7), np.linspace(-40, 2, 5)
    grid = regression.loss_on_grid(data, weights, biases)
    assert grid.shape == (5, 7)
    expected = [[float(regression.loss(Params(w, b), *data)) for w in weights] for b in biases]
    np.testing.assert_allclose(grid, expected, rtol=1e-5)


def test_the_least_loss_on_a_grid_is_at_least_squares():
    _, data = problem()
    best = regression.least_squares(data)
    grid = regression.loss_on_grid(data, best.weight + np.array([-1, 0, 1]), best.bias + np.array([-0.5, 0, 0.5]))
    assert grid[1, 1] == grid.min()


# --- a whole run ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [0.005, 0.3, 0.9])
def test_a_run_is_the_python_loop_of_the_same_update(rate):
    params, data = problem()
    history, loop = regression.run(params, data, rate, 300), python_loop(params, data, rate, 300)
    np.testing.assert_array_equal(history.weight, loop.weight)  # bitwise: the scan runs this very update
    np.testing.assert_array_equal(history.bias, loop.bias)
    np.testing.assert_allclose(history.loss, loop.loss, rtol=1e-6)  # the loop's loss is not jitted


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-4), (np.float64, 1e-5)])
@pytest.mark.parametrize("points", [16, 128])
def test_a_run_is_gradient_descent_by_hand(dtype, tolerance, points):
    params, data = problem(4, points)
    history, by_hand = regression.run(params, data, 0.05, 300), numpy_loop(params, data, 0.05, 300, dtype)
    for mine, its in ((history.weight, by_hand.weight), (history.bias, by_hand.bias), (history.loss, by_hand.loss)):
        np.testing.assert_allclose(mine, its, rtol=tolerance, atol=1e-6)


def test_the_first_state_is_included():
    params, data = problem()
    history = regression.run(params, data, 0.1, 10)
    assert len(history) == 11
    assert history[0] == Params(*(np.float32(leaf) for leaf in params))
    assert {column.dtype for column in (history.weight, history.bias, history.loss)} == {np.dtype(np.float32)}


@pytest.mark.parametrize("steps", [0, 1, 100, 1022, 1023, 1024, 1025, 2500])
def test_chunks_do_not_show(steps):
    params, data = problem()
    longest = regression.run(params, data, 0.05, 2500)
    chunks = list(regression.run_in_chunks(params, data, 0.05, steps))
    assert [len(chunk) for chunk in chunks[:-1]] == [1024 * k for k in range(1, len(chunks))]
    assert len(chunks[-1]) == steps + 1
    for chunk in chunks:
        assert chunk.same_bits(longest.until(len(chunk) - 1))


def test_short_chunks_for_many_points_do_not_show_either():
    params, data = problem(points=20_000)
    assert regression.chunk_length(20_000) < regression.chunk_length(10_000)
    chunks = list(regression.run_in_chunks(params, data, 0.5, 150))
    assert [len(chunk) for chunk in chunks] == [64, 128, 151]
    loop = python_loop(params, data, 0.5, 150)
    np.testing.assert_allclose(chunks[-1].weight, loop.weight, rtol=1e-5)
    np.testing.assert_allclose(chunks[-1].bias, loop.bias, rtol=1e-5)


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
    assert heard.count("_scan_steps") == 1


def test_whoever_stops_asking_has_cancelled(monkeypatch):
    params, data = problem()
    scan, scans = regression._scan, []
    monkeypatch.setattr(regression, "_scan", lambda *args, **kwargs: scans.append(1) or scan(*args, **kwargs))
    work = regression.run_in_chunks(params, data, 0.1, 100_000)
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
    bias = history.bias.copy()
    bias[5] = np.nextafter(bias[5], np.float32(1))
    assert not history.same_bits(History(history.weight, bias, history.loss))
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
    assert regression.POINTS[0] * regression.STEPS[-1] <= regression.MAX_WORK
    assert regression.POINTS[-1] * regression.STEPS[0] <= regression.MAX_WORK


# --- the trainer that never learns ------------------------------------------------------------------------


def broken_after(calls: int):
    params, data = problem()
    update = regression.broken(params, 0.1)
    losses = [update(*data) for _ in range(calls)]
    return inspect.unwrap(update).__self__, losses, params, data


def test_without_jit_the_trainer_learns_as_the_pure_update_does():
    params, data = problem()
    trainer = regression.Trainer(params, 0.1)
    losses = [float(trainer.update(*data)) for _ in range(50)]
    loop = python_loop(params, data, 0.1, 50)
    np.testing.assert_allclose(losses, loop.loss[:50], rtol=1e-5)
    np.testing.assert_allclose(trainer.params, loop[50], rtol=1e-5)


def test_with_jit_its_loss_is_flat():
    _, losses, params, data = broken_after(10)
    assert {float(loss) for loss in losses} == {float(losses[0])}
    assert float(losses[0]) == pytest.approx(float(regression.loss(params, *data)), rel=1e-6)


def test_with_jit_another_rate_changes_nothing_and_runs_nothing():
    params, data = problem()
    update = regression.broken(params, 0.1)
    first = observe(update, *data)
    inspect.unwrap(update).__self__.learning_rate = 100.0
    second = observe(update, *data)
    assert (first.traced, second.traced) == (True, False)
    assert float(first.value) == float(second.value)


def test_what_the_trainer_s_program_keeps():
    params, data = problem()
    seen = observe(regression.broken(params, 0.1), *data)
    origins = [constant.origin for constant in seen.kept.baked]
    assert origins == ["self.params.weight", "self.params.bias", "self.learning_rate"]
    assert len(seen.kept.inputs) == 2


def test_its_params_looked_at_in_three_ways():
    trainer, *_ = broken_after(1)
    out = io.StringIO()
    assert observe(regression.print_params, trainer, out).error is None
    assert "JitTracer" in out.getvalue()
    assert isinstance(observe(regression.convert_params, trainer).error, jax.errors.ConcretizationTypeError)
    assert isinstance(observe(regression.use_params, trainer).error, jax.errors.UnexpectedTracerError)


def test_a_hidden_trainer_is_really_called():
    _, data = problem(points=16)
    calls = []

    def update(x, y):
        calls.append(1)
        return jnp.float32(len(calls))

    shares = [len(losses) for losses in regression.call_hidden(update, data, 2500)]
    assert shares == [1024, 2048, 2500]
    assert len(calls) == 2500
    assert list(regression.call_hidden(update, data, 0)) == []


def test_a_hidden_trainer_stops_when_nobody_asks():
    _, data = problem(points=16)
    calls = []
    work = regression.call_hidden(lambda x, y: calls.append(1) or x, data, 5000)
    next(work)
    work.close()
    assert len(calls) == regression.chunk_length(16)


# --- on show ----------------------------------------------------------------------------------------------


def test_the_programs_on_show_learn_and_do_not_learn():
    lanes = {name: lockstep.go(lockstep.start(program), 5) for name, program in regression.programs().items()}
    flat, learning = ([float(loss) for loss in lanes[name].tape] for name in ("broken", "fixed"))
    assert len(set(flat)) == 1
    assert learning == sorted(learning, reverse=True)
    assert len(set(learning)) == 5
    assert flat[0] == pytest.approx(learning[0], rel=1e-6)
    first = lanes["fixed"].moment.before["state"]
    params, data = regression.programs()["fixed"].init(), regression.programs()["fixed"].inputs(1)
    np.testing.assert_allclose(first, python_loop(params, data, LEARNING_RATE, 4)[4], rtol=1e-6)


@pytest.mark.parametrize("name", ["broken", "fixed"])
def test_the_first_call_traces_for_every_visitor(name):
    """Also after `update` itself was traced: `jit` shares traces between wrappers of one function."""
    params, data = problem()
    regression.update(params, *data)
    program = regression.programs()[name]
    for _ in range(3):
        lane = lockstep.go(lockstep.start(program), 2)
        first = lockstep.go(lane, 1)
        assert (first.moment.seen.traced, lane.moment.seen.traced) == (True, False)
        assert first.moment.seen.ran > lane.moment.seen.ran


def test_a_copy_is_the_same_code_in_another_function():
    body = inspect.unwrap(regression.update)
    copy = regression.copy_of(regression.update)
    assert copy is not body
    assert copy != body
    assert copy.__code__ is body.__code__  # so its lines are those shown
    params, data = problem()
    np.testing.assert_array_equal(jax.jit(copy)(params, *data), regression.update(params, *data))
