from dataclasses import replace

import numpy as np
import pytest

from statecore import regression, training
from statecore.regression import Params
from statecore.training import MAX_BRANCHES, Training, begin, fork, replay, switch
from tests.helpers import compilations, finish

STEPS = 120


@pytest.fixture(scope="module")
def problem():
    data_key, params_key = regression.separate_keys(0)
    return regression.make_data(data_key), regression.init(params_key)


@pytest.fixture(scope="module")
def trained(problem) -> Training:
    return finish(begin(*problem, 0.01, STEPS))[0]


def forked(run: Training, step: int, rate: float) -> Training:
    return finish(fork(run, step, rate))[0]


def loop(params, data, rates, steps) -> tuple[np.ndarray, np.ndarray]:
    """A Python loop of the same update, told each new rate in time: weights and biases."""
    rates, rate, states = dict(rates), None, []
    for step in range(steps + 1):
        rate = rates.get(step, rate)
        states.append(params)
        params = regression.update(params, *data, rate)
    weights, biases = zip(*states, strict=True)
    return np.asarray(weights, np.float32), np.asarray(biases, np.float32)


def assert_never_falls(shares: list[float]) -> None:
    assert shares
    assert shares == sorted(shares)
    assert shares[0] > 0
    assert shares[-1] == 1


# --- the start --------------------------------------------------------------------------------------------


def test_both_sides_have_every_step(trained, problem):
    data, params = problem
    assert len(trained.history) == len(trained.hidden[0]) == STEPS + 1
    assert trained.history.same_bits(regression.run(params, data, 0.01, STEPS))
    assert (trained.learning_rate, trained.rates, trained.full) == (0.01, (((0, 0.01),),), False)
    assert (trained.timeline.cursor, trained.timeline.last) == (0, STEPS)


def test_the_states_of_the_timeline_are_those_of_the_history(trained):
    for step in (0, 1, STEPS):
        state = trained.timeline.go(step).state()
        assert isinstance(state, Params)
        assert state == trained.history[step]


def test_the_hidden_losses_are_flat(trained, problem):
    data, params = problem
    [losses] = trained.hidden
    assert losses.dtype == np.float32
    assert set(losses) == {losses[0]}
    assert losses[0] == pytest.approx(float(regression.loss(params, *data)), rel=1e-6)
    assert trained.history.loss[-1] < losses[-1]


