"""Linear regression: learning is threading params.

`Params`, `init`, `loss`, `update` and `LEARNING_RATE` are those of "Stateful
computations" in the JAX documentation; `learning_rate` is an argument here, so
that another rate runs the same compiled program.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from types import FunctionType
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from statecore.program import Program

LEARNING_RATE = 0.005
POINTS = (16, 128, 1_000, 10_000, 100_000, 1_000_000)
"""The data sizes on offer: every size is one more compilation."""
STEPS = (100, 300, 1_000, 3_000, 10_000)
"""The run lengths on offer."""
MAX_WORK = 1_000_000_000
"""The most points x steps of one run."""


class Params(NamedTuple):
    """The model's state: y is predicted as weight * x + bias, both of shape ()."""

    weight: jax.Array
    bias: jax.Array


class Data(NamedTuple):
    """Inputs and targets, each of shape (points, 1)."""

    x: jax.Array
    y: jax.Array


def init(rng) -> Params:
    """The first params, drawn from a normal distribution."""
    weight_key, bias_key = jax.random.split(rng)
    weight = jax.random.normal(weight_key, ())
    bias = jax.random.normal(bias_key, ())
    return Params(weight, bias)


def loss(params, x, y):
    pred = params.weight * x + params.bias
    return jnp.mean((pred - y) ** 2)


@jax.jit
def update(
    params, x, y, learning_rate=LEARNING_RATE
) -> Params:
    grads = jax.grad(loss)(params, x, y)
    return jax.tree.map(
        lambda p, g: p - g * learning_rate,
        params, grads)


class Trainer:
    """The trainer that keeps its params on self; jitted, it never learns."""

    def __init__(self, params, learning_rate):
        self.params = params
        self.learning_rate = learning_rate

    def update(self, x, y):
        error, grads = jax.value_and_grad(loss)(
            self.params, x, y)
        self.params = jax.tree.map(
            lambda p, g: p - g * self.learning_rate,
            self.params, grads)
        return error


def broken(params, learning_rate):
    trainer = Trainer(params, learning_rate)
    return jax.jit(trainer.update)


def fixed():
    # a copy: its first call traces
    return jax.jit(copy_of(update))


def train_hidden(update, x, y):
    error = update(x, y)
    return error


def train(update, params, x, y):
    error = loss(params, x, y)
    params = update(params, x, y)
    return error, params


def print_params(trainer, out):
    print(trainer.params.weight, file=out)


def convert_params(trainer):
    return float(trainer.params.weight)


def use_params(trainer):
    return trainer.params.weight + 1


def copy_of(function: Callable) -> FunctionType:
    """The Python function again, as another object.

    `jit` shares its traces between all wrappers of one function: somebody who
    jits `update` once more would find it traced by whoever came before.
    """
    body = inspect.unwrap(function)
    return FunctionType(body.__code__, body.__globals__, body.__name__, body.__defaults__)


@cache
def programs() -> Mapping[str, Program]:
    """The trainer and the pure update as programs on show, on the default data."""
    data_key, params_key = separate_keys(42)
    data, params = make_data(data_key), init(params_key)
    return {
        "broken": Program(partial(broken, params, LEARNING_RATE), train_hidden, inputs=lambda call: data),
        "fixed": Program(fixed, train, init=lambda: params, inputs=lambda call: data),
    }


def make_data(key, points: int = 128, weight: float = 2.0, bias: float = -1.0, noise: float = 0.5) -> Data:
    """Points around the line weight * x + bias; x and the noise are normal, the noise times `noise`."""
    x_key, noise_key = jax.random.split(key)
    x = jax.random.normal(x_key, (points, 1))
    y = x * weight + bias + jax.random.normal(noise_key, (points, 1)) * noise
    return Data(x, y)


def page_keys(seed: int) -> tuple[jax.Array, jax.Array]:
    """The keys of data and params as the JAX page has them: one key, used for both."""
    key = jax.random.key(seed)
    return key, key


def separate_keys(seed: int) -> tuple[jax.Array, jax.Array]:
    """The keys of data and params with one more split, so that no key is used twice."""
    data_key, params_key = jax.random.split(jax.random.key(seed))
    return data_key, params_key


def least_squares(data: Data) -> Params:
    """The params of the smallest loss, in closed form, as float64 NumPy numbers."""
    x, y = (np.asarray(values, np.float64).ravel() for values in data)
    dx = x - x.mean()
    weight = dx @ (y - y.mean()) / (dx @ dx)
    return Params(weight, y.mean() - weight * x.mean())


def curvature(data: Data) -> np.ndarray:
    """The Hessian of the loss in (weight, bias), shape (2, 2): the same at every params."""
    x = np.asarray(data.x, np.float64)
    return 2 * np.array([[np.mean(x**2), x.mean()], [x.mean(), 1.0]])


def largest_stable_rate(data: Data) -> float:
    """2 / (largest eigenvalue of the curvature): gradient descent diverges above it."""
    return float(2 / np.linalg.eigvalsh(curvature(data))[-1])


