"""The programs on show: forgetful, threaded, on self; and what every rule's state must be good for."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from statecore import lockstep, optimizer
from statecore.line import loss
from statecore.optimizer import LEARNING_RATE, RULES, START, programs, rate_in_state
from statecore.program import Program

ALL_RULES = {**RULES, "Adam by hand": optimizer.adam_by_hand, "AdamW": optax.adamw}


@pytest.fixture(scope="module")
def data():
    return optimizer.make_data(jax.random.key(42))


@pytest.mark.parametrize("name", ALL_RULES)
def test_jit_equals_eager_and_leaves_the_old_state_alone(name, data):
    rule = ALL_RULES[name]
    state = optimizer.init(START, rule)
    before = jax.tree.map(np.array, state)
    update, jitted = programs.threaded(rule), programs.fixed(rule)
    eager_state = jitted_state = state
    for _ in range(3):
        error, eager_state = programs.train(update, eager_state, *data, 0.05)
        jitted_error, jitted_state = programs.train(jitted, jitted_state, *data, 0.05)
        np.testing.assert_allclose(error, jitted_error, rtol=1e-5)
    for eager, compiled in zip(jax.tree.leaves(eager_state), jax.tree.leaves(jitted_state), strict=True):
        np.testing.assert_allclose(eager, compiled, rtol=1e-4)
    for old, now in zip(jax.tree.leaves(before), jax.tree.leaves(state), strict=True):
        np.testing.assert_array_equal(old, now)


def test_every_lane_runs_and_only_the_threaded_one_settles(data):
    def on_self():
        return jax.jit(optimizer.Trainer(START, LEARNING_RATE).update)

    def inputs(_call):
        return (*data, LEARNING_RATE)

    broken = Program(programs.broken, programs.train_params, lambda: START, inputs)
    fixed = Program(programs.fixed, programs.train, lambda: optimizer.init(START), inputs)
    hidden = Program(on_self, lambda update, x, y: update(x, y), None, lambda _call: data)
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
    update(*data)
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


def test_the_programs_on_show_trace_on_their_first_call():
    for program in programs.programs().values():
        lane = lockstep.step(lockstep.start(program))
        assert lane.moment.seen.traced
        assert lane.moment.seen.error is None


@pytest.mark.parametrize("name", ALL_RULES)
def test_the_whole_state_can_be_donated(name, data):
    """No two leaves share a buffer, and the new state can be donated in its turn."""
    rule = ALL_RULES[name]
    step = jax.jit(programs.threaded(rule), donate_argnums=0)
    state = programs.init(jax.tree.map(jnp.copy, START), rule)
    losses = []
    for _ in range(3):
        old = state
        error, state = step(state, *data, 0.05)
        losses.append(float(error))
        assert all(leaf.is_deleted() for leaf in jax.tree.leaves(old))
    np.testing.assert_allclose(losses, optimizer.run(START, data, 0.05, 100, rule).loss[:3], rtol=1e-4)


def test_adamw_which_needs_the_params_works_in_every_program(data):
    assert np.isfinite(programs.train(programs.fixed(optax.adamw), programs.init(START, optax.adamw), *data, 0.1)[0])
    assert np.isfinite(programs.train_params(programs.broken(optax.adamw), START, *data, 0.1)[0])
    trainer = optimizer.Trainer(START, 0.1, optax.adamw)
    start = trainer.update(*data)
    assert trainer.update(*data) < start


def test_weight_decay_is_that_of_adamw(data):
    """AdamW's step is Adam's, less rate * decay * params."""
    state = programs.init(START, optax.adam)
    _, plain = programs.threaded(optax.adam)(state, *data, 0.1)
    _, decayed = programs.threaded(optax.adamw)(programs.init(START, optax.adamw), *data, 0.1)
    expected = jax.tree.map(lambda new, old: new - 0.1 * 1e-4 * old, plain.params, START)
    np.testing.assert_allclose(decayed.params, expected, rtol=1e-6)


# --- the rate as a part of the state ----------------------------------------------------------------------


def test_the_rate_is_a_leaf_and_another_one_runs_the_same_program(data):
    traces = []

    def update(state, x, y):
        traces.append(1)
        return rate_in_state.update(state, x, y)

    step = jax.jit(update)
    state = rate_in_state.init(START)
    for rate in (0.1, 0.05, 0.2):
        state = rate_in_state.with_rate(state, rate)
        assert state.opt_state.hyperparams["learning_rate"] == np.float32(rate)
        _, state = step(state, *data)
    assert len(traces) == 1


def test_the_rate_in_the_state_gives_the_run_of_a_rate_that_is_handed_in(data):
    step, state, losses = jax.jit(rate_in_state.update), rate_in_state.init(START), []
    for call in range(20):
        if call == 8:
            state = rate_in_state.with_rate(state, 0.02)
        error, state = step(state, *data)
        losses.append(error)
    expected = optimizer.run_through(((0, 0.1), (8, 0.02)), data, 100)
    np.testing.assert_allclose(losses, expected.loss[:20], rtol=1e-4)


def test_with_rate_leaves_the_old_state_alone_and_the_rest_as_it_was(data):
    _, state = rate_in_state.update(rate_in_state.init(START), *data)
    other = rate_in_state.with_rate(state, 0.5)
    assert state.opt_state.hyperparams["learning_rate"] == np.float32(0.1)
    same = jax.tree.map(lambda left, right: bool(left == right), state, other)
    assert sum(not leaf for leaf in jax.tree.leaves(same)) == 1


def test_the_state_with_its_rate_can_be_donated(data):
    step = jax.jit(rate_in_state.update, donate_argnums=0)
    state = rate_in_state.init(jax.tree.map(jnp.copy, START))
    for _ in range(2):
        _, state = step(state, *data)
    assert int(state.opt_state.count) == 2
