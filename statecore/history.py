"""A whole training run as columns of numbers: plain data, one row a step."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import jax
import numpy as np

S = TypeVar("S")


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class History(Generic[S]):
    """The state and the loss at steps 0, 1, ...; step k is after k updates.

    Attributes:
      states: a tree like the state, in which each leaf is a NumPy column: an array
        whose first axis has length steps + 1.
      loss: float32 of shape (steps + 1,), the loss of each step's params.
    """

    states: S
    loss: np.ndarray

    def __len__(self) -> int:
        return len(self.loss)

    def __getitem__(self, step: int) -> S:
        """The state at `step`, with which training can go on."""
        return jax.tree.map(lambda column: column[step], self.states)

    def until(self, step: int) -> "History[S]":
        """The history from step 0 up to and including `step`."""
        return jax.tree.map(lambda column: column[: step + 1], self)

    def then(self, later: "History[S]") -> "History[S]":
        """This history followed by `later`, whose first step takes the place of this one's last."""
        return join([jax.tree.map(lambda column: column[:-1], self), later])

    def same_bits(self, other: "History[S]") -> bool:
        """True when every number of both runs has the same bits, NaN included."""
        return _bits(self) == _bits(other)

    @property
    def first_not_finite(self) -> int | None:
        """The first step at which a number of the state or the loss is inf or NaN, or None."""
        rows = [np.isfinite(column).reshape(len(self), -1).all(axis=1) for column in jax.tree.leaves(self)]
        finite = np.logical_and.reduce(rows)
        return None if finite.all() else int(np.argmin(finite))

    def steps_to(self, target: float) -> int | None:
        """The first step whose loss is at most `target`; None when no step of the run gets there."""
        reached = self.loss <= target
        return int(np.argmax(reached)) if reached.any() else None


def columns(tree: Any) -> dict[str, np.ndarray]:
    """A history's states, or a part of them, as float32 columns by path, such as `[0].mu.weight`."""
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return {jax.tree_util.keystr(path): np.asarray(column, np.float32) for path, column in leaves}


def _bits(history: History) -> dict[str, tuple]:
    leaves = jax.tree_util.tree_leaves_with_path(history)
    return {jax.tree_util.keystr(path): (leaf.dtype, leaf.shape, leaf.tobytes()) for path, leaf in leaves}


def join(parts: Sequence[History[S]]) -> History[S]:
    """The parts of one run in order, as one history."""
    return jax.tree.map(lambda *columns: np.concatenate(columns), *parts)
