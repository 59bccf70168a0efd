"""Both sides under one cursor: the pure one forks, the jitted trainer is called again and stays flat."""

import numpy as np
import pytest

from statecore import line, regression
from statecore.regression import hidden, sides
from statecore.regression.sides import Sides, begin, fork, switch
from statecore.work import finish as result
from tests.helpers import compilations, finish
from tests.statecore.regression.problems import problem

STEPS = 120


@pytest.fixture(scope="module")
def start():
    params, data = problem()
    return data, params


@pytest.fixture(scope="module")
def both(start) -> Sides:
    return result(begin(*start, 0.01, STEPS))


def forked(run: Sides, step: int, rate: float) -> Sides:
    return result(fork(run, step, rate))


def test_both_sides_have_every_step(both, start):
    data, params = start
    assert len(both.training.history) == len(both.beside.losses) == STEPS + 1
    assert both.training.history.same_bits(regression.run(params, data, 0.01, STEPS))


def test_the_states_of_the_timeline_are_the_params(both):
    for step in (0, 1, STEPS):
        state = both.training.timeline.go(step).state
        assert isinstance(state, regression.Params)
        assert state == both.training.history[step]


def test_the_hidden_losses_are_flat(both, start):
    data, params = start
    losses = both.beside.losses
    assert losses.dtype == np.float32
    assert set(losses) == {losses[0]}
    assert losses[0] == pytest.approx(float(line.loss(params, *data)), rel=1e-6)
    assert both.training.history.loss[-1] < losses[-1]


def test_the_shares_rise_to_one_over_both_sides(start):
    run, shares = finish(begin(*start, 0.01, 2500))
    assert shares == sorted(shares)
    assert 0 < shares[0] < 0.5 < shares[-1] == 1
    shares = finish(fork(run, 1000, 0.1))[1]
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_a_fork_of_a_fork_is_one_line_of_updates(both, start):
    data, params = start
    run = forked(forked(both, 30, 0.1), 70, 0.5)
    rates, rate, states = dict(run.training.rates[-1]), None, []
    assert rates == {0: 0.01, 30: 0.1, 70: 0.5}
    for step in range(STEPS + 1):
        rate = rates.get(step, rate)
        states.append(params)
        params = regression.update(params, *data, rate)
    for mine, its in zip(run.training.history.states, zip(*states, strict=True), strict=True):
        np.testing.assert_array_equal(mine, np.asarray(its, np.float32))


def test_the_hidden_side_ignores_a_new_rate(both):
    run = forked(forked(both, 30, 0.5), 60, 100.0)
    assert len(run.hidden) == 3
    for side in run.hidden:
        np.testing.assert_array_equal(side.losses, both.beside.losses)
        assert side.baked == both.beside.baked


def test_each_branch_has_its_own_trainer_told_its_own_rates(both, monkeypatch):
    told = []

    def train(params, data, rates, steps):
        told.append((rates, steps))
        yield 1.0
        return both.beside

    monkeypatch.setattr(hidden, "train", train)
    forked(forked(both, 30, 0.5), 60, 0.1)
    assert told == [(((0, 0.01), (30, 0.5)), STEPS), (((0, 0.01), (30, 0.5), (60, 0.1)), STEPS)]


def test_switching_shows_the_trainer_of_that_branch(both):
    run = forked(both, 30, 0.5)
    assert run.beside is run.hidden[1]
    assert switch(run, 0).beside is both.beside


def test_whoever_stops_asking_has_cancelled(start, monkeypatch):
    built = []
    monkeypatch.setattr(sides.hidden.programs, "broken", lambda *args: built.append(args))
    work = begin(*start, 0.01, 100_000)
    assert 0 < next(work) < next(work) < 0.5
    work.close()
    assert built == []  # the hidden side was not even built


def test_a_fork_traces_the_hidden_trainer_only(both):
    forked(both, 10, 0.5)
    with compilations() as heard:
        for step, rate in ((20, 0.1), (30, 5.0)):
            forked(both, step, rate)
    # the hidden trainer is a new one each time, and so is its trace; the pure side is compiled already
    assert heard.count("jit(update)") == 2 * 2
    assert set(heard) == {"update", "jit(update)"}
