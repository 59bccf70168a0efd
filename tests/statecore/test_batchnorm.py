"""Batch normalisation against its formula, other libraries, and its impure twin."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from statecore import batchnorm, lockstep
from statecore.batchnorm import BatchNorm, Params, State, Stats

KEY = jax.random.key(42)
MEAN, VAR = 3.0, 4.0


def batches(count, size=8, features=3, seed=0):
    generator = np.random.default_rng(seed)
    return [generator.normal(2.0, 3.0, (size, features)).astype(np.float32) for _ in range(count)]


def running(samples, momentum, correction=0):
    """The running statistics in NumPy and float64, after each batch."""
    mean, var = np.zeros(samples[0].shape[1]), np.ones(samples[0].shape[1])
    for x in samples:
        x = x.astype(np.float64)
        mean = momentum * mean + (1 - momentum) * x.mean(0)
        var = momentum * var + (1 - momentum) * x.var(0, ddof=correction)
    return mean, var


@pytest.mark.parametrize("correction", [0, 1])
@pytest.mark.parametrize("momentum", [0.5, 0.9, 0.99])
def test_running_statistics_follow_the_formula(momentum, correction):
    params, stats = batchnorm.init(3)
    samples = batches(6)
    for x in samples:
        _, stats = batchnorm.apply(params, stats, x, True, momentum, correction)
    mean, var = running(samples, momentum, correction)
    np.testing.assert_allclose(stats.mean, mean, rtol=1e-5)
    np.testing.assert_allclose(stats.var, var, rtol=1e-5)


def test_training_normalises_with_the_batch_and_evaluation_with_the_past():
    params = Params(jnp.array([2.0, 1.0, 0.5]), jnp.array([0.0, -1.0, 1.0]))
    stats = Stats(jnp.array([1.0, 2.0, 3.0]), jnp.array([4.0, 1.0, 9.0]))
    (x,) = batches(1)
    trained, new_stats = batchnorm.apply(params, stats, x, train=True)
    normal = (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-5)
    np.testing.assert_allclose(trained, params.scale * normal + params.bias, rtol=1e-4, atol=1e-5)
    evaluated, same = batchnorm.apply(params, stats, x, train=False)
    normal = (x - stats.mean) / np.sqrt(stats.var + 1e-5)
    np.testing.assert_allclose(evaluated, params.scale * normal + params.bias, rtol=1e-4, atol=1e-5)
    assert same is stats
    np.testing.assert_array_equal(stats.mean, [1.0, 2.0, 3.0])
    assert not np.allclose(new_stats.mean, stats.mean)


def test_jit_equals_eager_and_the_unjitted_twin():
    layer, plain = batchnorm.fixed(), BatchNorm(features=3)
    state = batchnorm.init(3)
    samples = batches(4)
    for k, x in enumerate(samples):
        train = k % 2 == 0
        eager, _ = batchnorm.apply(*state, x, train)
        y, state = batchnorm.call_with_state(layer, state, x, train)
        np.testing.assert_allclose(y, eager, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(y, plain.apply(x, train), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(state.stats.mean, plain.mean, rtol=1e-5)
    np.testing.assert_allclose(state.stats.var, plain.var, rtol=1e-5)


def test_the_layer_is_traced_once_for_each_mode():
    traces = []

    def layer(state, x, train):
        traces.append(train)
        y, stats = batchnorm.apply(*state, x, train)
        return y, State(state.params, stats)

    jitted, state = jax.jit(layer, static_argnames="train"), batchnorm.init(3)
    for x in batches(3):
        _, state = jitted(state, x, True)
        _, state = jitted(state, x, False)
    assert traces == [True, False]


def test_evaluating_leaves_the_statistics_as_they_are():
    layer, state = batchnorm.fixed(), batchnorm.init(3)
    for x in batches(3):
        _, state = batchnorm.call_with_state(layer, state, x, True)
    _, after = batchnorm.call_with_state(layer, state, batches(1, seed=9)[0], False)
    np.testing.assert_array_equal(after.stats.mean, state.stats.mean)
    np.testing.assert_array_equal(after.stats.var, state.stats.var)


def test_a_dropped_state_never_learns():
    layer, state = batchnorm.fixed(), batchnorm.init(3)
    for x in batches(5):
        _, state = batchnorm.call_dropping_state(layer, state, x, True)
    np.testing.assert_array_equal(state.stats.mean, 0)
    np.testing.assert_array_equal(state.stats.var, 1)


def lane(make, caller, order, init=None):
    inputs = batchnorm.stage_inputs(0, MEAN, VAR, 32, order)
    return lockstep.start(lockstep.Program(make, caller, init, inputs))


def test_trained_first_the_jitted_layer_leaks_and_the_next_evaluation_raises():
    broken = lockstep.go(lane(batchnorm.broken, batchnorm.call, (True, False)), 2)
    assert isinstance(broken.tape[1], jax.errors.UnexpectedTracerError)
    first = lockstep.go(lane(batchnorm.broken, batchnorm.call, (True, False)), 1)
    assert isinstance(first.moment.after["self.mean"], jax.core.Tracer)
    np.testing.assert_allclose(np.mean(first.tape[0]), 0, atol=1e-5)


def test_evaluated_first_the_jitted_layer_is_frozen():
    """The evaluation was compiled with mean 0 and variance 1, and runs on with them."""
    broken = lockstep.go(lane(batchnorm.broken, batchnorm.call, (False, True)), 5)
    inputs = batchnorm.stage_inputs(0, MEAN, VAR, 32, (False, True))
    for k in (1, 3, 5):
        np.testing.assert_allclose(broken.tape[k - 1], inputs(k)[0], rtol=1e-4)
    assert isinstance(broken.moment.after["self.mean"], jax.core.Tracer)
    seen = lockstep.go(lane(batchnorm.broken, batchnorm.call, (False, True)), 1).moment.seen
    assert {constant.origin for constant in seen.kept.baked} >= {"self.mean", "self.var"}


def test_each_mode_is_a_program_of_its_own_and_is_shown_as_it_was_read_at_its_trace():
    """Later the leaked statistics could no longer be told as the origin of the constants."""
    steps = [lane(batchnorm.broken, batchnorm.call, (False, True))]
    for _ in range(5):
        steps.append(lockstep.step(steps[-1]))
    evaluated, trained, *later = (step.kept for step in steps[1:])
    assert evaluated.text != trained.text
    assert [each is evaluated for each in later] == [True, False, True]
    assert later[1] is trained
    assert "self.mean" in {constant.origin for constant in evaluated.baked}


def test_a_call_that_raises_has_no_program_and_the_next_one_has_its_own_again():
    first = lockstep.step(lane(batchnorm.broken, batchnorm.call, (True, False)))
    second = lockstep.step(first)
    third = lockstep.step(second)
    assert second.kept is None
    assert third.kept is first.kept


@pytest.mark.parametrize("order", [(True, False), (False, True), (True,)])
def test_the_fixed_layer_and_plain_python_agree_in_any_order(order):
    plain = lockstep.go(lane(batchnorm.plain, batchnorm.call, order), 6)
    fixed = lockstep.go(lane(batchnorm.fixed, batchnorm.call_with_state, order, batchnorm.init), 6)
    for mine, theirs in zip(fixed.tape, plain.tape, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(fixed.moment.state.stats.mean, plain.moment.after["self.mean"], rtol=1e-5)
    assert lockstep.go(fixed, 1).moment.seen.traced


def test_a_compiled_evaluation_keeps_the_first_statistics_while_training_goes_on():
    probe = jnp.zeros((1, 1))
    samples = [np.asarray(batchnorm.make_batch(jax.random.key(k), MEAN, VAR, 32)) for k in range(5)]
    frozen, right = (np.ravel(outputs) for outputs in batchnorm.evaluate_while_training(samples, probe))
    np.testing.assert_allclose(frozen, frozen[0], rtol=1e-6)
    np.testing.assert_allclose(frozen[0], right[0], rtol=1e-5)
    assert len(set(np.round(right, 4))) == 5
    means = [running(samples[: k + 1], 0.9) for k in range(5)]
    np.testing.assert_allclose(right, [-(mean / np.sqrt(var + 1e-5))[0] for mean, var in means], rtol=1e-4)


def test_grad_hands_the_state_out_as_aux():
    params, stats = batchnorm.init(3)
    (x,) = batches(1)
    target = 2 * np.asarray(batchnorm.apply(params, stats, x, True)[0]) + 1
    expected_stats = batchnorm.apply(params, stats, x, True)[1]
    jitted = jax.jit(batchnorm.update)
    error, state = jitted(params, stats, x, target, 0.1)
    np.testing.assert_allclose(error, 2.0, rtol=1e-4)  # mean of (normal + 1)²
    np.testing.assert_allclose(state.stats.mean, expected_stats.mean, rtol=1e-5)
    for _ in range(200):
        error, state = jitted(*state, x, target, 0.1)
    assert error < 1e-4
    np.testing.assert_allclose(state.params.scale, 2, rtol=1e-2)
    np.testing.assert_allclose(state.params.bias, 1, rtol=1e-2)


def test_the_history_is_the_recursion_on_its_own_batches():
    history = batchnorm.run(KEY, MEAN, VAR, 8, 50, momentum=0.8)
    assert len(history) == 51
    assert (history.mean[0], history.var[0]) == (0, 1)
    assert np.isnan(history.batch_mean[0])
    np.testing.assert_allclose(
        history.mean[1:], 0.8 * history.mean[:-1] + 0.2 * history.batch_mean[1:], rtol=1e-4, atol=1e-5
    )
    np.testing.assert_allclose(
        history.var[1:], 0.8 * history.var[:-1] + 0.2 * history.batch_var[1:], rtol=1e-4
    )
    for column in vars(history).values():
        assert column.dtype == np.float32
        assert column.shape == (51,)


def test_the_evaluation_output_closes_in_on_the_training_output():
    history = batchnorm.run(KEY, MEAN, VAR, 128, 200)
    assert history.eval_mean[0] == pytest.approx(MEAN, abs=0.2)
    assert history.eval_std[0] == pytest.approx(np.sqrt(VAR), abs=0.2)
    assert abs(history.eval_mean[-1]) < 0.2
    assert abs(history.eval_std[-1] - 1) < 0.1


def test_the_jitted_impure_layer_evaluates_with_its_first_statistics_for_ever():
    frozen = batchnorm.run_frozen(KEY, MEAN, VAR, 32, 50)
    right = batchnorm.run(KEY, MEAN, VAR, 32, 50)
    assert {tuple(column) for column in (frozen.mean, frozen.var)} == {(0.0,) * 51, (1.0,) * 51}
    for mine, its in ((frozen.eval_mean, right.eval_mean), (frozen.eval_std, right.eval_std)):
        np.testing.assert_array_equal(mine, mine[0])
        np.testing.assert_allclose(mine[0], its[0], rtol=1e-5)
        assert its[-1] != its[0]
    with pytest.raises(ValueError, match="steps must be one of"):
        batchnorm.run_frozen(KEY, MEAN, VAR, 32, 51)


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9, 0.99])
def test_the_start_is_forgotten_after_so_many_batches(momentum):
    batches = batchnorm.batches_to_forget(momentum)
    assert momentum**batches <= 0.01
    assert batches == 1 or momentum ** (batches - 1) > 0.01


@pytest.mark.parametrize("train_first", [True, False])
def test_the_programs_on_show_take_turns(train_first):
    for key, program in batchnorm.programs(train_first).items():
        lane = lockstep.go(lockstep.start(program), 2)
        assert [program.inputs(k)[1] for k in (1, 2, 3)] == [train_first, not train_first, train_first]
        raised = isinstance(lane.tape[1], Exception)
        assert raised == (key == "broken" and train_first)


@pytest.mark.parametrize("correction", [0, 1])
def test_the_closed_form_is_the_mean_over_many_streams(correction):
    keys = jax.random.split(KEY, 200)
    runs = [batchnorm.run(key, MEAN, VAR, 2, 50, 0.9, correction) for key in keys]
    form = batchnorm.expected(MEAN, VAR, 2, 50, 0.9, correction)
    np.testing.assert_allclose(np.mean([run.mean for run in runs], 0), form.mean, atol=0.15)
    np.testing.assert_allclose(np.mean([run.var for run in runs], 0), form.var, atol=0.5)
    assert form.var[-1] == pytest.approx(VAR * (1 if correction else 0.5), rel=0.02)


def test_moving_a_slider_is_not_another_trace(monkeypatch):
    traces, follow = [], batchnorm.follow

    def counted(*args):
        traces.append(args)
        return follow(*args)

    monkeypatch.setattr(batchnorm, "follow", counted)
    batchnorm.run(KEY, MEAN, VAR, 4, 1000)
    assert len(traces) > 0
    first = len(traces)
    batchnorm.run(jax.random.key(1), -1.0, 0.5, 4, 1000, momentum=0.99, correction=1)
    assert len(traces) == first


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"batch": 3}, "batch must be one of"),
        ({"steps": 51}, "steps must be one of"),
        ({"momentum": 1.5}, "momentum must lie within"),
        ({"var": -1.0}, "var must not be negative"),
        ({"var": float("nan")}, "var must not be negative"),
    ],
)
def test_bad_settings_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        batchnorm.run(**({"key": KEY, "mean": MEAN, "var": VAR, "batch": 8, "steps": 50} | change))


def test_an_empty_order_is_refused():
    with pytest.raises(ValueError, match="order needs"):
        batchnorm.stage_inputs(0, MEAN, VAR, 8, ())


def ours(samples, momentum, correction=0):
    params, stats = batchnorm.init(samples[0].shape[1])
    for x in samples:
        y, stats = batchnorm.apply(params, stats, x, True, momentum, correction)
    evaluated, _ = batchnorm.apply(params, stats, samples[0], False)
    return y, stats, evaluated


def test_flax_linen_has_this_convention():
    linen = pytest.importorskip("flax.linen")
    samples = batches(4)
    module = linen.BatchNorm(momentum=0.8, epsilon=1e-5)
    variables = module.init(KEY, samples[0], use_running_average=True)
    for x in samples:
        y, changed = module.apply(variables, x, use_running_average=False, mutable=["batch_stats"])
        variables = {**variables, **changed}
    expected, stats, evaluated = ours(samples, 0.8)
    np.testing.assert_allclose(y, expected, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(variables["batch_stats"]["mean"], stats.mean, rtol=1e-4)
    np.testing.assert_allclose(variables["batch_stats"]["var"], stats.var, rtol=1e-3)
    np.testing.assert_allclose(
        module.apply(variables, samples[0], use_running_average=True), evaluated, rtol=1e-3, atol=1e-4
    )


def test_flax_nnx_has_this_convention():
    nnx = pytest.importorskip("flax.nnx")
    samples = batches(4)
    module = nnx.BatchNorm(3, momentum=0.8, epsilon=1e-5, use_running_average=False, rngs=nnx.Rngs(0))
    for x in samples:
        y = module(x)
    expected, stats, evaluated = ours(samples, 0.8)
    np.testing.assert_allclose(y, expected, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(module.mean[...], stats.mean, rtol=1e-4)
    np.testing.assert_allclose(module.var[...], stats.var, rtol=1e-3)
    np.testing.assert_allclose(module(samples[0], use_running_average=True), evaluated, rtol=1e-3, atol=1e-4)


def test_equinox_in_batch_mode_stores_these_statistics():
    """It divides them by 1 - momentum**count when it evaluates, which the lesson does not."""
    equinox = pytest.importorskip("equinox")
    samples = batches(4)
    module, state = equinox.nn.make_with_state(equinox.nn.BatchNorm)(
        3, axis_name="batch", momentum=0.8, eps=1e-5, mode="batch"
    )
    layer = jax.vmap(module, axis_name="batch", in_axes=(0, None), out_axes=(0, None))
    for x in samples:
        y, state = layer(x, state)
    expected, stats, _ = ours(samples, 0.8)
    np.testing.assert_allclose(y, expected, rtol=1e-3, atol=1e-4)
    mean, var = state.get(module.batch_state_index)
    np.testing.assert_allclose(mean, stats.mean, rtol=1e-4)
    np.testing.assert_allclose(var, stats.var, rtol=1e-3)


def test_the_layer_takes_any_number_of_features():
    assert "train" in inspect.signature(batchnorm.apply).parameters
    for features in (1, 5):
        state = batchnorm.init(features)
        y, stats = batchnorm.apply(*state, np.ones((4, features), np.float32), True)
        assert y.shape == (4, features)
        assert stats.mean.shape == (features,)
