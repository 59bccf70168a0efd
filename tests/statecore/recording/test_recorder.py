"""Live programs: every call is made once, recorded as it was, and gone on from."""

import gc
import os
import re
import sys
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from statecore import counter, lockstep
from statecore.printing import Printer
from statecore.program import Made, Program
from statecore.recording import Recorder, dumps, first_difference, loads, record, until
from statecore.recording.values import Array, Raised, Thing


class Counting:
    """Hidden state; every call, and every object that was built, is noted in `made`."""

    def __init__(self, made):
        self.n, self.made = 0, made
        made.append("built")

    def count(self):
        self.made.append(self.n)
        self.n += 1
        return self.n


def call(f):
    return f()


def call_with_state(f, state):
    value, state = f(state)
    return value, state


def explicit(made):
    def step(state):
        made.append(int(state))
        return state + 1, state + 1

    return Program(lambda: step, call_with_state, init=lambda: 0)


def hidden(made):
    # the attribute is the list itself, so it is kept out of the recorded state
    def make():
        counting = Counting(made)
        return lambda: counting.count()

    return Program(make, call)


@pytest.mark.parametrize("program", [hidden, explicit])
def test_no_call_is_made_twice(program):
    made = []
    recorder = Recorder({"a": program(made)})
    for target in (3, 3, 1, 5, 0, 5):
        recorder.until(target)
    assert [each for each in made if each != "built"] == [0, 1, 2, 3, 4]
    assert recorder.recording["a"].tape == (1, 2, 3, 4, 5)


def test_in_pieces_is_the_same_as_at_once():
    recorder = Recorder(counter.PROGRAMS)
    for calls in (1, 2, 7, 12):
        assert first_difference(recorder.until(calls), record(counter.PROGRAMS, calls)) is None
        assert recorder.recording.calls == calls
    assert recorder.recording == record(counter.PROGRAMS, 12)


