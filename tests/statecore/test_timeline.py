"""Histories with branches: an old timeline never changes, and going back is an index."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statecore.timeline import Timeline


def counted(last: int) -> tuple[int, ...]:
    return tuple(range(last + 1))


def test_a_history_opens_at_its_first_step():
    timeline = Timeline.of(counted(3))
    assert (timeline.cursor, timeline.last, timeline.state, len(timeline.branches)) == (0, 3, 0, 1)
    with pytest.raises(ValueError, match="at least its first state"):
        Timeline.of(())


@given(st.integers(0, 50), st.data())
def test_going_is_an_index_and_changes_no_old_timeline(last, data):
    timeline = Timeline.of(counted(last))
    step = data.draw(st.integers(0, last))
    shown = timeline.go(step)
    assert (shown.state, shown.cursor, timeline.cursor) == (step, step, 0)
    assert shown.branches is timeline.branches


@pytest.mark.parametrize("step", [-1, 4, 10**9])
def test_a_step_that_is_not_there(step):
    with pytest.raises(IndexError, match="the steps 0 to 3"):
        Timeline.of(counted(3)).go(step)


def test_a_fork_keeps_its_parent_and_shows_the_new_branch():
    timeline = Timeline.of(counted(3)).go(1)
    forked = timeline.fork((0, 1, 20, 30, 40))
    assert (forked.current, forked.cursor, forked.last) == (1, 1, 4)
    assert (forked.branch.parent, forked.branch.forked_at) == (0, 1)
    assert forked.branches[0] is timeline.branches[0]
    again = forked.go(3).fork((0, 1, 20, 30, 41))
    assert (again.branch.parent, again.branch.forked_at) == (1, 3)
    assert len(timeline.branches) == 1


def test_a_fork_needs_the_shared_past():
    with pytest.raises(ValueError, match="leaves at step 2 needs more than 2 states"):
        Timeline.of(counted(3)).go(2).fork((0, 1))


def test_switching_stays_at_the_step_where_it_can():
    timeline = Timeline.of(counted(3)).go(1).fork(counted(9)).go(8)
    assert (timeline.switch(0).cursor, timeline.switch(0).state) == (3, 3)
    assert timeline.go(2).switch(0).cursor == 2


@pytest.mark.parametrize("branch", [-1, 2])
def test_a_branch_that_does_not_exist(branch):
    with pytest.raises(IndexError, match="there are 1"):
        Timeline.of(counted(3)).switch(branch)


def test_a_timeline_cannot_be_written_to():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Timeline.of(counted(3)).cursor = 2  # type: ignore[misc]
