"""Whole runs of the optimizers, against their formulas, optax, and each other."""

import jax
import numpy as np
import optax
import pytest

from statecore import line, optimizer
from statecore.line import curvature, loss
from statecore.optimizer import LEARNING_RATE, RULES, START, programs
from statecore.work import finish

ALL_RULES = {**RULES, "Adam by hand": optimizer.adam_by_hand, "AdamW": optax.adamw}


@pytest.fixture(scope="module")
def data():
    return optimizer.make_data(jax.random.key(42))


def gradient(params, data):
    """The gradient of the mean squared error, in NumPy and float64."""
    x, y = (np.asarray(values, np.float64).ravel() for values in data)
    residual = params[0] * x + params[1] - y
    return 2 * np.array([np.mean(residual * x), np.mean(residual)])


def path_in_numpy(rule, data, rate, steps):
    params, memory = np.array(START, np.float64), np.zeros((2, 2))
    path = [params]
    for count in range(1, steps + 1):
        slope = gradient(params, data)
        if rule == "SGD":
            change = slope
        elif rule == "momentum":
            memory[0] = 0.9 * memory[0] + slope
            change = memory[0]
        else:
            memory[0] = 0.9 * memory[0] + 0.1 * slope
            memory[1] = 0.999 * memory[1] + 0.001 * slope**2
            change = memory[0] / (1 - 0.9**count) / (np.sqrt(memory[1] / (1 - 0.999**count)) + 1e-8)
        params = params - rate * change
        path.append(params)
    return np.array(path)


@pytest.mark.parametrize("name", RULES)
def test_a_run_follows_the_formula(name, data):
    run = optimizer.run(START, data, 0.05, 100, RULES[name])
    expected = path_in_numpy(name, data, 0.05, 100)
    np.testing.assert_allclose(
        np.stack([run.states.params.weight, run.states.params.bias], 1), expected, rtol=1e-3, atol=2e-3
    )


def test_adam_by_hand_is_optax_adam(data):
    by_hand = optimizer.run(START, data, 0.1, 300, optimizer.adam_by_hand)
    optax_run = optimizer.run(START, data, 0.1, 300, optax.adam)
    np.testing.assert_allclose(by_hand.states.params.weight, optax_run.states.params.weight, atol=2e-4)
    np.testing.assert_allclose(by_hand.loss, optax_run.loss, atol=2e-4)
    pairs = zip(jax.tree.leaves(by_hand.states.opt_state), jax.tree.leaves(optax_run.states.opt_state), strict=True)
    for mine, theirs in pairs:
        np.testing.assert_allclose(mine, theirs, rtol=1e-3, atol=2e-3)


@pytest.mark.parametrize("name", ALL_RULES)
def test_a_scan_equals_the_calls_on_stage(name, data):
    rule = ALL_RULES[name]
    run = optimizer.run(START, data, 0.05, 100, rule)
    update, state = programs.fixed(rule), optimizer.init(START, rule)
    for step in range(5):
        np.testing.assert_allclose(run[step].params, state.params, rtol=1e-4)
        error, state = programs.train(update, state, *data, 0.05)
        np.testing.assert_allclose(run.loss[step], error, rtol=1e-4)


def test_the_runs_loss_is_the_loss_of_its_params(data):
    run = optimizer.run(START, data, 0.1, 100)
    for step in (0, 7, 100):
        np.testing.assert_allclose(loss(run[step].params, *data), run.loss[step], rtol=1e-4)
    assert len(run) == 101
    assert run.loss.dtype == run.states.params.weight.dtype == np.float32


def test_forgetful_adam_moves_by_the_rate_in_each_direction(data):
    """With one gradient to average, Adam's step is rate * sign(gradient), but for its epsilon."""
    run = optimizer.run(START, data, 0.1, 300, forget=True)
    params = np.stack([run.states.params.weight, run.states.params.bias], 1).astype(np.float64)
    slopes = np.array([gradient(step, data) for step in params[:-1]])
    clear = np.abs(slopes) > 1e-3
    assert clear.sum() > 500
    moves = np.diff(params, axis=0)
    np.testing.assert_allclose(moves[clear], -0.1 * np.sign(slopes[clear]), atol=1e-5)
    assert run.states.opt_state == ()


def test_forgetful_momentum_is_sgd(data):
    forgetful = optimizer.run(START, data, 0.05, 100, optimizer.momentum, forget=True)
    plain = optimizer.run(START, data, 0.05, 100, optimizer.sgd)
    np.testing.assert_allclose(forgetful.loss, plain.loss, rtol=1e-5)


