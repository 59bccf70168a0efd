"""The optimizers against their formulas, optax, and each other."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from statecore import lockstep, optimizer
from statecore.optimizer import LEARNING_RATE, RULES, START, State
from statecore.regression import Params, curvature, least_squares, loss

KEY = 42
ALL_RULES = {**RULES, "Adam by hand": optimizer.adam_by_hand}


@pytest.fixture(scope="module")
def data():
    return optimizer.make_data(jax.random.key(KEY))


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
    np.testing.assert_allclose(np.stack([run.weight, run.bias], 1), expected, rtol=1e-3, atol=2e-3)


def test_adam_by_hand_is_optax_adam(data):
    by_hand = optimizer.run(START, data, 0.1, 300, optimizer.adam_by_hand)
    optax_run = optimizer.run(START, data, 0.1, 300, optax.adam)
    np.testing.assert_allclose(by_hand.weight, optax_run.weight, atol=2e-4)
    np.testing.assert_allclose(by_hand.loss, optax_run.loss, atol=2e-4)
    pairs = zip(by_hand.memory.values(), optax_run.memory.values(), strict=True)
    for mine, theirs in pairs:
        np.testing.assert_allclose(mine, theirs, rtol=1e-3, atol=2e-3)


def test_one_step_of_adam_by_hand_equals_optax_on_any_tree():
    params = {"w": jnp.arange(6.0).reshape(2, 3), "b": jnp.ones(3)}
    grads = jax.tree.map(lambda leaf: leaf - 1.5, params)
    theirs, mine = optax.adam(0.02), optimizer.adam_init(params)
    their_state = theirs.init(params)
    for _ in range(3):
        updates, mine = optimizer.adam_step(mine, grads, 0.02)
        expected, their_state = theirs.update(grads, their_state)
        for leaf, other in zip(jax.tree.leaves(updates), jax.tree.leaves(expected), strict=True):
            np.testing.assert_allclose(leaf, other, rtol=1e-5)
    assert int(mine.steps) == 3


@pytest.mark.parametrize("name", ALL_RULES)
def test_jit_equals_eager_and_leaves_the_old_state_alone(name, data):
    rule = ALL_RULES[name]
    state = optimizer.init(START, rule)
    before = jax.tree.map(np.array, state)
    update, jitted = optimizer.threaded(rule), optimizer.fixed(rule)
    eager_state = jitted_state = state
    for _ in range(3):
        error, eager_state = optimizer.train(update, eager_state, *data, 0.05)
        jitted_error, jitted_state = optimizer.train(jitted, jitted_state, *data, 0.05)
        np.testing.assert_allclose(error, jitted_error, rtol=1e-5)
    for eager, compiled in zip(jax.tree.leaves(eager_state), jax.tree.leaves(jitted_state), strict=True):
        np.testing.assert_allclose(eager, compiled, rtol=1e-4)
    for old, now in zip(jax.tree.leaves(before), jax.tree.leaves(state), strict=True):
        np.testing.assert_array_equal(old, now)


@pytest.mark.parametrize("name", ALL_RULES)
def test_a_scan_equals_the_calls_on_stage(name, data):
    rule = ALL_RULES[name]
    run = optimizer.run(START, data, 0.05, 100, rule)
    update, state = optimizer.fixed(rule), optimizer.init(START, rule)
    for step in range(5):
        np.testing.assert_allclose(run[step].params, state.params, rtol=1e-4)
        error, state = optimizer.train(update, state, *data, 0.05)
        np.testing.assert_allclose(run.loss[step], error, rtol=1e-4)


def test_the_runs_loss_is_the_loss_of_its_params(data):
    run = optimizer.run(START, data, 0.1, 100)
    for step in (0, 7, 100):
        np.testing.assert_allclose(loss(run[step].params, *data), run.loss[step], rtol=1e-4)
    assert len(run) == 101
    assert run.loss.dtype == run.weight.dtype == np.float32


def test_forgetful_adam_moves_by_the_rate_in_each_direction(data):
    """With one gradient to average, Adam's step is rate * sign(gradient), but for its epsilon."""
    run = optimizer.run(START, data, 0.1, 300, forget=True)
    params = np.stack([run.weight, run.bias], 1).astype(np.float64)
    slopes = np.array([gradient(step, data) for step in params[:-1]])
    clear = np.abs(slopes) > 1e-3
    assert clear.sum() > 500
    moves = np.diff(params, axis=0)
    np.testing.assert_allclose(moves[clear], -0.1 * np.sign(slopes[clear]), atol=1e-5)
    assert run.memory == {}


