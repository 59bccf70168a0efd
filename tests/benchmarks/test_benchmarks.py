import math

import jax
import numpy as np
import pytest

from benchmarks import agreement, c_loop, contestants, rounds, table
from benchmarks.__main__ import header
from benchmarks.measure import CONTESTANTS, GROWTH, LEFT_OUT, POINTS, QUICK, REFERENCE, STEPS, compare, measure
from statecore import regression
from statecore.history import History


@pytest.fixture(scope="module")
def groups():
    return list(measure(QUICK))


@pytest.fixture
def without_compiler(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CC", raising=False)
    c_loop.build.cache_clear()
    yield
    c_loop.build.cache_clear()


def test_the_quick_table_has_every_row(groups):
    names = [(row.steps, row.points, row.contestant) for _, rows in groups for row in rows]
    sizes = [*((steps, POINTS) for steps in QUICK.steps), *QUICK.sizes]
    growth = [(*size, name) for size in sizes for name in (*GROWTH, REFERENCE)]
    assert names == [*((STEPS, POINTS, name) for name in CONTESTANTS), *growth]


def test_ratios_are_positive_finite_numbers(groups):
    for row in (row for _, rows in groups for row in rows):
        if row.ratio is None:
            assert c_loop.build("-O3") is None or "native" in row.contestant
            assert row.note == LEFT_OUT
        else:
            assert len(row.ratios) >= rounds.LEAST_ROUNDS
            assert np.all(np.isfinite(row.ratios))
            assert np.all(row.ratios > 0)


def test_aims_are_stated_and_judged(groups):
    text = table.render(groups)
    assert "its / scan at least 20" in text
    (_, rows), *_ = groups
    judged = [row for row in rows if row.aim and row.ratio is not None]
    assert all(row.met == (row.ratio >= row.aim.least) for row in judged)


@pytest.mark.parametrize(
    ("ratios", "met"), [([30, 31], "yes"), ([18, 19, 30, 31], "yes, close"), ([5, 30], "no, close"), ([5, 6], "no")]
)
def test_an_aim_within_the_noise_is_called_close(ratios, met):
    row = table.Row(1, 1, "somebody", np.array(ratios), table.Aim(20, "at least 20"))
    assert row.cells()[-1] == met


def test_the_table_is_aligned(groups):
    heading, rule, *lines = table.render(groups).splitlines()
    assert len(rule) == len(heading)
    column = heading.index("contestant")
    numbers = [line for line in lines if line[:1] in " 0123456789"]
    assert len(numbers) == sum(len(rows) for _, rows in groups)
    assert all(line[column - 1] == " " and line[column] != " " for line in numbers)


def test_the_header_says_where_it_was_measured():
    assert f"JAX {jax.__version__}" in header()


def test_the_pages_loop_and_the_scan_have_the_same_bits():
    problem = contestants.make_problem(200, 128)
    assert contestants.scan(problem)().same_bits(contestants.page_loop_recorded(problem)())


@pytest.mark.parametrize("column", ["weight", "bias", "loss"])
def test_one_wrong_number_in_a_history_is_a_disagreement(column):
    problem = contestants.make_problem(100, 16)
    history = contestants.scan(problem)()
    columns = {"weight": history.states.weight, "bias": history.states.bias, "loss": history.loss}
    columns[column] = columns[column] + np.float32(1e-3) * (np.arange(101) == 50)
    weight, bias, loss = columns.values()
    forged = History(regression.Params(weight, bias), loss)
    with pytest.raises(agreement.DisagreementError, match="forger"):
        agreement.check(problem, {"forger": forged}, history)


def test_too_few_steps_are_a_disagreement():
    problem = contestants.make_problem(100, 16)
    history = contestants.scan(problem)()
    for result in (history.until(99), history[99], regression.Params(math.nan, math.nan), 99):
        with pytest.raises(agreement.DisagreementError):
            agreement.check(problem, {"early": result}, history)
    agreement.check(problem, {"scan": history, "page": history[100], "counter": 100}, history)


@pytest.mark.usefixtures("without_compiler")
def test_without_a_compiler_the_table_says_what_was_left_out():
    rows = compare(contestants.make_problem(100, 16), GROWTH, 0, {})
    there, missing = rows
    assert there.ratio is not None
    assert missing.ratio is None
    assert LEFT_OUT in table.render([("small", rows)])


def test_flags_the_compiler_does_not_know_leave_the_contestant_out():
    assert c_loop.build("--no-such-flag") is None


def test_every_contestant_has_a_turn_in_every_round():
    turns = []
    runs = {name: lambda name=name: turns.append(name) for name in "abc"}
    times = rounds.interleave(runs, 0)
    assert set(turns) == set("abc")
    assert {len(column) for column in times.values()} == {rounds.LEAST_ROUNDS}
