import copy
from itertools import pairwise

import pytest

from statecore.timeline import Timeline


def grown(steps: int, limit: int = 512) -> Timeline[int]:
    """States 0, 10, 20, ...: the state of step k is 10 k."""
    timeline = Timeline.start(0, limit=limit)
    for k in range(1, steps + 1):
        timeline = timeline.push(10 * k)
    return timeline


def add_ten(state: int) -> int:
    return state + 10


def test_a_start():
    timeline = Timeline.start("s", label="first")
    assert (timeline.cursor, timeline.last, timeline.at_end) == (0, 0, True)
    assert timeline.state() == "s"
    assert timeline.branch.label == "first"


def test_push_records_and_shows():
    timeline = grown(3)
    assert (timeline.cursor, timeline.last) == (3, 3)
    assert [timeline.go(k).state() for k in range(4)] == [0, 10, 20, 30]


def test_back_and_forward_stop_at_the_ends():
    timeline = grown(2)
    assert timeline.back().state() == 10
    assert timeline.back().back().back().cursor == 0
    assert timeline.forward() == timeline
    assert timeline.back().forward() == timeline


def test_nothing_changes_an_old_timeline():
    timeline = grown(5)
    before = copy.deepcopy(timeline)
    timeline.push(0)
    timeline.back().push(0)
    timeline.go(2).fork("other").push(1).push(2)
    timeline.go(3).fork("run", states=tuple(range(9)))
    timeline.fork().switch(0)
    for k in range(2000):
        timeline.push(k)
    assert timeline == before


def test_the_same_moves_give_an_equal_timeline():
    assert grown(4).back().fork("a").push(7) == grown(4).back().fork("a").push(7)


def test_a_timeline_cannot_be_written_to():
    with pytest.raises(AttributeError):
        grown(1).cursor = 0


@pytest.mark.parametrize("step", [-1, 4, 10**9])
def test_a_step_that_is_not_there(step):
    with pytest.raises(IndexError, match=rf"step {step} is not in this history: it has the steps 0 to 3"):
        grown(3).go(step)


def test_bad_starts():
    with pytest.raises(ValueError, match="limit must be at least 4 states, got 3"):
        Timeline.start(0, limit=3)
    with pytest.raises(ValueError, match="at least its first state"):
        Timeline.of(())


# --- branches ---------------------------------------------------------------------------------------------


def test_a_fork_keeps_the_past():
    timeline = grown(5)
    forked = timeline.go(2).fork("other").push(-1).push(-2)
    assert [forked.go(k).state() for k in range(5)] == [0, 10, 20, -1, -2]
    assert (forked.branch.label, forked.branch.parent, forked.branch.forked_at) == ("other", 0, 2)
    assert forked.branches[0] == timeline.branch


def test_a_push_in_the_past_forks_and_loses_nothing():
    timeline = grown(5)
    pushed = timeline.go(2).push(-1)
    assert len(pushed.branches) == 2
    assert (pushed.current, pushed.cursor, pushed.last) == (1, 3, 3)
    assert pushed.switch(0).go(5).state() == 50
    assert pushed.branches[0] == timeline.branch


def test_forks_of_forks():
    first = grown(4).go(3).fork("a").push(1)
    second = first.go(2).fork("b").push(2)
    assert [branch.parent for branch in second.branches] == [None, 0, 1]
    assert [branch.forked_at for branch in second.branches] == [0, 3, 2]
    assert [second.go(k).state() for k in range(4)] == [0, 10, 20, 2]
    assert [second.switch(1).go(k).state() for k in range(5)] == [0, 10, 20, 30, 1]


def test_a_fork_with_its_whole_history():
    forked = grown(5).go(2).fork("run", states=(0, 10, 20, 7, 8, 9))
    assert (forked.cursor, forked.last, forked.branch.forked_at) == (2, 5, 2)
    assert forked.forward().state() == 7


