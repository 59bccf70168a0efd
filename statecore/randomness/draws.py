"""The same key used twice beside two keys, as points to scatter."""

from collections.abc import Callable
from dataclasses import dataclass

import jax
import numpy as np

POINTS = (64, 512, 2048)
"""The numbers of points on offer."""


def same_key(key, points):
    x = jax.random.normal(key, (points,))
    y = jax.random.normal(key, (points,))
    return x, y


def same_key_other_law(key, points):
    x = jax.random.normal(key, (points,))
    y = jax.random.uniform(key, (points,))
    return x, y


def split_keys(key, points):
    x_key, y_key = jax.random.split(key)
    x = jax.random.normal(x_key, (points,))
    y = jax.random.normal(y_key, (points,))
    return x, y


def folded_keys(key, points):
    x_key = jax.random.fold_in(key, 0)
    y_key = jax.random.fold_in(key, 1)
    x = jax.random.normal(x_key, (points,))
    y = jax.random.normal(y_key, (points,))
    return x, y


def split_and_folded(key, points):
    x_key, _ = jax.random.split(key)
    y_key = jax.random.fold_in(key, 0)
    x = jax.random.normal(x_key, (points,))
    y = jax.random.normal(y_key, (points,))
    return x, y


@dataclass(frozen=True)
class Scatter:
    """Points whose two coordinates ought to know nothing of each other.

    Attributes:
      x, y: float32 arrays of shape (points,).
    """

    x: np.ndarray
    y: np.ndarray

    @property
    def correlation(self) -> float:
        """Pearson's correlation coefficient: 1 on a rising line, near 0 where x says nothing of y."""
        return float(np.corrcoef(self.x, self.y)[0, 1])

    @property
    def rank_correlation(self) -> float:
        """The same of the ranks (Spearman): 1 on any rising curve."""
        return float(np.corrcoef(_ranks(self.x), _ranks(self.y))[0, 1])


def scatter(draw: Callable, seed: int, points: int = 512) -> Scatter:
    """Draw `points` points with one of the functions above, from `jax.random.key(seed)`."""
    x, y = _jitted(jax.random.key(seed), draw=draw, points=points)
    return Scatter(np.asarray(x), np.asarray(y))


def _draw(key, draw, points):
    return draw(key, points)


_jitted = jax.jit(_draw, static_argnames=("draw", "points"))


def _ranks(values: np.ndarray) -> np.ndarray:
    return np.argsort(np.argsort(values))
