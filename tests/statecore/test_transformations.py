"""One pure step through loops, vmap and grad, against NumPy in float64 and finite differences."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from statecore import line, lockstep, regression
from statecore import transformations as tf
from statecore.regression import Data, Params, Trainer

KEY = jax.random.key(42)
START = Params(jnp.float32(-1.0), jnp.float32(3.0))


@pytest.fixture(scope="module")
def data():
    return tf.make_data(KEY)


def numpy_path(data, rate, steps):
    """Weight, bias and loss at every step, in float64."""
    x, y = (np.asarray(values, np.float64).ravel() for values in data)
    weight, bias = (float(leaf) for leaf in START)
    rows = []
    for _ in range(steps + 1):
        error = weight * x + bias - y
        rows.append((weight, bias, np.mean(error**2)))
        weight, bias = weight - rate * 2 * np.mean(error * x), bias - rate * 2 * np.mean(error)
    return np.array(rows).T


# --- loops


@pytest.mark.parametrize("variant", tf.VARIANTS, ids=lambda variant: variant.name)
def test_every_loop_takes_the_same_steps(variant, data):
    run, args = variant.make(50), variant.arguments(START, data)
    *expected, _ = numpy_path(data, 0.05, 50)[:, -1]
    np.testing.assert_allclose(np.stack(run(*args, 0.05)), expected, rtol=1e-4)


def test_timings_report_as_they_go_and_end_done(data):
    seen = list(tf.timings(START, data, seconds=0.06, report_every=0.02))
    names = [variant.name for variant in tf.VARIANTS]
    assert list(dict.fromkeys(timing.name for timing in seen)) == names
    progress = [timing.progress for timing in seen]
    assert progress == sorted(progress)
    assert progress[-1] == 1.0
    for name in names:
        before, *reports = [timing for timing in seen if timing.name == name]
        assert before.steps_per_second is None
        assert reports
        last = reports[-1]
        assert last.calls == max(timing.calls for timing in reports) > 0
        assert last.steps_per_second > 0
        assert last.first_call > 0
        *expected, _ = numpy_path(data, regression.LEARNING_RATE, last.steps)[:, -1]
        np.testing.assert_allclose(np.stack(last.params), expected, rtol=1e-3)


def test_timings_can_be_cancelled(data):
    made = []

    def make(steps):
        made.append(steps)
        return lambda params, x, y, rate: params

    variants = (tf.Variant("one", make), tf.Variant("two", make))
    reports = tf.timings(START, data, variants=variants, seconds=0.01)
    assert len(list(itertools.islice(reports, 2))) == 2
    reports.close()
    assert made == [1000]


def test_a_reader_who_takes_long_is_not_timed(data):
    now = [0.0]
    variant = tf.Variant("fake", lambda steps: lambda params, x, y, rate: params)
    with pytest.MonkeyPatch.context() as patch:

        def clock():
            now[0] += 1.0
            return now[0]

        patch.setattr(tf.time, "perf_counter", clock)
        seen = []
        for timing in tf.timings(START, data, variants=[variant], seconds=20.0, report_every=5.0):
            now[0] += 100.0
            seen.append(timing)
    assert [timing.calls for timing in seen] == [0, 5, 10, 15, 20]
    assert seen[-1].steps_per_second == 1000


def test_the_first_call_compiles_every_time(data):
    for name in ("scan, jitted", "fori_loop, jitted", "jitted step, Python loop"):
        (variant,) = [variant for variant in tf.VARIANTS if variant.name == name]
        for _ in range(2):
            *_, last = tf.timings(START, data, variants=[variant._replace(steps=10)], seconds=0.01)
            assert last.first_call > 5 * last.steps / last.steps_per_second


@pytest.mark.parametrize("setting", [{"seconds": 0}, {"report_every": 0}, {"seconds": float("nan")}])
def test_timings_refuse_no_time(setting, data):
    with pytest.raises(ValueError, match="must be positive"):
        next(tf.timings(START, data, **setting))


# --- carry


def running_means(xs):
    return np.cumsum(xs) / np.arange(1, len(xs) + 1)


XS = jnp.array([4.0, 1.0, 2.5, 0.5])


def lane(make, init):
    return lockstep.start(lockstep.Program(make, tf.call_with_state, init, lambda k: (XS + k,), (tf.mean_step,)))


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
    for works in (tf.start_with_python_numbers, tf.ints_in_a_python_loop):
        state = works(XS)
        assert (int(state.count), state.mean.dtype) == (4, jnp.float32)
        np.testing.assert_allclose(state.mean, np.mean(XS))


@pytest.mark.parametrize(
    ("broken", "says"), [(tf.growing_history, "shape|types"), (tf.new_key_in_carry, "structure")]
)
def test_a_carry_that_grows_is_refused(broken, says):
    with pytest.raises(TypeError, match=says):
        broken(XS)


def test_the_carries_that_keep_their_shape():
    total, history = tf.stacked_history(XS)
    np.testing.assert_allclose(history, XS)
    assert total == XS.sum()
    state, best = tf.key_from_the_start(XS)
    np.testing.assert_allclose(best, np.maximum.accumulate(XS))
    assert state["best"] == 4.0


# --- hidden state


def test_scan_runs_a_hidden_update_once(data):
    trainer = Trainer(START, 0.05)
    losses = tf.scan_hidden(trainer, *data, steps=5)
    np.testing.assert_allclose(losses, numpy_path(data, 0.05, 0)[2, 0], rtol=1e-5)
    assert isinstance(trainer.params.weight, jax.core.Tracer)
    with pytest.raises(jax.errors.UnexpectedTracerError):
        tf.scan_hidden(trainer, *data, steps=5)


def test_vmap_leaks_from_a_hidden_update(data):
    trainer = Trainer(START, 0.05)
    losses = tf.vmap_hidden(trainer, *data, jnp.array([0.01, 0.05, 0.1]))
    assert losses.shape == (3,)
    assert isinstance(trainer.params.weight, jax.core.Tracer)
    with pytest.raises(jax.errors.UnexpectedTracerError):
        tf.scan_hidden(trainer, *data, steps=5)


def test_grad_through_a_hidden_update_is_right_once(data):
    trainer = Trainer(START, 0.05)
    slope = tf.grad_hidden(trainer, *data, 0.05, steps=5)
    np.testing.assert_allclose(slope, tf.slope_at(0.05, START, data, 5)[1], rtol=1e-4)
    assert isinstance(trainer.params.weight, jax.core.Tracer)
    with pytest.raises(jax.errors.UnexpectedTracerError):
        tf.grad_hidden(trainer, *data, 0.05, steps=5)


# --- vmap


def test_each_learner_learns_as_if_alone(data):
    learners = tf.learn_together(START, data, (0.001, 0.3), 100, learners=16)
    assert len(learners) == 16
    np.testing.assert_allclose(learners.rate, np.geomspace(0.001, 0.3, 16), rtol=1e-5)
    for i in (0, 7, 15):
        weight, bias, error = numpy_path(data, float(learners.rate[i]), 100)
        np.testing.assert_allclose(learners.weight[i], weight, rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(learners.bias[i], bias, rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(learners.loss[i], error, rtol=1e-3)
    assert all(column.dtype == np.float32 for column in vars(learners).values())


def test_the_best_learner_is_between_the_slow_and_the_diverging(data):
    limit = line.largest_stable_rate(data)
    learners = tf.learn_together(START, data, (0.001, 4 * limit), 100)
    best = learners.best
    assert 0 < best < 63
    assert learners.rate[best] < limit
    assert learners.loss[best, -1] == np.nanmin(learners.loss[:, -1])
    stable = learners.rate < 0.99 * limit
    assert (learners.loss[stable, -1] <= learners.loss[stable, 0]).all()
    assert (~(learners.loss[learners.rate > 1.1 * limit, -1] < 1e3)).all()


def test_no_best_learner_when_all_diverged(data):
    learners = tf.learn_together(START, data, (50.0, 100.0), 300, learners=4)
    with pytest.raises(ValueError, match="every learner diverged"):
        _ = learners.best


# --- grad


def exact_slope(data, rate, steps, nudge=1e-5):
    ends = [numpy_path(data, rate * (1 + sign * nudge), steps)[2, -1] for sign in (-1, 1)]
    return (ends[1] - ends[0]) / (2 * nudge * rate)


@pytest.mark.parametrize("steps", tf.RUN_STEPS)
def test_the_slope_is_that_of_finite_differences(steps, data):
    limit = line.largest_stable_rate(data)
    for rate in (0.01, 0.1, 1.02 * limit):
        error, slope = tf.slope_at(rate, START, data, steps)
        rate = float(np.float32(rate))
        np.testing.assert_allclose(error, numpy_path(data, rate, steps)[2, -1], rtol=1e-3)
        np.testing.assert_allclose(slope, exact_slope(data, rate, steps), rtol=2e-3)


def test_the_two_slopes_shown_agree(data):
    _, slope = tf.slope_at(0.05, START, data, 20)
    np.testing.assert_allclose(tf.slope_by_differences(0.05, START, data, 20), slope, rtol=1e-2)


def test_the_curve_falls_and_rises_and_its_slope_says_so(data):
    limit = line.largest_stable_rate(data)
    curve = tf.rate_curve(START, data, (0.001, 1.1 * limit), 20)
    assert curve.rate.shape == curve.loss.shape == curve.slope.shape == (tf.CURVE_POINTS,)
    least = int(np.argmin(curve.loss))
    assert 0 < least < tf.CURVE_POINTS - 1
    assert (curve.slope[: least - 1] < 0).all()
    assert (curve.slope[least + 2 :] > 0).all()


@pytest.mark.parametrize("start", [0.001, 0.02, 0.37])
def test_the_learning_rate_is_learned(start, data):
    assert line.largest_stable_rate(data) < 0.37
    learned = tf.learn_rate(start, START, data, 20, meta_rate=0.3)
    least = tf.rate_curve(START, data, (0.05, 0.36), 20).loss.min()
    assert learned.rate.shape == learned.loss.shape == learned.slope.shape == (tf.RATE_STEPS + 1,)
    np.testing.assert_allclose(learned.rate[0], start, rtol=1e-5)
    assert learned.loss[0] > least + 0.5
    assert learned.loss[-1] < least + 0.002
    np.testing.assert_allclose(
        learned.rate[1],
        start * np.exp(-0.3 * np.clip(start * learned.slope[0], -1, 1)),
        rtol=1e-3,
    )


def test_jit_equals_eager(data):
    error, after = tf.rate_step(jnp.log(0.05), START, *data, 0.1, 20)
    jitted = jax.jit(tf.rate_step, static_argnames="steps")(jnp.log(0.05), START, *data, 0.1, steps=20)
    np.testing.assert_allclose(jitted, (error, after), rtol=1e-5)
    states, losses = tf.train(START, *data, 0.05, 10)
    states_jitted, losses_jitted = jax.jit(tf.train, static_argnames="steps")(START, *data, 0.05, steps=10)
    np.testing.assert_allclose(losses, losses_jitted, rtol=1e-5)
    np.testing.assert_allclose(states.weight, states_jitted.weight, rtol=1e-5)


def test_other_values_are_not_another_trace(monkeypatch):
    traces, real = [], tf.loss

    def counted(*args):
        traces.append(1)
        return real(*args)

    monkeypatch.setattr(tf, "loss", counted)
    counts = []
    # a number of points that no other test uses, so that the first round compiles
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
        (lambda data: tf.learn_together(START, data, (0.1, 0.2), 101), "steps must be one of"),
        (lambda data: tf.learn_together(START, data, (0.1, 0.2), 100, 5), "learners must be one of"),
        (lambda data: tf.learn_together(START, data, (0.2, 0.1), 100), "rates must be two positive"),
        (lambda data: tf.rate_curve(START, data, (0.0, 0.1), 20), "rates must be two positive"),
        (lambda data: tf.rate_curve(START, data, (0.1, 0.2), 21), "steps must be one of"),
        (lambda data: tf.slope_at(0.1, START, data, 21), "steps must be one of"),
        (lambda data: tf.learn_rate(0.0, START, data, 20), "must be positive"),
        (lambda data: tf.learn_rate(0.1, START, data, 21), "steps must be one of"),
    ],
)
def test_bad_settings_are_named(call, message, data):
    with pytest.raises(ValueError, match=message):
        call(data)


def test_the_data_are_those_of_the_regression_moved(data):
    before = regression.make_data(KEY)
    assert isinstance(data, Data)
    np.testing.assert_allclose(data.x, before.x + 1)
    np.testing.assert_array_equal(data.y, before.y)
