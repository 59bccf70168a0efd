"""One training for every learner: chunks, forks, branches and replays of whatever state there is."""

from dataclasses import replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statecore import line, optimizer, training
from statecore.line import Params
from statecore.regression.runs import LEARNER
from statecore.training import MAX_BRANCHES, MAX_WORK, Learner, Training, begin, fork, replay, switch
from statecore.work import finish as result
from tests.helpers import compilations, finish

STEPS = 120
START = Params(jnp.float32(0.5), jnp.float32(-3.0))
LEARNERS = {"page": LEARNER, **{name: optimizer.learner(rule) for name, rule in optimizer.RULES.items()}}


@pytest.fixture(scope="module")
def data():
    return line.make_data(jax.random.key(0), offset=1.0)


@pytest.fixture(scope="module", params=LEARNERS)
def trained(request, data) -> Training:
    return result(begin(LEARNERS[request.param], START, data, 0.01, STEPS))


def forked(run: Training, step: int, rate: float) -> Training:
    return result(fork(run, step, rate))


def assert_never_falls(shares: list[float]) -> None:
    assert shares
    assert shares == sorted(shares)
    assert shares[0] > 0
    assert shares[-1] == 1


# --- runs -------------------------------------------------------------------------------------------------


class Mixed(NamedTuple):
    """A state of everything a run keeps: float numbers, a count, a flag, a vector."""

    total: jax.Array
    count: jax.Array
    odd: jax.Array
    last: jax.Array


def mixed_update(state, x, rate):
    count = state.count + 1
    new = Mixed(state.total + rate * x.sum(), count, count % 2 == 1, x[:2, 0] * rate * count)
    return state.total, new


def test_any_tree_of_numbers_is_kept_step_by_step():
    first = Mixed(jnp.float32(0), jnp.int32(0), jnp.bool_(False), jnp.zeros(2))
    learner = Learner(training.unchanged, mixed_update)
    x = jnp.ones((4, 1))
    history = result(training.run(learner, first, (x,), 0.5, 1500))
    steps = np.arange(1501)
    np.testing.assert_array_equal(history.states.count, steps)
    np.testing.assert_array_equal(history.states.odd, steps % 2 == 1)
    np.testing.assert_allclose(history.states.total, 2.0 * steps)
    np.testing.assert_allclose(history.states.last, np.repeat(0.5 * steps[:, None], 2, axis=1))
    np.testing.assert_array_equal(history.loss, history.states.total)
    assert [leaf.dtype for leaf in history.states] == [np.float32, np.int32, np.bool_, np.float32]


def test_a_run_is_a_loop_of_the_updates(trained, data):
    state, update = trained.state, jax.jit(trained.learner.update)
    for step in range(20):
        for mine, its in zip(jax.tree.leaves(trained.history[step]), jax.tree.leaves(state), strict=True):
            np.testing.assert_allclose(mine, its, rtol=1e-4, atol=1e-5)
        error, state = update(state, *data, 0.01)
        np.testing.assert_allclose(trained.history.loss[step], error, rtol=1e-4)


def test_another_rate_and_another_length_compile_nothing(trained, data):
    with compilations() as heard:
        for rate, steps in ((0.2, 7), (1e-3, 300), (3, 0)):
            result(training.run(trained.learner, trained.state, data, rate, steps))
    assert heard == []


@pytest.mark.parametrize("steps", [-1, 1001])
def test_a_run_outside_the_cap(steps):
    column = np.broadcast_to(np.float32(0), (1_000_000, 1))
    with pytest.raises(ValueError, match=r"1,000,000 points x -?[\d,]+ steps is not within 0 to 1,000,000,000"):
        next(training.run(LEARNER, START, (column, column), 0.1, steps))


# --- the start --------------------------------------------------------------------------------------------


def test_a_training_has_every_step(trained):
    assert len(trained.history) == STEPS + 1
    assert (trained.learning_rate, trained.rates, trained.full) == (0.01, (((0, 0.01),),), False)
    assert (trained.timeline.cursor, trained.timeline.last) == (0, STEPS)
    assert trained.work == 128 * STEPS


@pytest.mark.parametrize("steps", [0, 1, 1023, 1024, 2500])
def test_the_shares_rise_to_one(data, steps):
    run, shares = finish(begin(LEARNER, START, data, 0.01, steps))
    assert_never_falls(shares)
    assert len(shares) == steps // 1024 + 1
    assert_never_falls(finish(fork(run, steps // 2, 0.1))[1])
    assert_never_falls(finish(replay(run))[1])


def test_a_replay_of_many_rates_never_falls_back(data):
    run = result(begin(LEARNER, START, data, 0.01, 2500))
    for step in (300, 1500, 2500):
        run = forked(run, step, 0.02)
        same, shares = finish(replay(run))
        assert same
        assert_never_falls(shares)


# --- forks ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", [0, 1, 37, STEPS])
def test_a_fork_keeps_the_past_bitwise(trained, step):
    run = forked(trained, step, 0.3)
    assert run.history.until(step).same_bits(trained.history.until(step))
    assert len(run.history) == STEPS + 1
    assert run.histories[0] is trained.history
    assert (run.timeline.current, run.timeline.cursor) == (1, step)
    assert run.timeline.branch.forked_at == step
    assert run.learning_rate == 0.3
    if step < STEPS:
        assert not run.history.until(step + 1).same_bits(trained.history.until(step + 1))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, STEPS), st.sampled_from([0.002, 0.01, 0.05])), max_size=5))
