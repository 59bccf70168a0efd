"""How fast each loop is on this machine, measured while somebody watches."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import jax
import numpy as np

from statecore.line import LEARNING_RATE, Data, Params
from statecore.transformations.loops import VARIANTS, Variant


@dataclass(frozen=True)
class Timing:
    """What is known so far about one variant's speed on this machine.

    Attributes:
      name: the variant.
      progress: how much of the whole measurement is done, from 0 to 1.
      first_call: seconds of its first call, compilation included; None before that.
      calls: how many calls were timed after the first.
      steps_per_second: by the median call; None before one was timed.
    """

    name: str
    progress: float
    first_call: float | None = None
    calls: int = 0
    steps_per_second: float | None = None


def timings(
    params: Params,
    data: Data,
    learning_rate: float = LEARNING_RATE,
    variants: Sequence[Variant] = VARIANTS,
    seconds: float = 0.5,
    report_every: float = 0.05,
) -> Iterator[Timing]:
    """Measure the variants one after another, reporting before each and then about every `report_every` seconds.

    Args:
      params: the first params of every call, both of shape ().
      data: inputs and targets, each of shape (points, 1).
      variants: what is measured, in this order.
      seconds: how long each is timed.
      report_every: how many seconds of measuring lie between two reports, about.

    Each is called once, which compiles it, and then timed for `seconds`, waiting
    for the result of each call. Time spent by whoever reads the reports is not
    counted. A caller that stops asking has cancelled the rest. Raises ValueError
    when `seconds` or `report_every` is not positive.
    """
    if not (seconds > 0 and report_every > 0):
        raise ValueError(f"seconds and report_every must be positive, got {seconds} and {report_every}")
    for index, variant in enumerate(variants):
        yield Timing(variant.name, index / len(variants))
        run = partial(variant.make(variant.steps), *variant.arguments(params, data), learning_rate)
        first = _timed(run)
        for calls, share in _timed_for(seconds, report_every, run):
            speed = variant.steps / float(np.median(calls))
            yield Timing(variant.name, (index + share) / len(variants), first, len(calls), speed)


def _timed_for(seconds: float, report_every: float, run: Callable) -> Iterator[tuple[list[float], float]]:
    """Call `run` for so long; now and then, the seconds of each call so far and the share of the time that is over."""
    calls: list[float] = []
    spent = reported = 0.0
    while spent < seconds:
        calls.append(_timed(run))
        spent += calls[-1]
        if spent - reported >= report_every or spent >= seconds:
            reported = spent
            yield calls, min(spent / seconds, 1.0)


def _timed(run: Callable) -> float:
    start = time.perf_counter()
    jax.block_until_ready(run())
    return time.perf_counter() - start