@pytest.mark.parametrize("steps", [0, 1, 1023, 1024, 2500])
def test_the_shares_rise_to_one(problem, steps):
    run, shares = finish(begin(*problem, 0.01, steps))
    assert_never_falls(shares)
    assert len(shares) == 2 * (steps // 1024 + 1)
    assert_never_falls(finish(fork(run, steps // 2, 0.1))[1])
    assert_never_falls(finish(replay(run))[1])


def test_a_replay_of_many_rates_never_falls_back(problem):
    run = finish(begin(*problem, 0.01, 2500))[0]
    for step in (300, 1500, 2500):
        run = forked(run, step, 0.02)
        same, shares = finish(replay(run))
        assert same
        assert_never_falls(shares)


def test_whoever_stops_asking_has_cancelled(problem, monkeypatch):
    calls = []
    monkeypatch.setattr(regression, "broken", lambda *args: calls.append(args) or regression.Trainer(*args).update)
    work = begin(*problem, 0.01, 100_000)
    assert 0 < next(work) < next(work) < 0.5
    work.close()
    assert calls == []  # the hidden side was not even built


# --- forks ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", [0, 1, 37, STEPS])
def test_a_fork_keeps_the_past_bitwise(trained, step):
    run = forked(trained, step, 0.3)
    assert run.history.until(step).same_bits(trained.history.until(step))
    assert len(run.history) == len(run.hidden[1]) == STEPS + 1
    assert run.histories[0] is trained.history
    assert (run.timeline.current, run.timeline.cursor) == (1, step)
    assert run.timeline.branch.forked_at == step
    assert run.learning_rate == 0.3
    if step < STEPS:
        assert run.history.weight[step + 1] != trained.history.weight[step + 1]


def test_a_fork_of_a_fork_is_one_line_of_updates(trained, problem):
    data, params = problem
    run = forked(forked(trained, 30, 0.1), 70, 0.5)
    assert run.rates[-1] == ((0, 0.01), (30, 0.1), (70, 0.5))
    weights, biases = loop(params, data, run.rates[-1], STEPS)
    np.testing.assert_array_equal(run.history.weight, weights)
    np.testing.assert_array_equal(run.history.bias, biases)


def test_a_fork_with_the_same_rate_changes_no_bit(trained):
    assert forked(trained, 37, 0.01).history.same_bits(trained.history)


def test_a_fork_before_an_earlier_one_forgets_its_rate(trained):
    run = forked(forked(trained, 70, 0.5), 30, 0.1)
    assert run.rates[-1] == ((0, 0.01), (30, 0.1))
    assert forked(run, 30, 0.2).rates[-1] == ((0, 0.01), (30, 0.2))
    assert forked(run, 0, 0.2).rates[-1] == ((0, 0.2),)


def test_a_fork_leaves_the_old_run_alone(trained):
    weight, timeline = trained.history.weight.copy(), trained.timeline
    forked(trained, 10, 5.0)
    np.testing.assert_array_equal(trained.history.weight, weight)
    assert trained.timeline is timeline
    assert len(timeline.branches) == len(trained.rates) == len(trained.hidden) == 1


def test_the_hidden_side_ignores_a_new_rate(trained):
    run = forked(forked(trained, 30, 0.5), 60, 100.0)
    for losses in run.hidden:
        np.testing.assert_array_equal(losses, trained.hidden[0])


def test_the_hidden_side_is_called_anew_and_told_the_rate_in_time(trained, monkeypatch):
    told = []

    class Spy(regression.Trainer):
        def update(self, x, y):
            told.append(self.learning_rate)
            return np.float32(0)

    monkeypatch.setattr(regression, "broken", lambda params, rate: Spy(params, rate).update)
    forked(trained, 30, 0.5)
    assert told == [0.01] * 30 + [0.5] * (STEPS + 1 - 30)


def test_a_fork_from_another_branch(trained):
    run = forked(trained, 30, 0.5)
    back = switch(run, 0)
    assert (back.history, back.learning_rate) == (trained.history, 0.01)
    other = forked(back, 60, 0.1)
    assert other.rates[-1] == ((0, 0.01), (60, 0.1))
    assert other.timeline.branches[-1].parent == 0
    assert len(other.histories) == 3


def test_a_fork_compiles_nothing_new(trained):
    forked(trained, 10, 0.5)
    with compilations() as heard:
        for step, rate in ((20, 0.1), (30, 5.0)):
            forked(trained, step, rate)
    # the hidden trainer is a new one each time, and so is its trace; the pure side is compiled already
    assert "_scan_steps" not in heard
    assert heard.count("jit(update)") == 2 * 2
    assert set(heard) == {"update", "jit(update)"}


def test_a_run_has_so_many_branches_and_no_more(trained):
    run = trained
    for k in range(1, MAX_BRANCHES):
        assert not run.full
        run = forked(run, 10 * k, 0.1)
    assert run.full
    assert len(run.histories) == MAX_BRANCHES
    with pytest.raises(ValueError, match=f"at most {MAX_BRANCHES} branches"):
        next(fork(run, 1, 0.1))
    assert switch(run, 0).full


@pytest.mark.parametrize("step", [-1, STEPS + 1])
def test_a_fork_at_a_step_that_is_not_there(trained, step):
    with pytest.raises(IndexError, match=f"step {step} is not in this history"):
        next(fork(trained, step, 0.1))


def test_a_rate_that_diverges_is_a_history_like_any_other(trained):
    run = forked(trained, 20, 50.0)
    assert 20 < run.history.first_not_finite < STEPS
    assert finish(replay(run))[0]


# --- replay -----------------------------------------------------------------------------------------------


def test_replay_is_bitwise_equal(trained):
    run = trained
    for step, rate in ((0, 0.3), (37, 0.02), (90, 0.9), (STEPS, 0.1)):
        assert finish(replay(run))[0] is True
        run = forked(run, step, rate)
    assert finish(replay(run))[0] is True


def test_replay_really_compares(trained):
    elsewhere = Params(trained.params.weight + 1e-6, trained.params.bias)
    assert finish(replay(replace(trained, params=elsewhere)))[0] is False


# --- labels -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rates", "expected"),
    [
        (((0, 0.005),), "rate 0.005"),
        (((0, 0.005), (250, 0.1)), "rate 0.005, 0.1 from step 250"),
        (((0, 1e-06), (2, 0.5), (3, 2.0)), "rate 1e-06, 0.5 from step 2, 2 from step 3"),
    ],
)
def test_a_branch_is_called_by_its_rates(rates, expected):
    assert training.label(rates) == expected


def test_branches_have_labels(trained):
    labels = [branch.label for branch in forked(trained, 30, 0.5).timeline.branches]
    assert labels == ["rate 0.01", "rate 0.01, 0.5 from step 30"]
