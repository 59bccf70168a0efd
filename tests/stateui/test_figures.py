"""Pictures say what the data say."""

import numpy as np

from stateui import figures


def test_one_line_for_each_role_with_its_name_at_the_end():
    figure = figures.value_by_call({"plain": [1, 2, 3], "broken": [1, 1, 1], "fixed": [1, 2, 3]})
    assert [list(trace.y) for trace in figure.data] == [[1, 2, 3], [1, 1, 1], [1, 2, 3]]
    assert len({trace.line.dash for trace in figure.data}) == 3
    assert [
        "plain" in note.text or "broken" in note.text or "fixed" in note.text for note in figure.layout.annotations
    ] == [True] * 3


def test_no_call_yet_is_a_picture_too():
    figure = figures.value_by_call({"plain": [], "broken": [], "fixed": []})
    assert not figure.layout.annotations
    assert figure.layout.xaxis.range == (0.5, 5.5)


def test_outcomes_that_are_no_numbers_leave_a_gap():
    assert figures.numbers([1, np.float32(2.5), ValueError("no"), np.zeros(3)]) == [1.0, 2.5, None, None]


def test_the_picture_is_told_in_words():
    assert figures.told({"Plain": [1, 2], "Jit": []}) == "Value by call. Plain: 1, 2; Jit: no call yet"
