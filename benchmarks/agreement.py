"""A benchmark of a wrong answer is worth nothing: contestants must agree before they are timed."""

from collections.abc import Mapping

import jax
import numpy as np

from benchmarks.contestants import Problem
from statecore.history import History
from statecore.line import Params

TOLERANCE, TOLERANCE_PER_POINT = 1e-5, 1e-9
"""How far a number may be from the scan's, relative to its size or to 1, whichever is larger.

The larger of the two tolerances holds: the C loop adds the points up one by one
in float32, and at 1,000,000 of them that has cost its loss 5e-4.
"""


class DisagreementError(Exception):
    """A contestant has computed something else."""


def check(problem: Problem, results: Mapping[str, object], reference: History) -> None:
    """Raise DisagreementError unless every result is the reference's within the tolerance.

    A history is compared at every step, params at the last one, and a counter
    with the number of steps.
    """
    tolerance = max(TOLERANCE, TOLERANCE_PER_POINT * problem.points)
    for name, result in results.items():
        if not _agrees(result, reference, problem.steps, tolerance):
            size = f"{problem.steps:,} steps, {problem.points:,} points"
            raise DisagreementError(f"{name}: not the scan's answer at {size}")


def _agrees(result: object, reference: History, steps: int, tolerance: float) -> bool:
    if isinstance(result, History):
        pairs = zip(jax.tree.leaves(result), jax.tree.leaves(reference), strict=True)
        return all(len(mine) == steps + 1 and _close(mine, its, tolerance) for mine, its in pairs)
    if isinstance(result, Params):
        return _close(np.asarray(result), np.asarray(reference[steps]), tolerance)
    return result == steps


def _close(mine: np.ndarray, its: np.ndarray, tolerance: float) -> bool:
    return bool(np.all(np.abs(mine - its) <= tolerance * np.maximum(np.abs(its), 1)))