def test_a_fork_needs_the_shared_past():
    with pytest.raises(ValueError, match="leaves at step 2 needs more than 2 states"):
        grown(5).go(2).fork("short", states=(0, 10))


def test_switching_stays_at_the_step_where_it_can():
    timeline = grown(5).go(1).fork("short").push(-1)  # steps 0, 1, 2
    assert timeline.switch(0).cursor == 2
    assert timeline.switch(0).go(5).switch(1).cursor == 2
    assert timeline.switch(0).state() == 20


@pytest.mark.parametrize("branch", [-1, 2])
def test_a_branch_that_does_not_exist(branch):
    with pytest.raises(IndexError, match=f"branch {branch} does not exist: there are 2"):
        grown(2).fork().switch(branch)


def test_a_known_history_is_used_as_it_is():
    class Run:
        """States made on demand, as a training run has them."""

        def __len__(self):
            return 100_001

        def __getitem__(self, step):
            return ("state", step)

    timeline = Timeline.of(Run(), "run")
    assert (timeline.cursor, timeline.last) == (0, 100_000)
    assert timeline.go(77_777).state() == ("state", 77_777)
    assert isinstance(timeline.branch.states, Run)
    assert timeline.go(3).fork().push("mine").branch.last == 4


# --- thinning ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [4, 5, 16, 128])
@pytest.mark.parametrize("steps", [3, 4, 5, 100, 1000])
def test_thinning_is_bounded_and_even(limit, steps):
    branch = grown(steps, limit).branch
    assert len(branch.states) == len(branch.steps) <= limit
    assert (branch.steps[0], branch.steps[-1], branch.last) == (0, steps, steps)
    assert list(branch.states) == [10 * k for k in branch.steps]
    # even: no visit to the past has to recompute more than a small share of it
    assert max(after - before for before, after in pairwise(branch.steps)) <= max(1, 4 * steps / (limit - 1))


def test_nothing_is_thinned_up_to_the_limit():
    assert grown(127, limit=128).branch.steps == tuple(range(128))


@pytest.mark.parametrize("limit", [4, 16, 128])
def test_a_thinned_state_is_recomputed_right(limit):
    timeline = grown(300, limit)
    assert [timeline.go(k).state(add_ten) for k in range(301)] == [10 * k for k in range(301)]


def test_a_thinned_state_is_recomputed_from_the_nearest():
    timeline = grown(1000, limit=64)
    calls = []

    def step(state):
        calls.append(state)
        return state + 10

    for k in range(0, 1001, 37):
        calls.clear()
        found, state = timeline.go(k).nearest()
        assert state == 10 * found
        assert timeline.go(k).state(step) == 10 * k
        assert len(calls) == k - found <= 4 * 1000 / 63


def test_a_thinned_state_without_its_step_function():
    timeline = grown(100, limit=8).go(1)
    with pytest.raises(LookupError, match="step 1 was thinned out"):
        timeline.state()


def test_every_recorded_state_that_was_kept_needs_no_step_function():
    timeline = grown(100, limit=8)
    assert [timeline.go(k).state() for k in timeline.branch.steps] == [10 * k for k in timeline.branch.steps]


@pytest.mark.parametrize("at", [0, 1, 37, 99, 100])
def test_a_fork_at_a_thinned_step_goes_on_right(at):
    forked = grown(100, limit=8).go(at).fork("again")
    assert forked.state(add_ten) == 10 * at
    for _ in range(50):
        forked = forked.push(forked.state(add_ten) + 10)
    assert len(forked.branch.states) <= 8
    assert [forked.go(k).state(add_ten) for k in range(at + 51)] == [10 * k for k in range(at + 51)]
    assert forked.branches[0] == grown(100, limit=8).branch


def test_a_long_history_stays_quick():
    timeline = grown(20_000, limit=64)
    calls = []
    timeline.go(12_345).state(lambda state: calls.append(0) or state + 10)
    assert len(calls) <= 4 * 20_000 / 63
