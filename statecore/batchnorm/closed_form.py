"""What the running statistics come to on average, in closed form."""

import math
from dataclasses import dataclass

import numpy as np

from statecore.batchnorm.layer import MOMENTUM


@dataclass(frozen=True)
class Expected:
    """The mean over all streams of the running mean and variance, float64 of shape (steps + 1,)."""

    mean: np.ndarray
    var: np.ndarray


def expected(
    mean: float,
    var: float,
    batch: int,
    steps: int,
    momentum: float = MOMENTUM,
    correction: float = 0,
) -> Expected:
    """What the running statistics come to on average over all streams of batches.

    A batch's biased variance is on average (n - 1) / n of the true one: half, for
    batches of two.

    Args:
      mean, var: of the data.
      batch: how many rows a batch has, at least 2.
      steps: how many batches there are.
      momentum: the share of the past that is kept.
      correction: 0 for the biased variance, 1 for the unbiased.
    """
    left = momentum ** np.arange(steps + 1)
    seen_var = var * (batch - 1) / (batch - correction)
    return Expected((1 - left) * mean, left + (1 - left) * seen_var)


def batches_to_forget(momentum: float, left: float = 0.01) -> int:
    """After how many batches at most the share `left` of the first statistics remains; momentum below 1."""
    return 1 if momentum <= left else math.ceil(math.log(left) / math.log(momentum))