def test_any_line_of_forks_is_one_line_of_training_and_its_replay(trained, forks):
    run = trained
    for step, rate in forks:
        run = forked(run, step, rate)
    rates = run.rates[-1]
    assert [step for step, _ in rates] == sorted({step for step, _ in rates})
    assert rates[0][0] == 0
    line_of_rates = training.through(run.learner, run.state, run.data, rates, STEPS)
    assert result(line_of_rates).same_bits(run.history)
    assert result(replay(run))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, STEPS))
def test_a_fork_with_the_same_rate_changes_no_bit(trained, step):
    assert forked(trained, step, 0.01).history.same_bits(trained.history)


def test_a_fork_before_an_earlier_one_forgets_its_rate(trained):
    run = forked(forked(trained, 70, 0.5), 30, 0.1)
    assert run.rates[-1] == ((0, 0.01), (30, 0.1))
    assert forked(run, 30, 0.2).rates[-1] == ((0, 0.01), (30, 0.2))
    assert forked(run, 0, 0.2).rates[-1] == ((0, 0.2),)


def test_a_fork_leaves_the_old_run_alone(trained):
    before, timeline = jax.tree.map(np.copy, trained.history), trained.timeline
    forked(trained, 10, 5.0)
    assert trained.history.same_bits(before)
    assert trained.timeline is timeline
    assert len(timeline.branches) == len(trained.rates) == 1


def test_a_fork_from_another_branch(trained):
    back = switch(forked(trained, 30, 0.5), 0)
    assert back.history is trained.history
    assert back.learning_rate == 0.01
    other = forked(back, 60, 0.1)
    assert other.rates[-1] == ((0, 0.01), (60, 0.1))
    assert other.timeline.branches[-1].parent == 0
    assert len(other.histories) == 3


def test_a_fork_compiles_nothing(trained):
    forked(trained, 10, 0.5)
    with compilations() as heard:
        for step, rate in ((20, 0.1), (30, 5.0)):
            forked(trained, step, rate)
    assert heard == []


def test_a_fork_that_drops_memory_says_so_in_its_first_state(data):
    learner = optimizer.learner(optax.adam, keep_opt_state=False)
    run = forked(result(begin(learner, START, data, 0.01, STEPS)), 40, 0.01)
    np.testing.assert_array_equal(run.history.states.opt_state[0].count, [*range(40), *range(STEPS - 39)])
    assert result(replay(run))


@pytest.mark.parametrize("step", [-1, STEPS + 1])
def test_a_fork_at_a_step_that_is_not_there(trained, step):
    with pytest.raises(IndexError, match=f"step {step} is not in this history"):
        next(fork(trained, step, 0.1))


# --- bounds -----------------------------------------------------------------------------------------------


def test_a_training_has_so_many_branches_and_no_more(trained):
    run = trained
    for k in range(1, MAX_BRANCHES):
        assert not run.full
        run = forked(run, 10 * k, 0.1)
    assert run.full
    assert len(run.histories) == MAX_BRANCHES
    with pytest.raises(ValueError, match=f"at most {MAX_BRANCHES} branches"):
        next(fork(run, 1, 0.1))
    assert switch(run, 0).full


def test_the_work_of_all_branches_is_bounded(trained, data, monkeypatch):
    monkeypatch.setattr(training, "MAX_WORK", 3 * 128 * STEPS)
    run = forked(trained, 10, 0.1)
    assert not run.full
    run = forked(run, 20, 0.1)
    assert run.work == training.MAX_WORK
    assert run.full
    with pytest.raises(ValueError, match="points x steps in all"):
        next(fork(run, 1, 0.1))


def test_a_run_of_the_largest_size_has_no_room_for_a_branch(trained):
    column = np.broadcast_to(np.float32(0), (1_000_000, 1))
    largest = replace(trained, data=(column, column), steps=MAX_WORK // 1_000_000)
    assert largest.work == MAX_WORK
    assert largest.full
    assert not replace(largest, steps=largest.steps // 2).full


# --- replay -----------------------------------------------------------------------------------------------


def test_replay_is_bitwise_equal_after_divergence_too(trained):
    run = forked(trained, 20, 50.0)
    assert result(replay(run)) is True


def test_a_rate_that_diverges_is_found_at_its_first_step(data):
    run = forked(result(begin(LEARNER, START, data, 0.01, STEPS)), 20, 50.0)
    assert 20 < run.history.first_not_finite < STEPS


def test_replay_really_compares(trained):
    nudged = jax.tree.map(lambda leaf: np.nextafter(leaf, np.float32(9)) if leaf.dtype == np.float32 else leaf,
                          trained.state)  # fmt: skip
    assert result(replay(replace(trained, state=nudged))) is False
