"""Code on screen is the code that runs, line by line."""

import inspect
import re
from functools import partial
from html import unescape

import jax
import pytest

from statecore import counter, lockstep, regression
from statecore.regression import programs
from stateui import source


def lines(html: str) -> list[tuple[str, bool]]:
    rows = re.findall(r'<div class="line" data-ran="(true|false)">(.*?)</div>', html)
    assert rows
    return [(unescape(re.sub(r"<[^>]+>", "", text)), ran == "true") for ran, text in rows]


@pytest.mark.parametrize(
    "function", [counter.broken, counter.Counter.count, counter.CounterV2().count, regression.update, regression.loss]
)
def test_what_is_shown_is_the_source_of_the_object(function):
    shown = [text for text, _ in lines(source.lit(function))]
    real = inspect.getsource(inspect.unwrap(function))
    assert [line.strip() for line in shown] == [line.strip() for line in real.rstrip().split("\n")]


def test_wrappers_partials_and_methods_are_seen_through():
    plain = source.lit(counter.Counter.count)
    assert source.lit(jax.jit(counter.Counter().count)) == plain
    assert source.text(partial(programs.broken, None, 0.1)) == source.text(programs.broken)


def test_exactly_the_lines_that_ran_are_lit():
    lane = lockstep.step(lockstep.start(counter.PROGRAMS["broken"]))
    first = lines(source.lit(lane.made, lane.moment.seen.ran))
    assert [ran for _, ran in first] == [False, True, True]
    lane = lockstep.step(lane)
    assert not any(ran for _, ran in lines(source.lit(lane.made, lane.moment.seen.ran)))


def test_a_statement_over_several_lines_is_lit_as_a_whole():
    lane = lockstep.step(lockstep.start(programs.programs()["broken"]))
    shown = lines(source.lit(lane.made, lane.moment.seen.ran))
    body = [ran for text, ran in shown if not text.strip().startswith("def ")]
    assert len(body) == 6
    assert all(body)


def test_lines_of_another_file_light_nothing():
    first = inspect.getsourcelines(counter.Counter.count)[1]
    assert not any(ran for _, ran in lines(source.lit(counter.Counter.count, {("elsewhere.py", first + 1)})))


def test_code_is_escaped():
    assert "&lt;" in source.lit(lockstep.go)


def test_what_has_no_python_source_is_refused():
    with pytest.raises(TypeError, match="no Python source"):
        source.lit(len)
