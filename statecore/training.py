"""Training as a pure function, with a time machine: any run can be forked from its past.

What is trained is a `Learner`. A run keeps every step as a `History`, made by one
compiled scan after another. Long work is a `Work`: whoever stops asking has
cancelled the rest.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Generic, NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from statecore.history import History, join
from statecore.timeline import Timeline
from statecore.work import Work, between

S = TypeVar("S")

Rates = tuple[tuple[int, float], ...]
"""The learning rates of one line of training as (from step, rate) pairs in order, the first from step 0."""

MAX_BRANCHES = 8
"""A training has no more branches than this, the first included."""
MAX_WORK = 1_000_000_000
"""The most points x steps of a training, all its branches together."""


def unchanged(state: S) -> S:
    """The state as it is."""
    return state


class Learner(NamedTuple):
    """What is trained: pure functions, one object for the process, since runs are compiled for `update`.

    Attributes:
      init: `init(params) -> state`.
      update: `update(state, *data, learning_rate) -> (loss, state)`; the loss is that
        of the state which came in. The leaves of the state are numbers or arrays.
      resume: `resume(state) -> state`, applied to a past state where training goes on
        from it with another rate.
      unroll: how many steps one turn of the compiled loop makes. More is faster. But the
        copies of a long update may be compiled differently, so that a step has other
        last bits when it is made again from a past state: more than 1 is only for an
        update that was seen to have the same bits wherever it stands.
    """

    init: Callable
    update: Callable
    resume: Callable = unchanged
    unroll: int = 1


@dataclass(frozen=True)
class Training(Generic[S]):
    """One data set, one first state, and every branch trained from it.

    Attributes:
      learner: what is trained.
      data: a tuple of arrays whose first axis is the points.
      state: the first state.
      steps: the last step of every branch.
      timeline: the branches; the states of each are its whole `History`.
      rates: for each branch the learning rates of its line.
    """

    learner: Learner
    data: Any
    state: S
    steps: int
    timeline: Timeline[S]
    rates: tuple[Rates, ...]

    @property
    def history(self) -> History[S]:
        """The branch shown."""
        return self.histories[self.timeline.current]

    @property
    def histories(self) -> tuple[History[S], ...]:
        return tuple(branch.states for branch in self.timeline.branches)  # type: ignore[misc]

    @property
    def learning_rate(self) -> float:
        """The rate at the end of the branch shown."""
        return self.rates[self.timeline.current][-1][1]

    @property
    def work(self) -> int:
        """Points x steps of all branches together."""
        return len(self.rates) * points_of(self.data) * self.steps

    @property
    def full(self) -> bool:
        """True when one more branch would be more than `MAX_BRANCHES` or `MAX_WORK`."""
        branches = len(self.rates)
        return branches >= MAX_BRANCHES or self.work // branches * (branches + 1) > MAX_WORK


def begin(learner: Learner, params: Any, data: Any, learning_rate: float, steps: int) -> Work[Training]:
    """Train from the first step. Raises ValueError as `run` does."""
    state, rates = learner.init(params), ((0, learning_rate),)
    history = yield from through(learner, state, data, rates, steps)
    return Training(learner, data, state, steps, Timeline.of(history), (rates,))


def fork(training: Training[S], step: int, learning_rate: float) -> Work[Training[S]]:
    """Leave the branch shown at `step` with another learning rate: keep its past and train on.

    Raises ValueError when `full`, IndexError for a step that is not there.
    """
    if training.full:
        raise ValueError(f"a training has at most {MAX_BRANCHES} branches and {MAX_WORK:,} points x steps in all")
    timeline, past, learner = training.timeline.go(step), training.history, training.learner
    rates = forked(training.rates[timeline.current], step, learning_rate)
    # a fork at step 0 is another run from the first state: nothing was left off that could be resumed
    state = learner.resume(past[step]) if step else training.state
    later = yield from run(learner, state, training.data, learning_rate, training.steps - step)
    branched = timeline.fork(states=past.until(step).then(later))
    return replace(training, timeline=branched, rates=(*training.rates, rates))


def switch(training: Training[S], branch: int) -> Training[S]:
    """Show another branch."""
    return replace(training, timeline=training.timeline.switch(branch))


def replay(training: Training) -> Work[bool]:
    """Train the branch shown once more from its first state; True when every bit is the same."""
    rates = training.rates[training.timeline.current]
    again = yield from through(training.learner, training.state, training.data, rates, training.steps)
    return again.same_bits(training.history)


def forked(rates: Rates, step: int, learning_rate: float) -> Rates:
    """The rates of a line that leaves `rates` at `step`."""
    return (*(pair for pair in rates if pair[0] < step), (step, learning_rate))


def stretches(rates: Rates, steps: int) -> Iterator[tuple[int, int, float]]:
    """Each rate with the steps between which it holds, as (start, end, rate)."""
    ends = [step for step, _ in rates[1:]] + [steps]
    for (start, rate), end in zip(rates, ends, strict=True):
        yield start, end, rate


def through(learner: Learner, state: S, data: Any, rates: Rates, steps: int) -> Work[History[S]]:
    """One line of training through all its rates. Raises ValueError as `run` does."""
    history: History[S] | None = None
    for start, end, rate in stretches(rates, steps):
        begun = state if history is None else learner.resume(history[start])
        work = run(learner, begun, data, rate, end - start)
        part = yield from between(work, start / (steps + 1), (end + 1) / (steps + 1))
        history = part if history is None else history.then(part)
    assert history is not None, "rates are never empty"
    return history


def run(learner: Learner, state: S, data: Any, learning_rate: float, steps: int) -> Work[History[S]]:
    """Train for `steps` steps at one rate and keep every one of them, the first state included.

    Raises ValueError when points x steps is above `MAX_WORK` or `steps` is negative.
    """
    points = points_of(data)
    if steps < 0 or points * steps > MAX_WORK:
        raise ValueError(f"{points:,} points x {steps:,} steps is not within 0 to {MAX_WORK:,}")
    length, parts = chunk_length(points), []
    for start in range(0, steps + 1, length):
        size = min(length, steps + 1 - start)
        state, rows, others = _scan(state, data, float(learning_rate), learner.update, length, learner.unroll)
        parts.append(_history(state, np.asarray(rows)[:size], [np.asarray(other)[:size] for other in others]))
        yield (start + size) / (steps + 1)
    return join(parts)


def points_of(data: Any) -> int:
    """How many points the data have."""
    return data[0].shape[0]


def chunk_length(points: int) -> int:
    """Steps of one compiled scan: long where a step is quick, short where progress would stall."""
    return 1024 if points <= 10_000 else 64


@partial(jax.jit, static_argnames=("update", "length", "unroll"))
def _scan(state, data, learning_rate, update, length, unroll):
    def body(state, _):
        error, new_state = update(state, *data, learning_rate)
        return new_state, _row(state, error)

    state, (rows, others) = jax.lax.scan(body, state, None, length=length, unroll=unroll)
    return state, rows, others


def _row(state, error):
    """One step to keep: its float32 numbers as one row, and the other leaves apart.

    One array to fill and to hand over is faster than one for each leaf.
    """
    leaves = jax.tree.leaves(state)
    row = jnp.stack([*(leaf for leaf in leaves if _in_row(leaf)), error])
    return row, [leaf for leaf in leaves if not _in_row(leaf)]


def _history(state: S, rows: np.ndarray, others: list[np.ndarray]) -> History[S]:
    """The history of a chunk from its rows; `state` has the structure of every state."""
    numbers, apart = iter(rows.T), iter(others)
    states = jax.tree.map(lambda leaf: next(numbers if _in_row(leaf) else apart), state)
    return History(states, next(numbers))


def _in_row(leaf) -> bool:
    return leaf.shape == () and leaf.dtype == np.float32
