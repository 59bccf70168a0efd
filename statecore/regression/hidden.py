"""The jitted trainer that never learns, really called, and what was found in it afterwards."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass

import jax
import numpy as np

from statecore.kept import Kept
from statecore.line import Data, Params
from statecore.observation import observe
from statecore.regression import programs
from statecore.training import Rates, chunk_length, points_of, stretches
from statecore.work import Work


@dataclass(frozen=True)
class Hidden:
    """What a jitted trainer did.

    Attributes:
      losses: what its calls returned, float32 of shape (calls,).
      kept: the program that jit kept.
      left: the params on the trainer after the calls: the tracers of the trace.
    """

    losses: np.ndarray
    kept: Kept
    left: Params

    @property
    def baked(self) -> Params:
        """The params that the program holds as constants, each of shape ().

        Raises LookupError when one of them is not among its constants.
        """
        found = {each.origin.name: each.value for each in self.kept.baked if each.origin}
        missing = [field for field in Params._fields if f"self.params.{field}" not in found]
        if missing:
            raise LookupError(f"the program does not hold {' and '.join(missing)} as constants")
        return Params(*(found[f"self.params.{field}"] for field in Params._fields))


def train(params: Params, data: Data, rates: Rates, steps: int) -> Work[Hidden]:
    """Build a jitted trainer, call it `steps + 1` times, and tell it each new rate in time."""
    update = programs.broken(params, rates[0][1])
    trainer = inspect.unwrap(update).__self__
    first = observe(update, *data)  # the call that traces
    if first.error is not None or first.kept is None:
        raise first.error or LookupError("jit kept no program")
    losses: list[jax.Array] = [first.value]
    for start, end, rate in stretches(rates, steps + 1):
        trainer.learning_rate = rate
        for part in _calls(update, data, end - max(start, 1)):
            losses += part
            yield len(losses) / (steps + 1)
    return Hidden(np.asarray(losses, np.float32), first.kept, trainer.params)


def _calls(update: Callable, data: Data, calls: int):
    """Make the calls and give their losses, a chunk at a time."""
    length = chunk_length(points_of(data))
    for done in range(0, calls, length):
        losses = [update(*data) for _ in range(min(length, calls - done))]
        yield jax.block_until_ready(losses)
