"""Both sides of the lesson under one cursor: the pure training, and the jitted trainer beside each branch.

The pure side forks from its past. The hidden side cannot be taken back, so for a
fork it is built and called again from the start.
"""

from dataclasses import dataclass, replace

from statecore import training
from statecore.line import Data, Params
from statecore.regression import hidden
from statecore.regression.hidden import Hidden
from statecore.regression.runs import LEARNER
from statecore.training import Training
from statecore.work import Work, between


@dataclass(frozen=True)
class Sides:
    """A training, and for each of its branches what the jitted trainer did with the same rates and calls."""

    training: Training[Params]
    hidden: tuple[Hidden, ...]

    @property
    def beside(self) -> Hidden:
        """The jitted trainer beside the branch shown."""
        return self.hidden[self.training.timeline.current]


def begin(data: Data, params: Params, learning_rate: float, steps: int) -> Work[Sides]:
    """Train both sides from the first step. Raises ValueError as `training.run` does."""
    pure = yield from between(training.begin(LEARNER, params, data, learning_rate, steps), 0, 0.5)
    other = yield from between(_beside(pure), 0.5, 1)
    return Sides(pure, (other,))


def fork(sides: Sides, step: int, learning_rate: float) -> Work[Sides]:
    """Leave the branch shown at `step` with another rate. Raises as `training.fork` does."""
    pure = yield from between(training.fork(sides.training, step, learning_rate), 0, 0.5)
    other = yield from between(_beside(pure), 0.5, 1)
    return Sides(pure, (*sides.hidden, other))


def switch(sides: Sides, branch: int) -> Sides:
    """Show another branch."""
    return replace(sides, training=training.switch(sides.training, branch))


def _beside(pure: Training[Params]) -> Work[Hidden]:
    return hidden.train(pure.state, pure.data, pure.rates[pure.timeline.current], pure.steps)  # type: ignore[arg-type]
