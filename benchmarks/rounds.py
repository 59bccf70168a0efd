"""Time contestants in rounds, so that noise falls on all of them alike."""

import math
import time
from collections.abc import Callable, Mapping

import numpy as np

LEAST_ROUNDS, MOST_ROUNDS = 3, 200
TURN = 0.01
"""A contestant's turn lasts at least this many seconds, or a short run would mostly pay for waking up."""

Run = Callable[[], object]


def interleave(runs: Mapping[str, Run], seconds: float) -> dict[str, np.ndarray]:
    """Give each contestant one turn a round until `seconds` are over; its time for one run, by round.

    Every round starts with the next contestant, so that none always follows the
    same one. At least `LEAST_ROUNDS` rounds are made, at most `MOST_ROUNDS`.
    """
    names = list(runs)
    times: dict[str, list[float]] = {name: [] for name in names}
    end = time.perf_counter() + seconds
    repeats = {name: max(1, math.ceil(TURN / _time_runs(run, 1))) for name, run in runs.items()}
    for number in range(MOST_ROUNDS):
        if number >= LEAST_ROUNDS and time.perf_counter() > end:
            break
        start = number % len(names)
        for name in names[start:] + names[:start]:
            times[name].append(_time_runs(runs[name], repeats[name]))
    return {name: np.array(column) for name, column in times.items()}


def _time_runs(run: Run, repeats: int) -> float:
    """Seconds of one run, as the mean of `repeats`."""
    start = time.perf_counter()
    for _ in range(repeats):
        run()
    return (time.perf_counter() - start) / repeats
