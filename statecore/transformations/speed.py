"""How fast each loop is on this machine, measured while somebody watches."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from statecore.regression import LEARNING_RATE, Data, Params
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
      params: where its steps led, from the params given.
      steps: how many steps that took.
    """

    name: str
    progress: float
    first_call: float | None = None
    calls: int = 0
    steps_per_second: float | None = None
    params: Params | None = None
    steps: int = 0


def timings(
    params: Params,
    data: Data,
    learning_rate: float = LEARNING_RATE,
    variants: Sequence[Variant] = VARIANTS,
    seconds: float = 0.5,
    report_every: float = 0.05,
) -> Iterator[Timing]:
    """Measure the variants one after another, reporting before each and then about every `report_every` seconds.

    Each is called once, which compiles it, and then timed for `seconds`, waiting
    for the result of each call. Time spent by whoever reads the reports is not
    counted. A caller that stops asking has cancelled the rest. Raises ValueError
    when `seconds` or `report_every` is not positive.
    """
    if not (seconds > 0 and report_every > 0):
        raise ValueError(f"seconds and report_every must be positive, got {seconds} and {report_every}")
    for index, variant in enumerate(variants):
        yield Timing(variant.name, index / len(variants))
        run, args = variant.make(variant.steps), variant.arguments(params, data)
        first, end = _timed(run, *args, learning_rate)
        calls: list[float] = []
        spent = reported = 0.0
        while spent < seconds:
            took, end = _timed(run, *args, learning_rate)
            calls.append(took)
            spent += took
            if spent - reported >= report_every or spent >= seconds:
                reported = spent
                done = (index + min(spent / seconds, 1.0)) / len(variants)
                speed = variant.steps / float(np.median(calls))
                yield Timing(variant.name, done, first, len(calls), speed, end, variant.steps)


def _timed(run: Callable, *args: Any) -> tuple[float, Params]:
    start = time.perf_counter()
    params = jax.block_until_ready(run(*args))
    return time.perf_counter() - start, params
