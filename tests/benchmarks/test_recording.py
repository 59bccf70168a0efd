import numpy as np

from benchmarks import recording
from statecore.counter import PROGRAMS
from statecore.recording import dumps, record


def test_the_cost_of_recording_is_measured():
    cost = recording.measure(rounds=1)
    assert cost.size == len(dumps(record(PROGRAMS, recording.CALLS)).encode()) <= 8000
    assert cost.recorded > 0
    assert cost.called > 0
    lines = recording.render(cost).splitlines()
    assert [line.split(":")[0] for line in lines[2:]] == ["recorded", "not observed", "ratio", "JSON"]
    assert lines[-1] == f"JSON: {cost.size:,} bytes"


def test_the_calls_that_are_not_observed_are_the_same_calls():
    numbers = np.arange(1, recording.CALLS + 1)
    plain, broken, fixed = np.asarray(recording.call_alone())
    assert np.array_equal(plain, numbers)
    assert np.array_equal(fixed, numbers)
    assert np.all(broken == 1)
