"""Where two recordings first differ, and what changed."""

from dataclasses import replace

import pytest

from statecore.kept import Kept
from statecore.recording import Moment, Recording, Track, first_difference
from statecore.recording.data import Code
from statecore.recording.values import Float
from statecore.slowmotion import TraceStep

OTHER = {
    "ran": (("a.py", 1),),
    "called": (("a.py", 1),),
    "traced": True,
    "runs": 1,
    "outcome": Float("nan"),
    "before": (("n", 1),),
    "after": (("n", 1),),
    "printed": ("x",),
    "outside": 1,
    "trace": (TraceStep(("a.py", 1), (), ()),),
    "again": 1,
    "kept": 0,
}
PROGRAMS = (Kept("one", (), (), ()), Kept("two", (), (), ()))


def of(*tracks):
    return Recording(tuple(Track(name, (), (), tuple(moments), PROGRAMS) for name, moments in tracks))


def test_every_field_of_a_moment_is_tried():
    assert set(OTHER) == set(Moment.__dataclass_fields__)


@pytest.mark.parametrize("field", OTHER)
def test_the_field_that_differs_is_named(field):
    one = of(("a", [Moment()] * 3), ("b", [Moment()] * 3))
    other = of(("a", [Moment()] * 3), ("b", [Moment(), replace(Moment(), **{field: OTHER[field]}), Moment()]))
    assert first_difference(one, other) == first_difference(other, one) == f"b, call 2: {field}"
    assert first_difference(other, other) is None
    assert one != other


def test_the_earliest_call_comes_first_whichever_program_made_it():
    one = of(("a", [Moment()] * 3), ("b", [Moment()] * 3))
    other = of(("a", [Moment(), Moment(), Moment(runs=1)]), ("b", [Moment(), Moment(runs=1), Moment()]))
    assert first_difference(one, other) == "b, call 2: runs"


def test_a_kept_program_is_compared_by_what_it_is():
    turned = Recording((Track("a", (), (), (Moment(kept=1),), PROGRAMS[::-1]),))
    assert first_difference(of(("a", [Moment(kept=0)])), turned) is None
    assert first_difference(of(("a", [Moment(kept=0)])), of(("a", [Moment(kept=1)]))) == "a, call 1: kept"


def test_one_and_true_differ():
    assert first_difference(of(("a", [Moment(outcome=1)])), of(("a", [Moment(outcome=True)]))) == "a, call 1: outcome"


def test_what_is_not_a_call_is_named_too():
    one = of(("a", [Moment()]))
    track = one["a"]
    assert first_difference(one, of(("b", [Moment()]))) == "the programs: a and b"
    assert first_difference(one, of(("a", [Moment()] * 2))) == "the number of calls: 1 and 2"
    assert first_difference(one, Recording((replace(track, start=(("n", 1),)),))) == "a: start"
    assert first_difference(one, Recording((replace(track, codes=(Code("made", "f", "a.py", 1, ""),)),))) == "a: codes"


def test_a_name_that_is_new_has_changed():
    assert Moment(before=(("n", 1),), after=(("n", 1), ("m", 1))).changed == ("m",)


def test_a_track_that_is_not_there():
    with pytest.raises(KeyError, match="there are a, b"):
        of(("a", []), ("b", []))["c"]
