"""Many learners at once: one run, over many learning rates, by `vmap`."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from statecore import offered
from statecore.line import Data, Params, loss, update
from statecore.transformations.rates import spread

STEPS = (100, 300, 1_000)
"""The run lengths on offer: every length is one more compilation."""
LEARNERS = (4, 16, 64)
"""The numbers of learners on offer."""


def train(params, x, y, learning_rate, steps):
    def body(params, _):
        error = loss(params, x, y)
        after = update(params, x, y, learning_rate)
        return after, (params, error)

    _, history = jax.lax.scan(
        body, params, None, length=steps + 1)
    return history


def train_many(params, x, y, rates, steps):
    def learner(rate):
        return train(params, x, y, rate, steps)

    return jax.vmap(learner)(rates)


_train_many = jax.jit(train_many, static_argnames="steps")


@dataclass(frozen=True)
class Learners:
    """Many learners from the same start: row i learned at `rate[i]`, column k is step k.

    Attributes:
      rate: float32 of shape (learners,), ascending.
      weight, bias, loss: float32 of shape (learners, steps + 1).
    """

    rate: np.ndarray
    weight: np.ndarray
    bias: np.ndarray
    loss: np.ndarray

    def __len__(self) -> int:
        return len(self.rate)

    @property
    def best(self) -> int:
        """The learner whose last loss is smallest. Raises ValueError when none of them is finite."""
        final = np.where(np.isfinite(self.loss[:, -1]), self.loss[:, -1], np.inf)
        if np.isinf(final).all():
            raise ValueError("every learner diverged")
        return int(np.argmin(final))


def learn_together(
    params: Params, data: Data, rates: tuple[float, float], steps: int, learners: int = 64
) -> Learners:
    """Train `learners` learners at once, their rates spread evenly in the logarithm between two ends.

    Args:
      params: the first params of all of them, both of shape ().
      data: inputs and targets, each of shape (points, 1).
      rates: the smallest and the largest rate, both positive.
      steps: one of `STEPS`.
      learners: one of `LEARNERS`.

    Raises ValueError for a setting that is out of these bounds.
    """
    offered.check("steps", steps, STEPS)
    offered.check("learners", learners, LEARNERS)
    each_rate = spread(rates, learners)
    # of shape (points,): under vmap several times as fast as (points, 1)
    x, y = (jnp.ravel(values) for values in data)
    states, losses = _train_many(params, x, y, each_rate, steps)
    return Learners(each_rate, *(np.asarray(column) for column in (*states, losses)))
