import inspect

import jax
import jax.numpy as jnp
import pytest

from statecore import counter, lockstep
from statecore.counter import PROGRAMS, Counter, CounterV2
from statecore.lockstep import go, go_on, start, step
from statecore.origins import Origin
from statecore.program import Made, Program
from tests.helpers import body_lines

BODIES = {"plain": Counter.count, "broken": Counter.count, "fixed": CounterV2.count}
CALLS = {name: body_lines(program.call) for name, program in PROGRAMS.items()}


def tape(lane) -> list[int]:
    return [int(value) for value in lane.tape]


def lit(lane, name) -> bool:
    """Whether the body ran on the call at the cursor."""
    return body_lines(BODIES[name]) <= lane.moment.seen.ran


@pytest.mark.parametrize(("name", "expected"), [("plain", [1, 2, 3]), ("broken", [1, 1, 1]), ("fixed", [1, 2, 3])])
def test_the_three_counters(name, expected):
    lane = start(PROGRAMS[name])
    for calls in range(1, 4):
        lane = step(lane)
        assert lane.calls == calls == len(lane.moments) - 1
        assert tape(lane) == expected[:calls]


def test_before_the_first_call():
    for program in PROGRAMS.values():
        lane = start(program)
        assert (lane.calls, lane.again, lane.tape, lane.kept, lane.moment.seen) == (0, 0, (), None, None)
    assert start(PROGRAMS["broken"]).moment.after == {"self.n": 0}
    assert start(PROGRAMS["fixed"]).moment.after == {"state": 0}


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_lines_of_every_call(name):
    for _ in range(3):  # every visitor, and every reset: fresh objects, so the first call traces
        lane = start(PROGRAMS[name])
        lights, traced = [], []
        for _ in range(3):
            lane = step(lane)
            assert lane.moment.seen.called == CALLS[name]
            assert lane.moment.seen.ran.isdisjoint(CALLS[name])
            lights.append(lit(lane, name))
            traced.append(lane.moment.seen.traced)
        assert lights == ([True] * 3 if name == "plain" else [True, False, False])
        assert traced == ([False] * 3 if name == "plain" else [True, False, False])


def test_lanes_of_many_visitors_do_not_meet():
    lanes = [start(PROGRAMS[name]) for name in PROGRAMS for _ in range(4)]
    for _ in range(3):
        lanes = [step(lane) for lane in lanes]
    assert [tape(lane) for lane in lanes] == [[1, 2, 3]] * 4 + [[1, 1, 1]] * 4 + [[1, 2, 3]] * 4


def test_state_before_and_after_each_call():
    lanes = {name: go(start(program), 2) for name, program in PROGRAMS.items()}
    assert {name: (dict(lane.moment.before), dict(lane.moment.after)) for name, lane in lanes.items()} == {
        "plain": ({"self.n": 1}, {"self.n": 2}),
        "broken": ({"self.n": 1}, {"self.n": 1}),
        "fixed": ({"state": 1}, {"state": 2}),
    }


def test_what_jit_kept_is_shown_until_the_next_trace():
    lanes = {name: start(program) for name, program in PROGRAMS.items()}
    for _ in range(3):
        lanes = {name: step(lane) for name, lane in lanes.items()}
        assert lanes["plain"].kept is None
        assert [(each.text, each.origin) for each in lanes["broken"].kept.baked] == [
            ("1:i32[]", Origin("self.n", written=True, first=0))
        ]
        assert lanes["fixed"].kept.baked == ()
        assert len(lanes["fixed"].kept.inputs) == 1


def test_origins_read_at_the_trace_survive_a_leaked_tracer():
    """After the trace `self.total` is a tracer: the constant can be named only by what was seen then."""

    class Leaky:
        def __init__(self):
            self.total = jnp.float32(3)

        def add(self, x):
            self.total = self.total + x
            return self.total

    lane = start(Program(lambda: jax.jit(Leaky().add), lambda add, x: add(x), inputs=lambda call: (jnp.float32(1),)))
    for _ in range(3):
        lane = step(lane)
        assert [constant.origin.name for constant in lane.kept.baked] == ["self.total"]
    assert [float(value) for value in lane.tape] == [4, 4, 4]


@pytest.mark.parametrize("name", PROGRAMS)
def test_going_back_is_an_index_for_every_program(name):
    lane = go(start(PROGRAMS[name]), 5)
    owner = inspect.unwrap(lane.made).__self__
    held = dict(vars(owner))
    for calls in (4, 1, 3, 0, 5):
        past = go(lane, calls)
        assert past.moment is lane.moments[calls]
        assert past.moments == lane.moments  # nothing was called again
        assert past.made is lane.made
        assert tape(past) == tape(lane)[:calls]
    assert vars(owner) == held


@pytest.mark.parametrize("name", PROGRAMS)
def test_forward_from_the_past_shows_what_was_seen_and_then_goes_on(name):
    lane = go(go(start(PROGRAMS[name]), 5), 1)
    assert lit(lane, name)  # the call that traced, as it was
    for calls in (2, 3, 4, 5):
        before, lane = lane, step(lane)
        assert (lane.calls, lane.moments) == (calls, before.moments)
    lane = step(lane)
    assert (lane.calls, len(lane.moments)) == (6, 7)
    assert tape(lane) == ([1] * 6 if name == "broken" else [1, 2, 3, 4, 5, 6])


