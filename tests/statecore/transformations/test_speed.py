"""The measurement: reported as it goes, cancelled when nobody asks, and right about what it ran."""

import itertools

import pytest

from statecore import transformations as tf
from statecore.transformations import speed
from tests.helpers import compilations
from tests.statecore.transformations.oracle import DATA, START


def test_timings_report_as_they_go_and_end_done():
    seen = list(tf.timings(START, DATA, seconds=0.06, report_every=0.02))
    names = [variant.name for variant in tf.VARIANTS]
    assert list(dict.fromkeys(timing.name for timing in seen)) == names
    progress = [timing.progress for timing in seen]
    assert progress == sorted(progress)
    assert progress[-1] == 1.0
    for name in names:
        before, *reports = [timing for timing in seen if timing.name == name]
        assert before.steps_per_second is None
        assert reports
        last = reports[-1]
        assert last.calls == max(timing.calls for timing in reports) > 0
        assert last.steps_per_second > 0
        assert last.first_call > 0


def test_timings_can_be_cancelled():
    made = []

    def make(steps):
        made.append(steps)
        return lambda params, x, y, rate: params

    variants = (tf.Variant("one", make), tf.Variant("two", make))
    reports = tf.timings(START, DATA, variants=variants, seconds=0.01)
    assert len(list(itertools.islice(reports, 2))) == 2
    reports.close()
    assert made == [1000]


def test_a_reader_who_takes_long_is_not_timed():
    now = [0.0]
    variant = tf.Variant("fake", lambda steps: lambda params, x, y, rate: params)
    with pytest.MonkeyPatch.context() as patch:

        def clock():
            now[0] += 1.0
            return now[0]

        patch.setattr(speed.time, "perf_counter", clock)
        seen = []
        for timing in tf.timings(START, DATA, variants=[variant], seconds=20.0, report_every=5.0):
            now[0] += 100.0
            seen.append(timing)
    assert [timing.calls for timing in seen] == [0, 5, 10, 15, 20]
    assert seen[-1].steps_per_second == 1000


@pytest.mark.parametrize("name", ["scan, jitted", "fori_loop, jitted", "jitted step, Python loop"])
def test_the_first_call_of_what_is_made_compiles_and_the_second_does_not(name):
    (variant,) = [variant for variant in tf.VARIANTS if variant.name == name]
    for _ in range(2):
        run, args = variant.make(10), variant.arguments(START, DATA)
        with compilations() as first:
            run(*args, 0.05)
        with compilations() as second:
            run(*args, 0.05)
        assert first
        assert not second


@pytest.mark.parametrize("setting", [{"seconds": 0}, {"report_every": 0}, {"seconds": float("nan")}])
def test_timings_refuse_no_time(setting):
    with pytest.raises(ValueError, match="must be positive"):
        next(tf.timings(START, DATA, **setting))
