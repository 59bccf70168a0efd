"""The training by hand, watched: the lines of every call, what each leaves behind, and what jit kept."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import jax
import numpy as np

from statecore.copies import copy_of
from statecore.kept import Kept
from statecore.libraries import by_hand, network
from statecore.libraries.by_hand import TrainState
from statecore.libraries.network import Data, Params
from statecore.lines import Line, executed_lines
from statecore.observation import observe
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
      ran: the lines of the step that ran in calls 1, 2, ...
      kept: the program that jit kept.
      handed_on: for each part of the state, what its program does with it.
    """

    loss: np.ndarray
    test_loss: np.ndarray
    accuracy: np.ndarray
    running_mean: np.ndarray
    batch_mean: np.ndarray
    ran: tuple[frozenset[Line], ...]
    kept: Kept
    handed_on: Mapping[str, "HandedOn"]


@dataclass(frozen=True)
class HandedOn:
    """How many arrays of one part of the state a program computes, and how many it returns as they came in."""

    computed: int
    untouched: int


def watch_both(seed: int, steps: int) -> Work[dict[str, Watched]]:
    """Train with each of the two steps for 0 to 1,000 steps. Yields the share done."""
    yield 0.0
    params, data = network.init(seed), network.make_data(seed)
    watched: dict[str, Watched] = {}
    for done, (side, step) in enumerate(STEPS.items()):
        work = watch(step, params, data, steps)
        watched[side] = yield from between(work, done / len(STEPS), (done + 1) / len(STEPS))
    return watched


def watch(step: Callable, params: Params, data: Data, steps: int) -> Work[Watched]:
    """Train with `step`, jitted afresh, for 0 to 1,000 steps, and observe every call. Yields the share done."""
    network.check_steps(steps)
    body = copy_of(step)  # its first call traces, whoever has called the step before
    fresh = jax.jit(body)
    state, rows, lines, kept = by_hand.first_state(params), [], [], None
    for k in range(steps + 1):
        if k % 5 == 0:
            yield k / (steps + 1)
        if kept is None:
            seen = observe(fresh, state, *data)
            if seen.error is not None:
                raise seen.error
            kept, ran, (error, following) = seen.kept, seen.ran, seen.value
        else:
            with executed_lines(body) as now:
                error, following = fresh(state, *data)
            ran = frozenset(now)
        lines.append(ran)
        rows.append([error, *_evaluated(state, data)])  # the loss before this step
        state = following
    assert kept is not None
    columns = np.asarray(rows, np.float32).T
    return Watched(*columns, tuple(lines), kept, _handed_on(kept, state))  # type: ignore[call-arg]


def _evaluated(state: TrainState, data: Data) -> tuple[float, float, float, float]:
    logits = by_hand.evaluate(state, data.x)
    accuracy = ((np.asarray(logits) > 0) == (np.asarray(data.y) > 0.5)).mean()
    first = np.asarray(data.x) @ np.asarray(state.params.blocks[0].weight)
    return float(network.loss(logits, data.y)), accuracy, float(state.stats[0].mean[0]), first[:, 0].mean()


def _handed_on(kept: Kept, state: TrainState) -> dict[str, HandedOn]:
    outputs = iter(kept.outputs[1:])  # the loss comes first
    parts = {}
    for name, part in state._asdict().items():
        mine = [next(outputs) for _ in jax.tree.leaves(part)]
        untouched = sum(output.same_as is not None for output in mine)
        parts[name] = HandedOn(len(mine) - untouched, untouched)
    return parts
