"""Whole runs of the page's own update."""

from statecore import training
from statecore.history import History
from statecore.line import Data, Params, loss
from statecore.regression.programs import update
from statecore.training import Learner
from statecore.work import finish

POINTS = (16, 128, 1_000, 10_000, 100_000, 1_000_000)
"""The data sizes on offer: every size is one more compilation."""
STEPS = (100, 300, 1_000, 3_000, 10_000)
"""The run lengths on offer."""


def step(params, x, y, learning_rate):
    """`update` in the form of every other step: the loss first, then the new params."""
    return loss(params, x, y), update(params, x, y, learning_rate)


# unroll=4: up to twice the steps per second of 1, at the same compile time and with the same bits
LEARNER = Learner(init=training.unchanged, update=step, unroll=4)
"""The page's training: its state is the params and nothing else."""


def run(params: Params, data: Data, learning_rate: float, steps: int) -> History[Params]:
    """Train for `steps` steps and keep every one of them, the first state included.

    Raises ValueError when points x steps is above `training.MAX_WORK` or `steps` is negative.
    """
    return finish(training.run(LEARNER, params, data, learning_rate, steps))
