"""The same training run, written in every way that is compared.

A contestant takes a `Problem`, prepares what is not to be timed, and returns a
function of no arguments: the run. A run returns a `History`, or the final
`Params` where it keeps nothing else.
"""

from collections.abc import Callable
from dataclasses import dataclass

import jax
import numpy as np

from benchmarks import c_loop
from statecore import regression
from statecore.counter import CounterV2
from statecore.history import History
from statecore.line import Data, Params
from statecore.regression import LEARNING_RATE, update

Run = Callable[[], History | Params]

loss = jax.jit(regression.loss)


@dataclass(frozen=True)
class Problem:
    """Data, the first params, and how many steps to train."""

    data: Data
    params: Params
    steps: int

    @property
    def points(self) -> int:
        return self.data.x.shape[0]


def make_problem(steps: int, points: int) -> Problem:
    data_key, params_key = regression.separate_keys(42)
    return Problem(regression.make_data(data_key, points), regression.init(params_key), steps)


def scan(problem: Problem) -> Callable[[], History]:
    """The whole history by one compiled scan, as NumPy arrays."""
    return lambda: regression.run(problem.params, problem.data, LEARNING_RATE, problem.steps)


def page_loop(problem: Problem) -> Run:
    """The documentation page's own loop of jitted updates, which keeps the last params only."""

    def run() -> Params:
        params = problem.params
        for _ in range(problem.steps):
            params = update(params, *problem.data)
        return jax.block_until_ready(params)

    return run


def page_loop_recorded(problem: Problem) -> Run:
    """The page's loop with params and loss kept at every step and read once it is over."""

    def run() -> History:
        params = problem.params
        states, losses = [params], [loss(params, *problem.data)]
        for _ in range(problem.steps):
            params = update(params, *problem.data)
            states.append(params)
            losses.append(loss(params, *problem.data))
        weights, biases = zip(*states, strict=True)
        columns = (weights, biases, losses)
        weight, bias, kept = (np.array([float(value) for value in column], np.float32) for column in columns)
        return History(Params(weight, bias), kept)

    return run


def numpy_loop(problem: Problem) -> Run:
    """A NumPy loop with history; sums of products are dot products, NumPy's quickest."""
    x, y = (np.asarray(values).ravel() for values in problem.data)
    size = len(x)

    def run() -> History:
        weight, bias = (np.float32(value) for value in problem.params)
        weights, biases, losses = np.empty((3, problem.steps + 1), np.float32)
        for step in range(problem.steps + 1):
            error = weight * x + bias - y
            weights[step], biases[step], losses[step] = weight, bias, error @ error / size
            weight = weight - LEARNING_RATE * 2 * (error @ x) / size
            bias = bias - LEARNING_RATE * 2 * error.sum() / size
        return History(Params(weights, biases), losses)

    return run


def compiled_c_loop(*flags: str) -> Callable[[Problem], Run | None]:
    """The loop of `c_loop.c` compiled with `flags`; its run is None when it cannot be compiled here."""

    def prepare(problem: Problem) -> Run | None:
        train = c_loop.build(*flags)
        if train is None:
            return None
        x, y = (np.asarray(values).ravel() for values in problem.data)
        weight, bias = (float(value) for value in problem.params)

        def run() -> History:
            weights, biases, losses = np.empty((3, problem.steps + 1), np.float32)
            train(problem.steps, len(x), x, y, weight, bias, LEARNING_RATE, weights, biases, losses)
            return History(Params(weights, biases), losses)

        return run

    return prepare


def counter_calls(problem: Problem) -> Callable[[], int]:
    """As many jitted calls of the counter with explicit state: what calling costs with nothing to compute."""
    counter = CounterV2()
    count = jax.jit(counter.count)

    def run() -> int:
        state = counter.reset()
        for _ in range(problem.steps):
            _, state = count(state)
        return int(state)

    return run
