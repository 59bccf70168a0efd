"""The data of the lesson: points whose loss surface is a narrow valley."""

from functools import cache

import jax

from statecore import line
from statecore.line import Data


def make_data(key, offset: float = 2.0, noise: float = 0.5) -> Data:
    """128 points around the line 2 x - 1 whose inputs lie around `offset`; see `line.make_data`."""
    return line.make_data(key, noise=noise, offset=offset)


@cache
def default_data() -> Data:
    """The data of the lesson as it opens."""
    return make_data(jax.random.key(42))
