"""The measurement of what a Ref costs."""

import numpy as np
import pytest

from statecore.refs import cost, programs


def test_the_cost_is_measured_with_progress():
    steps = list(cost.measure(calls=50, batches=2))
    assert [step.done for step in steps] == list(range(1, 9))
    last = steps[-1]
    assert all(len(timing.microseconds) == 2 and timing.median > 0 for timing in last.timings)
    assert last.timings[0].microseconds.dtype == np.float32
    assert [timing.name for timing in last.timings] == ["explicit call", "Ref call", "explicit scan", "Ref scan"]
    assert np.isnan(steps[0].timings[-1].median)


def test_the_timed_loops_count_right():
    assert int(cost.count_with_state(programs.explicit(), programs.first_state(), 7)) == 7
    assert int(cost.count_with_ref(programs.ref(), 7)) == 7


@pytest.mark.parametrize("wrong", [{"calls": 0}, {"calls": cost.MAX_CALLS + 1}, {"batches": 0}])
def test_a_measurement_out_of_range_is_refused(wrong):
    with pytest.raises(ValueError, match="batches"):
        next(cost.measure(**wrong))
