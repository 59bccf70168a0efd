"""The same training by several libraries, each timed."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from statecore import libraries
from statecore.libraries.network import Data, Params, Run
from statecore.work import Work


@dataclass(frozen=True)
class Timed:
    """A run, and the seconds it took.

    Attributes:
      run: the run.
      ready: seconds to import, trace and compile; next to nothing once this process has done it.
      seconds: seconds for the training itself.
    """

    run: Run
    ready: float
    seconds: float


def train(name: str, params: Params, data: Data, steps: int) -> Timed:
    """Train with one library. Raises MissingLibrary when it is not installed."""
    begun = time.perf_counter()
    module = libraries.load(name)
    module.train(params, data, min(1, steps))
    ready = time.perf_counter()
    run = module.train(params, data, steps)
    return Timed(run, ready - begun, time.perf_counter() - ready)


def race(names: Sequence[str], params: Params, data: Data, steps: int) -> Work[dict[str, Timed]]:
    """Train with each of these libraries in turn. Yields the share done, before each."""
    done: dict[str, Timed] = {}
    for name in names:
        yield len(done) / len(names)
        done[name] = train(name, params, data, steps)
    return done


def apart(run: Run, other: Run) -> float:
    """How far the losses of two runs ever are from each other, relative to the other's: 0 when they agree."""
    return float(np.max(np.abs(run.losses - other.losses) / np.abs(other.losses), initial=0.0))