def test_forgetting_costs_the_optimum(data):
    target = line.smallest_loss(data) + 0.01
    threaded = optimizer.run(START, data, LEARNING_RATE, 1000)
    forgetful = optimizer.run(START, data, LEARNING_RATE, 1000, forget=True)
    reached = threaded.steps_to(target)
    assert reached is not None
    assert threaded.loss[reached] <= target < threaded.loss[reached - 1]
    assert forgetful.steps_to(target) is None


def test_the_rules_differ_because_the_surface_is_not_round(data):
    low, high = np.linalg.eigvalsh(curvature(data))
    assert high / low > 20
    finishes = {
        name: optimizer.run(START, data, LEARNING_RATE, 1000, rule).steps_to(line.smallest_loss(data) + 0.01)
        for name, rule in RULES.items()
    }
    assert None not in finishes.values()
    assert len(set(finishes.values())) == 3


def test_sgd_diverges_above_the_largest_stable_rate(data):
    limit = 2 / np.linalg.eigvalsh(curvature(data))[-1]
    assert optimizer.run(START, data, 0.9 * limit, 1000, optimizer.sgd).first_not_finite is None
    assert optimizer.run(START, data, 1.5 * limit, 1000, optimizer.sgd).first_not_finite is not None


def test_another_rate_or_other_data_is_not_another_trace(data):
    traces = []

    def counted(rate):
        traces.append(rate)
        return optax.adam(rate)

    optimizer.run(START, data, 0.1, 100, counted)
    first = len(traces)
    assert first > 0
    optimizer.run(START, optimizer.make_data(jax.random.key(1), offset=3.0), 0.2, 100, counted)
    again = traces[first:]
    assert again == [0.0]  # `init` alone, outside the compiled program


def test_a_forgetful_run_resumed_at_the_same_rate_is_the_same_run(data):
    run = optimizer.run(START, data, 0.1, 100, forget=True)
    again = optimizer.run_through(((0, 0.1), (40, 0.1)), data, 100, forget=True)
    np.testing.assert_array_equal(again.loss, run.loss)
    assert again.states.opt_state == ()


@pytest.mark.parametrize("name", ALL_RULES)
@pytest.mark.parametrize("step", [1, 2, 3, 40, 99])
def test_resuming_with_the_state_changes_no_bit(name, step, data):
    run = optimizer.run(START, data, 0.1, 100, ALL_RULES[name])
    again = optimizer.run_through(((0, 0.1), (step, 0.1)), data, 100, ALL_RULES[name])
    assert again.same_bits(run)


def test_resuming_from_params_alone_keeps_the_past_and_restarts_the_count(data):
    run = optimizer.run(START, data, 0.1, 100)
    again = optimizer.run_through(((0, 0.1), (40, 0.1)), data, 100, keep_opt_state=False)
    assert len(again) == len(run)
    np.testing.assert_array_equal(again.loss[:41], run.loss[:41])
    assert not np.allclose(again.loss[42:60], run.loss[42:60])
    np.testing.assert_array_equal(again.states.opt_state[0].count, [*range(40), *range(61)])


def test_a_rate_that_changes_on_the_way_is_a_chain_of_runs(data):
    whole = optimizer.run_through(((0, 0.1), (30, 0.02), (60, 0.2)), data, 100)
    who = optimizer.learner()
    state, chain = who.init(START), None
    for rate, steps in ((0.1, 30), (0.02, 30), (0.2, 40)):
        part = finish(optimizer.runs.training.run(who, state, data, rate, steps))
        chain = part if chain is None else chain.then(part)
        state = chain[len(chain) - 1]
    assert whole.same_bits(chain)
    np.testing.assert_array_equal(whole.states.opt_state[0].count, np.arange(101))


def test_one_rule_has_one_learner_and_one_update():
    assert optimizer.learner(optax.adam) is optimizer.learner(optax.adam)
    kept, dropped = optimizer.learner(optax.adam), optimizer.learner(optax.adam, keep_opt_state=False)
    assert kept.update is dropped.update  # one compiled program for both


def test_steps_out_of_range(data):
    with pytest.raises(ValueError, match="is not within 0 to"):
        optimizer.run(START, data, 0.1, -1)
    assert optimizer.run(START, data, 0.1, 100).steps_to(-1.0) is None
    assert optimizer.run(START, data, 0.1, 100).steps_to(1e9) == 0