@pytest.mark.parametrize("calls", range(5))
def test_a_shorter_recording_is_the_beginning(calls):
    """Also where a later call kept a further program."""
    program = Program(lambda: jax.jit(lambda x: x + 1), lambda f, x: f(x), inputs=lambda k: (jnp.zeros(1 + k // 3),))
    assert until(record({"a": program}, 4), calls) == record({"a": program}, calls)


@pytest.mark.parametrize("call", [-1, 4])
def test_a_call_that_is_not_recorded_is_refused(call):
    recorder = Recorder(counter.PROGRAMS)
    recording = recorder.until(3)
    with pytest.raises(IndexError, match=str(call)):
        until(recording, call)
    with pytest.raises(IndexError, match=str(call)):
        recorder.from_call(call)


def test_there_is_a_most_of_calls():
    made = []
    recorder = Recorder({"a": explicit(made)})
    for calls in (-1, lockstep.MAX_CALLS + 1):
        with pytest.raises(ValueError, match=str(calls)):
            recorder.until(calls)
    assert made == []
    assert recorder.until(lockstep.MAX_CALLS)["a"].tape[-1] == lockstep.MAX_CALLS


def test_an_explicit_state_is_handed_over_again():
    made = []
    recorder = Recorder({"a": explicit(made)})
    long = recorder.until(5)
    branch = recorder.from_call(2)
    assert made == [0, 1, 2, 3, 4]
    assert branch.recording == until(long, 2)
    assert branch.until(4)["a"].tape == (1, 2, 3, 4)
    assert made == [0, 1, 2, 3, 4, 2, 3]
    assert [moment.again for moment in branch.recording["a"].moments] == [0, 0, 0, 0]
    assert recorder.recording == long
    assert recorder.until(6)["a"].tape == (1, 2, 3, 4, 5, 6)
    assert branch.until(5)["a"].tape == (1, 2, 3, 4, 5)


def test_a_hidden_state_is_built_and_called_again():
    made = []
    recorder = Recorder({"a": hidden(made)})
    long = recorder.until(3)
    branch = recorder.from_call(2)
    assert made == ["built", 0, 1, 2, "built", 0, 1]
    assert branch.recording == until(long, 2)
    assert recorder.until(4)["a"].tape == (1, 2, 3, 4)
    assert branch.until(4)["a"].tape == (1, 2, 3, 4)
    assert [moment.again for moment in branch.recording["a"].moments] == [0, 0, 2, 0]
    assert [moment.again for moment in recorder.recording["a"].moments] == [0, 0, 0, 0]


def test_a_donated_state_is_made_again():
    step = Program(
        lambda: jax.jit(lambda s: (s * 2, s + 1), donate_argnums=0), call_with_state, init=lambda: jnp.ones(3)
    )
    recorder = Recorder({"a": step})
    long = recorder.until(4)
    assert [moment.before[0][1].data[0] for moment in long["a"].moments] == [1.0, 2.0, 3.0, 4.0]
    for past in (1, 4):
        branch = recorder.from_call(past)
        assert branch.until(past + 1)["a"].tape[-1] == recorder.until(5)["a"].tape[past]
        assert branch.recording["a"].moments[-1].again == past


def test_a_branch_before_any_call_does_not_donate_the_others_state():
    step = Program(lambda: jax.jit(lambda s: (s, s + 1), donate_argnums=0), call_with_state, init=lambda: jnp.ones(3))
    recorder = Recorder({"a": step})
    branch = recorder.from_call(0)
    assert branch.until(2)["a"].tape == recorder.until(2)["a"].tape
    assert not any(isinstance(each, Raised) for each in recorder.recording["a"].tape)


def test_a_state_in_a_ref_is_not_shared():
    def step(ref):
        ref[...] += 1
        return ref[...], ref

    program = Program(lambda: step, call_with_state, init=lambda: jax.new_ref(jnp.float32(0)))
    recorder = Recorder({"a": program})
    recorder.until(3)
    branch = recorder.from_call(1)
    assert [each.data for each in branch.until(2)["a"].tape] == [(1.0,), (2.0,)]
    assert [each.data for each in recorder.until(4)["a"].tape] == [(1.0,), (2.0,), (3.0,), (4.0,)]


def test_going_on_after_the_objects_are_gone():
    made = []
    recording = record({"a": hidden(made), "b": explicit(made)}, 2)
    del made[:]
    recorder = Recorder.after(loads(dumps(recording)), {"a": hidden(made), "b": explicit(made)})
    assert made == ["built", 0, 1, 0, 1]
    longer = recorder.until(4)
    assert until(longer, 2) == recording
    for track in longer.tracks:
        assert track.tape == (1, 2, 3, 4)
        assert [moment.again for moment in track.moments] == [0, 0, 2, 0]
    with pytest.raises(ValueError, match="'a', 'b'"):
        Recorder.after(recording, {"b": explicit(made), "a": hidden(made)})


def test_what_a_later_call_writes_into_stays_as_it_was():
    class Buffer:
        def __init__(self):
            self.values, self.seen = np.zeros(2), []

        def step(self):
            self.values[0] += 1
            self.seen.append(len(self.seen))
            return self.values

    track = record({"a": Program(lambda: Buffer().step, call)}, 3)["a"]
    assert [each.data for each in track.tape] == [(1.0, 0.0), (2.0, 0.0), (3.0, 0.0)]
    assert [dict(moment.before)["self.values"].data[0] for moment in track.moments] == [0.0, 1.0, 2.0]
    assert [len(dict(moment.after)["self.seen"].parts) for moment in track.moments] == [1, 2, 3]
    assert [set(moment.changed) for moment in track.moments] == [{"self.values", "self.seen"}] * 3


def test_many_threads_make_every_call_once():
    made = []
    recorder = Recorder({"a": explicit(made), "b": hidden([])})
    together = threading.Barrier(8)

    def visit(first):
        together.wait()
        return [recorder.until(calls) for calls in range(first, 60, 8)]

    with ThreadPoolExecutor(8) as pool:
        seen = [recording for each in pool.map(visit, range(8)) for recording in each]
    assert made == list(range(59))
    whole = recorder.recording
    assert whole.calls == 59
    assert all(recording == until(whole, recording.calls) for recording in seen)


class Large:
    pass


@pytest.mark.parametrize("wrap", [lambda f: f, jax.jit])
@pytest.mark.parametrize("chained", [False, True])
def test_an_exception_keeps_no_frame_alive(wrap, chained):
    locals_ = []

    def fails():
        big = Large()
        locals_.append(weakref.ref(big))
        try:
            if chained:
                raise KeyError("first")
        except KeyError as error:
            raise ValueError("then") from error
        raise ValueError("only")

    recorder = Recorder({"a": Program(lambda: wrap(fails), call)})
    tape = recorder.until(100)["a"].tape
    gc.collect()
    assert tape == (Raised("ValueError", "then" if chained else "only"),) * 100
    assert len(locals_) == 100
    assert not any(each() for each in locals_)


def test_a_call_that_cannot_be_observed_is_not_made_again():
    made = []

    def step():
        made.append(None)
        if len(made) == 3:
            raise KeyboardInterrupt
        return len(made)

    recorder = Recorder({"first": explicit([]), "a": Program(lambda: step, call)})
    with pytest.raises(KeyboardInterrupt):
        recorder.until(5)
    assert recorder.recording.calls == 0
    short = recorder.until(1)
    assert [track.tape for track in short.tracks] == [(1,), (1,)]
    assert recorder.until(3)["a"].tape == (1, 2, 4)
    assert recorder.recording["first"].tape == (1, 2, 3)


def test_what_made_brings_is_recorded():
    left = []

    def step(x):
        left.append(x)
        return helper(x)

    def helper(x):
        return x + 1

    def caller(f, x):
        value = f(x)
        return value

    made = Program(
        lambda: Made(step, call=caller, watch=(step, helper), outside=lambda: tuple(left)), call, inputs=lambda k: (k,)
    )
    track = record({"a": made}, 2)["a"]
    assert [moment.outside.parts[-1] for moment in track.moments] == [("0", 1), ("1", 2)]
    assert [(code.role, code.name.rsplit(".", 1)[-1]) for code in track.codes] == [
        ("made", "<lambda>"),
        ("program", "step"),
        ("program", "helper"),
        ("caller", "caller"),
    ]
    for role, lines in (("program", track.moments[0].ran), ("caller", track.moments[0].called)):
        shown = {
            (code.file, code.first + k)
            for code in track.codes
            if code.role == role
            for k in range(len(code.text.splitlines()))
        }
        assert lines
        assert set(lines) <= shown


def test_a_function_that_is_watched_twice_is_shown_once():
    def step():
        return 1

    track = record({"a": Program(lambda: Made(step, watch=(step, step)), call)}, 0)["a"]
    assert [code.role for code in track.codes] == ["made", "program", "caller"]


def test_an_outside_that_raises_is_recorded():
    def fails():
        raise LookupError("nothing there")

    track = record({"a": Program(lambda: Made(lambda: 1, outside=fails), call)}, 1)["a"]
    assert track.moments[0].outside == Raised("LookupError", "nothing there")


def test_a_program_without_source_that_prints():
    def make():
        space = {"print": Printer()}
        exec("def f():\n    print('one', 1)\n    print('two')\n    return 3\n", space)
        return space["f"]

    track = record({"a": Program(make, call)}, 2)["a"]
    assert [moment.printed for moment in track.moments] == [("one 1", "two")] * 2
    assert [code.role for code in track.codes] == ["made", "caller"]
    assert track.moments[0].ran == (("<string>", 2), ("<string>", 3), ("<string>", 4))


class Leaks:
    def __init__(self):
        self.total, self.where = 0.0, os.path.join(os.getcwd(), "data")

    def add(self, x):
        jax.debug.callback(lambda y: None, x)
        self.total = self.total + jax.nn.relu(x)
        return self.total


def test_no_path_and_no_address_is_in_the_json():
    leaks = Program(lambda: jax.jit(Leaks().add), lambda f, x: f(x), inputs=lambda k: (jnp.zeros(k),))
    wrong = Program(lambda: lambda: jnp.sin(lambda: 1), call)
    recording = record({"leaks": leaks, "wrong": wrong, "module": Program(lambda: lambda: (os, call), call)}, 2)
    assert recording["leaks"].tape[1].type == "UnexpectedTracerError"
    assert "test_recorder.py" in recording["leaks"].tape[1].message
    assert recording["leaks"].programs
    assert isinstance(recording["wrong"].tape[0], Raised)
    text = dumps(recording)
    assert "test_recorder.py" in text
    for folder in (
        os.getcwd(),
        sys.prefix,
        sys.base_prefix,
        os.path.dirname(os.__file__),
        os.path.expanduser("~") + "/",
    ):
        assert folder not in text
    assert not re.search(r"0x[0-9a-f]{6}", text)


def test_twelve_calls_of_three_counters_weigh_little():
    recording = record(counter.PROGRAMS, 12)
    assert len(dumps(recording).encode()) <= 8000
    assert recording["plain"].tape == tuple(range(1, 13))
    assert recording["broken"].tape == (Array("~int32[]", (1,)),) * 12
    assert [each.data for each in recording["fixed"].tape] == [(n,) for n in range(1, 13)]
    assert len(recording["fixed"].programs) == len(recording["broken"].programs) == 1
    assert [moment.traced for moment in recording["broken"].moments] == [True] + [False] * 11


def test_no_programs_make_an_empty_recording():
    assert record({}, 5).calls == 0
    assert loads(dumps(record({}, 5))) == record({}, 0)


def test_an_object_that_cannot_be_written_is_recorded():
    class Bad:
        def __repr__(self):
            raise RuntimeError("no")

    assert record({"a": Program(lambda: Bad, call)}, 1)["a"].tape == (
        Thing("Bad", "it cannot be written: RuntimeError"),
    )