def test_forgetful_momentum_is_sgd(data):
    forgetful = optimizer.run(START, data, 0.05, 100, optimizer.momentum, forget=True)
    plain = optimizer.run(START, data, 0.05, 100, optimizer.sgd)
    np.testing.assert_allclose(forgetful.loss, plain.loss, rtol=1e-5)


def test_forgetting_costs_the_optimum(data):
    target = optimizer.smallest_loss(data) + 0.01
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
        name: optimizer.run(START, data, LEARNING_RATE, 1000, rule).steps_to(optimizer.smallest_loss(data) + 0.01)
        for name, rule in RULES.items()
    }
    assert None not in finishes.values()
    assert len(set(finishes.values())) == 3


def test_sgd_diverges_above_the_largest_stable_rate(data):
    limit = 2 / np.linalg.eigvalsh(curvature(data))[-1]
    assert optimizer.run(START, data, 0.9 * limit, 1000, optimizer.sgd).first_not_finite is None
    assert optimizer.run(START, data, 1.5 * limit, 1000, optimizer.sgd).first_not_finite is not None


def test_smallest_loss_is_least(data):
    best = optimizer.smallest_loss(data)
    solution = least_squares(data)
    np.testing.assert_allclose(loss(solution, *data), best, rtol=1e-5)
    for nudge in ((0.1, 0.0), (0.0, -0.1)):
        assert loss(Params(solution.weight + nudge[0], solution.bias + nudge[1]), *data) > best


def test_every_lane_runs_and_only_the_threaded_one_settles(data):
    def inputs(_call):
        return (*data, LEARNING_RATE)

    broken = lockstep.Program(optimizer.broken, optimizer.train_params, lambda: START, inputs)
    fixed = lockstep.Program(optimizer.fixed, optimizer.train, lambda: optimizer.init(START), inputs)
    hidden = lockstep.Program(optimizer.hidden, optimizer.train_hidden, None, lambda _call: data)
    lanes = [lockstep.go(lockstep.start(program), 5) for program in (broken, fixed, hidden)]
    tapes = [[float(value) for value in lane.tape] for lane in lanes]
    start = float(loss(START, *data))
    for tape in tapes:
        np.testing.assert_allclose(tape[0], start, rtol=1e-5)
    assert tapes[0] == sorted(tapes[0], reverse=True)
    assert tapes[1] == sorted(tapes[1], reverse=True)
    assert tapes[0] != tapes[1]
    assert len(set(tapes[2])) == 1
    for program in (broken, fixed, hidden):
        lane = lockstep.step(lockstep.start(program))
        assert lane.moment.seen.traced
        assert not lockstep.step(lane).moment.seen.traced
    assert {"self.params", "self.opt_state"} <= lanes[2].moment.after.keys()


def test_the_hidden_trainer_holds_tracers_after_jit(data):
    trainer = optimizer.Trainer(START, 0.1)
    update = jax.jit(trainer.update)
    optimizer.train_hidden(update, *data)
    leaves = jax.tree.leaves((trainer.params, trainer.opt_state))
    assert len(leaves) == 7
    assert all(isinstance(leaf, jax.core.Tracer) for leaf in leaves)
    with pytest.raises(jax.errors.UnexpectedTracerError):
        trainer.params.weight + 1


def test_the_hidden_trainer_learns_when_not_jitted(data):
    trainer = optimizer.Trainer(START, 0.1)
    run = optimizer.run(START, data, 0.1, 100)
    for step in range(3):
        np.testing.assert_allclose(trainer.update(*data), run.loss[step], rtol=1e-4)


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


def test_resuming_with_the_state_changes_nothing(data):
    run = optimizer.run(START, data, 0.1, 100)
    again = optimizer.resume(run, 40, data, 0.1)
    np.testing.assert_array_equal(again.loss, run.loss)
    np.testing.assert_array_equal(again.memory["[0].mu.weight"], run.memory["[0].mu.weight"])


