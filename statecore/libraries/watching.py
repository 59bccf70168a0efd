"""The training by hand, watched: what every step leaves behind, and what jit kept of it."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from statecore.libraries import by_hand, network
from statecore.libraries.by_hand import TrainState
from statecore.libraries.network import Data, Params
from statecore.lines import Line, executed_lines
from statecore.work import Work, between

STEPS: Mapping[str, Callable] = {"broken": by_hand.forgetful_step, "fixed": by_hand.step}
"""The two steps: one drops the new statistics, one hands them on."""


@dataclass(frozen=True)
class Watched:
    """A training run by hand, step by step: float32 columns with one number for each of steps 0, 1, ...

    Attributes:
      loss: the training loss, which normalizes by the statistics of the batch itself.
      test_loss, accuracy: of the same network in evaluation, which normalizes by the running statistics.
      running_mean: what the first BatchNorm keeps for its first feature.
      batch_mean: what that feature's mean really is.
    """

    loss: np.ndarray
    test_loss: np.ndarray
    accuracy: np.ndarray
    running_mean: np.ndarray
    batch_mean: np.ndarray


@dataclass(frozen=True)
class Traced:
    """What happens when a step is called for the first time, and then again.

    Attributes:
      first, again: the lines of Python that ran.
      text: the program that jit kept.
      computed, untouched: for each part of the state, how many of its arrays come out
        computed, and how many are the very arguments that came in.
    """

    first: frozenset[Line]
    again: frozenset[Line]
    text: str
    computed: Mapping[str, int]
    untouched: Mapping[str, int]


@dataclass(frozen=True)
class Both:
    """Both trainings from one start, by side: `broken` and `fixed`."""

    watched: Mapping[str, Watched]
    traced: Mapping[str, Traced]


def watch_both(seed: int, steps: int) -> Work[Both]:
    """Train with each of the two steps for 0 to 1,000 steps. Yields the share done."""
    yield 0.0
    params, data = network.init(seed), network.make_data(seed)
    watched: dict[str, Watched] = {}
    traces: dict[str, Traced] = {}
    for done, (side, step) in enumerate(STEPS.items()):
        traces[side] = traced(step, by_hand.first_state(params), data)
        work = watch(step, params, data, steps)
        watched[side] = yield from between(work, done / len(STEPS), (done + 1) / len(STEPS))
    return Both(watched, traces)


def watch(step: Callable, params: Params, data: Data, steps: int) -> Work[Watched]:
    """Train with `step` for 0 to 1,000 steps. Yields the share done."""
    network.check_steps(steps)
    state, rows = by_hand.first_state(params), []
    for k in range(steps + 1):
        if k % 5 == 0:
            yield k / (steps + 1)
        error, following = step(state, *data)  # the loss before this step
        rows.append([error, *_evaluated(state, data)])
        state = following
    return Watched(*np.asarray(rows, np.float32).T)


def traced(step: Callable, state: TrainState, data: Data) -> Traced:
    """Trace `step` anew, as its first call does, and look at what is kept. Compiles nothing."""
    body = inspect.unwrap(step)
    fresh = jax.jit(lambda *args: body(*args))  # jit would find the old trace of the same function
    lines = []
    for _ in range(2):
        with executed_lines(body) as ran:
            program = fresh.trace(state, *data).jaxpr
        lines.append(frozenset(ran))
    untouched = _untouched(program.jaxpr, state)
    sizes = {name: len(jax.tree.leaves(part)) for name, part in state._asdict().items()}
    computed = {name: sizes[name] - untouched[name] for name in sizes}
    return Traced(lines[0], lines[1], str(program), computed, untouched)


def _evaluated(state: TrainState, data: Data) -> tuple[float, float, float, float]:
    logits = by_hand.evaluate(state, data.x)
    accuracy = ((np.asarray(logits) > 0) == (np.asarray(data.y) > 0.5)).mean()
    first = np.asarray(data.x) @ np.asarray(state.params.blocks[0].weight)
    return float(network.loss(logits, data.y)), accuracy, float(state.stats[0].mean[0]), first[:, 0].mean()


def _untouched(jaxpr: Any, state: TrainState) -> dict[str, int]:
    """For each part of the state, how many results of the program are its own arguments."""
    arguments = set(map(id, jaxpr.invars))
    results = iter(jaxpr.outvars[1:])  # the loss comes first
    return {
        name: sum(id(next(results)) in arguments for _ in jax.tree.leaves(part))
        for name, part in state._asdict().items()
    }