def test_an_explicit_state_goes_on_from_the_past_by_being_handed_over_again():
    lane = go(go(start(PROGRAMS["fixed"]), 5), 2)
    on = go_on(lane)
    assert (on.calls, on.again, len(on.moments), on.made) == (2, 0, 3, lane.made)
    assert tape(step(on)) == [1, 2, 3]
    assert not step(on).moment.seen.traced


@pytest.mark.parametrize("name", ["plain", "broken"])
def test_a_hidden_state_goes_on_from_the_past_by_being_built_and_called_again(name):
    lane = go(go(start(PROGRAMS[name]), 5), 2)
    owner = inspect.unwrap(lane.made).__self__
    held = dict(vars(owner))
    on = go_on(lane)
    assert (on.calls, on.again, len(on.moments)) == (2, 2, 3)
    assert inspect.unwrap(on.made).__self__ is not owner
    assert on.moment.after == lane.moment.after
    assert tape(step(on)) == ([1, 2, 3] if name == "plain" else [1, 1, 1])
    assert vars(owner) == held


def test_a_program_is_kept_by_reference_while_it_stays_the_same():
    lane = go(start(PROGRAMS["broken"]), 3)
    first = lane.moments[1].seen.kept
    assert all(moment.seen.kept is first for moment in lane.moments[1:])
    assert lane.moment.programs == (first,)


def test_a_new_shape_is_a_second_program():
    program = Program(
        lambda: jax.jit(lambda x: x + 1), lambda add, x: add(x), inputs=lambda call: (jnp.ones(2 + call % 2),)
    )
    lane = go(start(program), 4)
    programs = lane.moment.programs
    assert [each.inputs[0].split(":")[1] for each in programs] == ["f32[3]", "f32[2]"]
    assert [moment.seen.kept for moment in lane.moments[1:]] == [*programs, *programs]


def test_what_is_left_outside_is_looked_at_after_every_call():
    def make():
        heap = []

        def add(x):
            heap.append(x)
            return x

        def look():
            return len(heap) if len(heap) < 2 else heap[99]

        return Made(add, outside=look)

    lane = go(start(Program(make, lambda add, x: add(x), inputs=lambda call: (call,))), 2)
    assert [moment.outside for moment in lane.moments[:2]] == [None, 1]  # nothing is looked at before the first call
    assert isinstance(lane.moment.outside, IndexError)


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_first_call_keeps_its_lines_behind_a_long_history(name):
    lane = go(start(PROGRAMS[name]), 300)
    assert tape(lane)[-1] == (1 if name == "broken" else 300)
    first = go(lane, 1)
    assert lit(first, name)
    assert first.moment.seen.traced is (name != "plain")
    assert first.moment.seen.value == 1


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_lane_makes_no_more_calls_than_the_most(name, monkeypatch):
    monkeypatch.setattr(lockstep, "MAX_CALLS", 6)
    lane = go(start(PROGRAMS[name]), 6)
    assert step(lane) == lane
    with pytest.raises(ValueError, match="from call 0 to call 6, not to 7"):
        go(lane, 7)


@pytest.mark.parametrize("calls", [-1, lockstep.MAX_CALLS + 1, 10**12])
def test_a_call_out_of_range(calls):
    for program in PROGRAMS.values():
        with pytest.raises(ValueError, match=f"not to {calls}"):
            go(start(program), calls)


def test_inputs_are_those_of_the_call():
    class Total:
        def __init__(self):
            self.total = 0

        def add(self, x):
            self.total += x
            return self.total

    hidden = Program(lambda: Total().add, lambda add, x: add(x), inputs=lambda call: (call,))
    explicit = Program(
        lambda: jax.jit(lambda total, x: (total + x, total + x)),
        lambda add, total, x: add(total, x),
        init=lambda: 0,
        inputs=lambda call: (call,),
    )
    for program in (hidden, explicit):
        lane = go(start(program), 4)
        assert tape(lane) == [1, 3, 6, 10]
        assert tape(step(go(lane, 2))) == [1, 3, 6]


def test_an_exception_is_an_outcome_and_the_explicit_state_stays():
    def fragile(state):
        if state == 1:
            raise ValueError("not from 1")
        return state + 1, state + 1

    lane = go(start(Program(lambda: fragile, counter.call_with_state, init=lambda: 0)), 3)
    assert lane.tape[0] == 1
    assert [str(outcome) for outcome in lane.tape[1:]] == ["not from 1"] * 2
    assert isinstance(lane.tape[1], ValueError)
    assert lane.moment.after == {"state": 1}
    assert tape(go(lane, 1)) == [1]


def test_an_exception_of_a_hidden_program_is_an_outcome():
    def branches():
        return jax.jit(lambda: Counter().count() if jnp.float32(1) > jnp.sin(1.0) else 0)

    lane = go(start(Program(branches, counter.call)), 2)
    assert all(isinstance(outcome, jax.errors.TracerBoolConversionError) for outcome in lane.tape)
    assert lane.kept is None
    assert lane.calls == 2


def test_a_fixed_program_that_returns_no_pair_says_so():
    lane = step(start(Program(lambda: lambda state: state + 1, counter.call_with_state, init=lambda: 0)))
    assert isinstance(lane.tape[0], TypeError)
    assert lane.moment.after == {"state": 0}


def test_old_lanes_are_untouched():
    lane = go(start(PROGRAMS["fixed"]), 2)
    step(step(lane))
    go(lane, 0)
    assert (lane.calls, tape(lane), len(lane.moments)) == (2, [1, 2], 3)
