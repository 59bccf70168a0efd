"""A training run with a time machine: the pure side forks from its past, the hidden side starts over.

Long work is a `Work`: whoever stops asking has cancelled it.
"""

import inspect
from dataclasses import dataclass, replace

import numpy as np

from statecore import regression
from statecore.regression import Data, History, Params
from statecore.timeline import Timeline
from statecore.work import Work, between

MAX_BRANCHES = 8
"""A run has no more branches than this, the first included."""


@dataclass(frozen=True)
class Training:
    """One data set, its first params, and every branch trained from them.

    Attributes:
      steps: the last step of every branch.
      timeline: the branches; the states of each are its whole `History`.
      rates: for each branch the learning rates of its line, as (from step, rate) pairs.
      hidden: for each branch what the jitted impure trainer returned, called as
        often and told the same rates; float32 of shape (steps + 1,).
    """

    data: Data
    params: Params
    steps: int
    timeline: Timeline[Params]
    rates: tuple[tuple[tuple[int, float], ...], ...]
    hidden: tuple[np.ndarray, ...]

    @property
    def history(self) -> History:
        """The branch shown."""
        return self.histories[self.timeline.current]

    @property
    def histories(self) -> tuple[History, ...]:
        return tuple(branch.states for branch in self.timeline.branches)  # type: ignore[misc]

    @property
    def learning_rate(self) -> float:
        """The rate at the end of the branch shown."""
        return self.rates[self.timeline.current][-1][1]

    @property
    def full(self) -> bool:
        return len(self.rates) >= MAX_BRANCHES


def begin(data: Data, params: Params, learning_rate: float, steps: int) -> Work[Training]:
    """Train both sides from the first step."""
    rates = ((0, learning_rate),)
    history = yield from between(_train(params, data, rates, steps), 0, 0.5)
    hidden = yield from between(_train_hidden(params, data, rates, steps), 0.5, 1)
    return Training(data, params, steps, Timeline.of(history, label(rates)), (rates,), (hidden,))


def fork(training: Training, step: int, learning_rate: float) -> Work[Training]:
    """Leave the branch shown at `step` with another learning rate.

    The pure side keeps its past and trains on. The hidden side cannot be rewound:
    a new trainer is built and all its calls are made again, told the new rate at
    that step. Raises ValueError when `full`, IndexError for a step that is not there.
    """
    if training.full:
        raise ValueError(f"a run has at most {MAX_BRANCHES} branches")
    timeline = training.timeline.go(step)
    rates = (*(pair for pair in training.rates[timeline.current] if pair[0] < step), (step, learning_rate))
    past = training.history
    later = yield from between(_run(past[step], training.data, learning_rate, training.steps - step), 0, 0.5)
    hidden = yield from between(_train_hidden(training.params, training.data, rates, training.steps), 0.5, 1)
    return replace(
        training,
        timeline=timeline.fork(label(rates), past.until(step).then(later)),
        rates=(*training.rates, rates),
        hidden=(*training.hidden, hidden),
    )


def switch(training: Training, branch: int) -> Training:
    """Show another branch."""
    return replace(training, timeline=training.timeline.switch(branch))


def replay(training: Training) -> Work[bool]:
    """Train the branch shown once more from its first params; True when every bit is the same."""
    again = yield from _train(training.params, training.data, training.rates[training.timeline.current], training.steps)
    return again.same_bits(training.history)


def label(rates: tuple[tuple[int, float], ...]) -> str:
    """What a reader calls a branch: its rates, and from which step each holds."""
    (_, first), *later = rates
    return ", ".join([f"rate {first:g}", *(f"{rate:g} from step {step}" for step, rate in later)])


def _train(params: Params, data: Data, rates: tuple[tuple[int, float], ...], steps: int) -> Work[History]:
    """One pure line of training through all its rates."""
    history: History | None = None
    ends = [step for step, _ in rates[1:]] + [steps]
    for (start, rate), end in zip(rates, ends, strict=True):
        work = _run(params if history is None else history[start], data, rate, end - start)
        part = yield from between(work, start / (steps + 1), (end + 1) / (steps + 1))
        history = part if history is None else history.then(part)
    assert history is not None
    return history


def _run(params: Params, data: Data, rate: float, steps: int) -> Work[History]:
    for history in regression.run_in_chunks(params, data, rate, steps):
        yield min(len(history) / (steps + 1), 1.0)
    return history


def _train_hidden(params: Params, data: Data, rates: tuple[tuple[int, float], ...], steps: int) -> Work[np.ndarray]:
    """A jitted impure trainer, really called `steps + 1` times and told each new rate in time."""
    update = regression.broken(params, rates[0][1])
    trainer = inspect.unwrap(update).__self__
    losses: list = []
    ends = [step for step, _ in rates[1:]] + [steps + 1]
    for (start, rate), end in zip(rates, ends, strict=True):
        trainer.learning_rate = rate
        done: list = []
        for done in regression.call_hidden(update, data, end - start):
            yield (len(losses) + len(done)) / (steps + 1)
        losses += done
    return np.asarray(losses, np.float32)