def growth(data: Data, learning_rate: float) -> float:
    """The factor by which one step multiplies the error along the worst direction; above 1 it diverges."""
    return float(np.max(np.abs(1 - learning_rate * np.linalg.eigvalsh(curvature(data)))))


def loss_on_grid(data: Data, weights: np.ndarray, biases: np.ndarray) -> np.ndarray:
    """The loss at every pair of weight and bias, shape (len(biases), len(weights)).

    The loss is quadratic, so its value at the minimum and its curvature give it
    everywhere, whatever the number of points.
    """
    best, hessian = least_squares(data), curvature(data)
    x, y = (np.asarray(values, np.float64) for values in data)
    least = np.mean((best.weight * x + best.bias - y) ** 2)
    offset = np.stack(np.meshgrid(weights - best.weight, biases - best.bias), axis=-1)
    return least + np.einsum("...i,ij,...j->...", offset, hessian, offset) / 2


@dataclass(frozen=True)
class History:
    """A whole run: params and loss at steps 0, 1, ..., each array float32 of shape (steps + 1,)."""

    weight: np.ndarray
    bias: np.ndarray
    loss: np.ndarray

    def __len__(self) -> int:
        return len(self.loss)

    def __getitem__(self, step: int) -> Params:
        return Params(self.weight[step], self.bias[step])

    def until(self, step: int) -> "History":
        """The history from step 0 up to and including `step`."""
        return History(self.weight[: step + 1], self.bias[: step + 1], self.loss[: step + 1])

    def then(self, later: "History") -> "History":
        """This history followed by `later`, whose first step is this one's last."""
        pairs = ((self.weight, later.weight), (self.bias, later.bias), (self.loss, later.loss))
        return History(*(np.concatenate([head, tail[1:]]) for head, tail in pairs))

    def same_bits(self, other: "History") -> bool:
        """True when every number of both runs has the same bits."""
        pairs = ((self.weight, other.weight), (self.bias, other.bias), (self.loss, other.loss))
        return all(mine.tobytes() == its.tobytes() for mine, its in pairs)

    @property
    def first_not_finite(self) -> int | None:
        """The first step whose params or loss are inf or NaN, or None."""
        finite = np.isfinite(self.weight) & np.isfinite(self.bias) & np.isfinite(self.loss)
        return None if finite.all() else int(np.argmin(finite))


def chunk_length(points: int) -> int:
    """Steps of one compiled scan: long where a step is quick, short where progress would stall."""
    return 1024 if points <= 10_000 else 64


def run(params: Params, data: Data, learning_rate: float, steps: int) -> History:
    """Train for `steps` steps and keep every one of them, the first state included."""
    return _join(list(_chunks(params, data, learning_rate, steps)))


def run_in_chunks(params: Params, data: Data, learning_rate: float, steps: int) -> Iterator[History]:
    """Train as `run` does, yielding the history so far after each compiled scan.

    A caller that stops asking has cancelled the rest. Raises ValueError when
    points x steps is above `MAX_WORK` or `steps` is negative.
    """
    parts: list[History] = []
    for part in _chunks(params, data, learning_rate, steps):
        parts.append(part)
        yield _join(parts)


def _chunks(params: Params, data: Data, learning_rate: float, steps: int) -> Iterator[History]:
    points = data.x.shape[0]
    if steps < 0 or points * steps > MAX_WORK:
        raise ValueError(f"{points:,} points x {steps:,} steps is not within 0 to {MAX_WORK:,}")
    length = chunk_length(points)
    for start in range(0, steps + 1, length):
        params, rows = _scan(params, *data, learning_rate, length=length)
        size = min(length, steps + 1 - start)
        yield History(*np.asarray(rows)[:size].T)


def call_hidden(update: Callable, data: Data, calls: int) -> Iterator[list[jax.Array]]:
    """Call a trainer that keeps its params to itself, really, `calls` times.

    Yields the losses it has returned so far, each of shape ().
    """
    length = chunk_length(data.x.shape[0])
    losses: list[jax.Array] = []
    while len(losses) < calls:
        losses += [update(*data) for _ in range(min(length, calls - len(losses)))]
        jax.block_until_ready(losses[-1])
        yield losses


def _scan_steps(params, x, y, learning_rate, length):
    def body(params, _):
        new_params = update(params, x, y, learning_rate)
        # one row a step: one array to fill and to hand over, not three
        return new_params, jnp.stack([*params, loss(params, x, y)])

    # unroll=4: twice the steps per second of 1 with history, at the same compile time
    return jax.lax.scan(body, params, None, length=length, unroll=4)


_scan = jax.jit(_scan_steps, static_argnames="length")


def _join(parts: list[History]) -> History:
    columns = zip(*((part.weight, part.bias, part.loss) for part in parts), strict=True)
    return History(*(np.concatenate(column) for column in columns))