def test_resuming_from_params_alone_keeps_the_past_and_restarts_the_count(data):
    run = optimizer.run(START, data, 0.1, 100)
    again = optimizer.resume(run, 40, data, 0.1, keep_opt_state=False)
    assert len(again) == len(run)
    np.testing.assert_array_equal(again.loss[:41], run.loss[:41])
    assert not np.allclose(again.loss[42:60], run.loss[42:60])
    np.testing.assert_array_equal(again.memory["[0].count"], [*range(40), *range(61)])


def test_a_rate_that_changes_on_the_way_is_a_chain_of_resumed_runs(data):
    whole = optimizer.run_through(((0, 0.1), (30, 0.02), (60, 0.2)), data, 100)
    chain = optimizer.run(START, data, 0.1, 100)
    for step, rate in ((30, 0.02), (60, 0.2)):
        chain = optimizer.resume(chain, step, data, rate)
    np.testing.assert_array_equal(whole.loss, chain.loss)
    np.testing.assert_array_equal(whole.memory["[0].count"], np.arange(101))
    restarted = optimizer.run_through(((0, 0.1), (30, 0.02)), data, 100, keep_opt_state=False)
    np.testing.assert_array_equal(restarted.memory["[0].count"], [*range(30), *range(71)])


def test_a_forgetful_run_resumed_at_the_same_rate_is_the_same_run(data):
    run = optimizer.run(START, data, 0.1, 100, forget=True)
    again = optimizer.run_through(((0, 0.1), (40, 0.1)), data, 100, forget=True)
    np.testing.assert_array_equal(again.loss, run.loss)
    assert again.memory == {}


def test_the_programs_on_show_trace_on_their_first_call():
    for program in optimizer.programs().values():
        lane = lockstep.step(lockstep.start(program))
        assert lane.moment.seen.traced
        assert lane.moment.seen.error is None


def test_steps_and_targets_out_of_range(data):
    with pytest.raises(ValueError, match="steps must be one of"):
        optimizer.run(START, data, 0.1, 101)
    assert optimizer.run(START, data, 0.1, 100).steps_to(-1.0) is None
    assert optimizer.run(START, data, 0.1, 100).steps_to(1e9) == 0


def test_the_state_is_described_leaf_by_leaf():
    rows = {name: optimizer.describe(optimizer.init(START, rule).opt_state) for name, rule in RULES.items()}
    assert rows["SGD"] == ()
    assert [row.path for row in rows["momentum"]] == ["[0].trace.weight", "[0].trace.bias"]
    assert [row.path for row in rows["Adam"]] == [
        "[0].count", "[0].mu.weight", "[0].mu.bias", "[0].nu.weight", "[0].nu.bias",
    ]  # fmt: skip
    count = rows["Adam"][0]
    assert (count.shape, count.dtype, int(count.value), count.value.nbytes) == ((), "int32", 0, 4)
    assert optimizer.describe(State(START, ()))[0].path == ".params.weight"


def test_adam_remembers_two_numbers_for_each_param():
    params = {"kernel": jnp.zeros((784, 256)), "bias": jnp.zeros(256)}
    rows = optimizer.describe(optax.adam(0.1).init(params))
    size = sum(row.value.nbytes for row in optimizer.describe(params))
    assert sum(row.value.nbytes for row in rows) == 2 * size + 4


def test_the_surface_is_the_loss_and_its_bottom_is_least_squares(data):
    best = least_squares(data)
    picture = optimizer.surface(
        data, (best.weight - 2, best.weight + 2), (best.bias - 3, best.bias + 3), points=33
    )
    assert picture.loss.shape == (33, 33)
    assert np.unravel_index(np.argmin(picture.loss), (33, 33)) == (16, 16)
    for i, j in ((0, 0), (5, 20), (32, 1)):
        expected = loss(Params(picture.weight[j], picture.bias[i]), *data)
        np.testing.assert_allclose(picture.loss[i, j], expected, rtol=1e-5)


def test_offset_makes_the_valley_narrow():
    conditions = []
    for offset in (0.0, 1.0, 2.0, 4.0):
        low, high = np.linalg.eigvalsh(curvature(optimizer.make_data(jax.random.key(KEY), offset)))
        conditions.append(high / low)
    assert conditions == sorted(conditions)
    assert conditions[0] < 2
