"""The checker on realistic functions: each has its verdict, and the caller's world is as it was."""

import pytest

from statecore.checker import CALLS, KINDS, VERDICTS, assert_pure, check
from tests.statecore.checker import programs
from tests.statecore.checker.programs import ROWS
from tests.statecore.checker.world import described

pytestmark = pytest.mark.promotes_ranks


def test_there_are_at_least_as_many_as_were_tried():
    assert len(ROWS) >= 78
    assert len([make for make in ROWS.values() if make().kinds == ""]) >= 50


@pytest.mark.parametrize("name", ROWS)
def test_the_verdict_is_right_and_nothing_of_the_caller_s_is_changed(name):
    made = ROWS[name]()
    before = described(made, programs.HISTORY, programs.norm, programs.Counting, programs.counted, programs.steps)
    report = check(made.function, *made.args, **made.options)
    after = described(made, programs.HISTORY, programs.norm, programs.Counting, programs.counted, programs.steps)
    assert report.kinds - {"bakes"} == set(made.kinds.split()), str(report)
    assert report.pure == all(VERDICTS[kind] != "not pure" for kind in made.kinds.split())
    assert len(report.outcomes) in (0, CALLS)
    assert before == after


@pytest.mark.parametrize("name", [name for name, make in ROWS.items() if make().kinds == ""])
def test_a_pure_function_passes(name):
    made = ROWS[name]()
    assert_pure(made.function, *made.args, **made.options)


@pytest.mark.parametrize("name", [name for name, make in ROWS.items() if make().kinds])
def test_any_other_fails_and_says_why(name):
    made = ROWS[name]()
    with pytest.raises(AssertionError) as failed:
        assert_pure(made.function, *made.args, **made.options)
    report = str(failed.value)
    assert all(f"- {KINDS[kind]}: " in report for kind in made.kinds.split())
