"""Counters side by side: hidden state stands still, a Ref counts as explicit state does."""

import numpy as np
import pytest

from statecore import lockstep
from statecore.refs import counters, programs


def tape(program, calls):
    lane = lockstep.start(program)
    for _ in range(calls):
        lane = lockstep.step(lane)
    return lane


def numbers(lane):
    return [np.asarray(value).tolist() for value in lane.tape]


def test_the_ref_counts_under_jit_as_explicit_state_does():
    assert numbers(tape(programs.CALL["hidden"], 4)) == [1, 1, 1, 1]
    for name in ("ref", "explicit"):
        lane = tape(programs.CALL[name], 4)
        assert numbers(lane) == [1, 2, 3, 4]
        assert [moment.seen.traced for moment in lane.moments[1:]] == [True, False, False, False]


def test_eager_equals_jit():
    counter = counters.RefCounter()
    assert [int(counter.count()) for _ in range(3)] == numbers(tape(programs.CALL["ref"], 3))


def test_reset_works_on_a_ref_and_not_on_the_hidden_counter():
    assert numbers(tape(programs.RESET["hidden"], 5)) == [1, 1, 1, 1, 1]
    for name in ("ref", "explicit"):
        lane = tape(programs.RESET[name], 5)
        assert numbers(lane) == [1, 2, 3, 1, 2]
        # call 4 is another program; call 5 is the first one again, which jit still has
        traced = [moment.seen.traced for moment in lane.moments[1:]]
        assert traced == [True, False, False, True, False]


def test_scan_counts_on_where_the_last_one_ended():
    assert numbers(tape(programs.SCAN["hidden"], 2)) == [[1] * 5, [1] * 5]
    for name in ("ref", "explicit"):
        assert numbers(tape(programs.SCAN[name], 2)) == [[1, 2, 3, 4, 5], [6, 7, 8, 9, 10]]


@pytest.mark.parametrize(("kind", "traces"), [("CALL", 1), ("SCAN", 1), ("RESET", 3)])
def test_a_python_0_is_traced_again_after_a_reset_only(kind, traces):
    """A weak int stays weak through `+ 1`; the reset gives an int32, which is another type."""
    program = getattr(programs, kind)["explicit"]
    weak = lockstep.start(program.__class__(program.make, program.call, lambda: 0, program.inputs))
    lane = lockstep.go(weak, 5)
    assert sum(moment.seen.traced for moment in lane.moments[1:]) == traces
    strong = lockstep.go(lockstep.start(program), 5)
    resets = kind == "RESET"
    assert sum(moment.seen.traced for moment in strong.moments[1:]) == 1 + resets
