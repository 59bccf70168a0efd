"""Batch normalisation: a layer with a memory.

In training the layer normalises with the mean and variance of the batch, and
keeps a running mean of each; in evaluation it normalises with those.

Conventions: `new = momentum * old + (1 - momentum) * batch`, so that `momentum` is
the share of the past that is kept, as in Flax, Equinox and TensorFlow (PyTorch
calls the other share momentum: its 0.1 is 0.9 here). The running mean starts at 0
and the running variance at 1. The variance divides by n, the biased one, as in
Flax and Equinox; with `correction=1` the running one divides by n - 1, as
PyTorch's does. What normalises a batch divides by n everywhere.

Source: Ioffe and Szegedy, "Batch Normalization" (2015).
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from statecore.program import Program

EPSILON = 1e-5
MOMENTUM = 0.9
BATCHES = (2, 4, 8, 32, 128)
"""The batch sizes on offer: every size is one more compilation."""
STEPS = (50, 200, 1_000)
"""The run lengths on offer."""
TEST_POINTS = 1024
DATA_MEAN, DATA_VAR = 3.0, 4.0
"""What the lesson's data are drawn with, unless somebody changes it."""


class Params(NamedTuple):
    """What is learned, each of shape (features,)."""

    scale: jax.Array
    bias: jax.Array


class Stats(NamedTuple):
    """What is remembered: the running mean and variance, each of shape (features,)."""

    mean: jax.Array
    var: jax.Array


class State(NamedTuple):
    """Both, for a layer that is handed all that it needs."""

    params: Params
    stats: Stats


def init(features: int = 1) -> State:
    zeros, ones = jnp.zeros(features), jnp.ones(features)
    return State(Params(ones, zeros), Stats(zeros, ones))


def apply(params, state, x, train,
          momentum=MOMENTUM, correction=0):
    if train:
        mean = x.mean(0)
        var = ((x - mean) ** 2).mean(0)
        state = follow(state, mean, var, len(x),
                       momentum, correction)
    else:
        mean, var = state
    y = (x - mean) / jnp.sqrt(var + EPSILON)
    return params.scale * y + params.bias, state


def follow(state, mean, var, n, momentum, correction):
    var = var * n / (n - correction)
    return Stats(
        momentum * state.mean + (1 - momentum) * mean,
        momentum * state.var + (1 - momentum) * var)


class BatchNorm:
    """The layer that keeps its statistics on self; jitted, they freeze or leak."""

    def __init__(self, features=1, momentum=MOMENTUM):
        self.mean = jnp.zeros(features)
        self.var = jnp.ones(features)
        self.scale = jnp.ones(features)
        self.bias = jnp.zeros(features)
        self.momentum = momentum

    def apply(self, x, train):
        if train:
            mean = x.mean(0)
            var = ((x - mean) ** 2).mean(0)
            m = self.momentum
            self.mean = m * self.mean + (1 - m) * mean
            self.var = m * self.var + (1 - m) * var
        else:
            mean, var = self.mean, self.var
        y = (x - mean) / jnp.sqrt(var + EPSILON)
        return self.scale * y + self.bias


def plain():
    layer = BatchNorm()
    return layer.apply


def broken():
    layer = BatchNorm()
    return jax.jit(layer.apply, static_argnames="train")


def fixed():
    def layer(state, x, train):
        params, stats = state
        y, stats = apply(params, stats, x, train)
        return y, State(params, stats)

    return jax.jit(layer, static_argnames="train")


def call(layer, x, train):
    y = layer(x, train)
    return y


def call_with_state(layer, state, x, train):
    y, state = layer(state, x, train)
    return y, state


def call_dropping_state(layer, state, x, train):
    y, _ = layer(state, x, train)
    return y, state


def make_batch(key, mean: float, var: float, batch: int, features: int = 1):
    """Normal numbers of the mean and variance given, shape (batch, features)."""
    return mean + jnp.sqrt(var) * jax.random.normal(key, (batch, features))


def stage_inputs(seed: int, mean: float, var: float, batch: int, order: tuple[bool, ...]) -> Callable[[int], tuple]:
    """The arguments `(x, train)` of call k = 1, 2, ...: a batch of its own, and whether to train on it.

    Args:
      order: True to train, False to evaluate; it is gone through again and again.
    """
    if not order:
        raise ValueError("order needs at least one True (train) or False (evaluate)")

    def inputs(k: int) -> tuple:
        key = jax.random.fold_in(jax.random.key(seed), k)
        return make_batch(key, mean, var, batch), order[(k - 1) % len(order)]

    return inputs


@cache
def programs(train_first: bool) -> Mapping[str, Program]:
    """The layer as programs on show, called to train and to evaluate by turns."""
    inputs = stage_inputs(42, DATA_MEAN, DATA_VAR, 32, (train_first, not train_first))
    return {
        "plain": Program(plain, call, inputs=inputs),
        "broken": Program(broken, call, inputs=inputs),
        "fixed": Program(fixed, call_with_state, init=init, inputs=inputs, watch=(apply,)),
    }


def evaluate_while_training(batches, probe):
    layer = BatchNorm()
    compiled = jax.jit(
        layer.apply, static_argnames="train")
    frozen, right = [], []
    for x in batches:
        layer.apply(x, train=True)
        frozen.append(compiled(probe, train=False))
        right.append(layer.apply(probe, train=False))
    return frozen, right


def loss(params, state, x, target):
    y, state = apply(params, state, x, train=True)
    return jnp.mean((y - target) ** 2), state


def update(params, state, x, target, learning_rate):
    (error, state), grads = jax.value_and_grad(
        loss, has_aux=True)(params, state, x, target)
    params = jax.tree.map(
        lambda p, g: p - learning_rate * g,
        params, grads)
    return error, State(params, state)


@dataclass(frozen=True)
class History:
    """A layer with one feature on a stream of batches; float32 arrays of shape (steps + 1,).

    Attributes:
      mean, var: the running statistics after k batches.
      batch_mean, batch_var: the statistics of batch k alone; NaN at step 0, before the first.
      eval_mean, eval_std: mean and standard deviation of the layer's evaluation
        output on test points it never trains on. In training they are 0 and 1,
        whatever the batch.
    """

    mean: np.ndarray
    var: np.ndarray
    batch_mean: np.ndarray
    batch_var: np.ndarray
    eval_mean: np.ndarray
    eval_std: np.ndarray

    def __len__(self) -> int:
        return len(self.mean)


def run(
    key,
    mean: float,
    var: float,
    batch: int,
    steps: int,
    momentum: float = MOMENTUM,
    correction: float = 0,
) -> History:
    """Show `steps` batches from a normal distribution of the mean and variance given to a new layer.

    One compiled scan; another mean, variance, momentum or correction runs the same program.

    Args:
      key: draws the batches and the test points.
      batch: one of `BATCHES`.
      steps: one of `STEPS`.
      momentum: the share of the past that is kept, within [0, 1].
      correction: 0 for the biased variance, 1 for the unbiased.
    """
    _check("batch", batch, BATCHES)
    _check("steps", steps, STEPS)
    if not 0 <= momentum <= 1:
        raise ValueError(f"momentum must lie within 0 and 1, got {momentum}")
    if not var >= 0:
        raise ValueError(f"var must not be negative, got {var}")
    columns = _scan(key, mean, var, momentum, correction, batch=batch, length=steps)
    return History(*(np.asarray(column, np.float32) for column in columns))


@dataclass(frozen=True)
class Frozen:
    """A jitted `BatchNorm` on the same stream; float32 arrays of shape (steps + 1,).

    Attributes:
      mean, var: the statistics that its evaluation was compiled with.
      eval_mean, eval_std: mean and standard deviation of its evaluation output on
        the test points, after k batches of training.
    """

    mean: np.ndarray
    var: np.ndarray
    eval_mean: np.ndarray
    eval_std: np.ndarray


def run_frozen(key, mean: float, var: float, batch: int, steps: int) -> Frozen:
    """Call a jitted `BatchNorm`, really: evaluate, and after each batch of the stream of `run` evaluate again."""
    _check("batch", batch, BATCHES)
    _check("steps", steps, STEPS)
    test, batches = _stream(key, mean, var, batch=batch, length=steps)
    layer = BatchNorm()
    compiled = jax.jit(layer.apply, static_argnames="train")
    held = [np.full(steps + 1, value, np.float32) for value in (layer.mean, layer.var)]
    outputs = [compiled(test, train=False)]
    for x in np.asarray(batches):
        compiled(x, train=True)
        outputs.append(compiled(test, train=False))
    seen = np.asarray(jnp.stack(outputs))[..., 0]
    return Frozen(held[0], held[1], seen.mean(1), seen.std(1))


@dataclass(frozen=True)
class Expected:
    """The mean over all streams of the running mean and variance, float64 of shape (steps + 1,)."""

    mean: np.ndarray
    var: np.ndarray


def expected(
    mean: float,
    var: float,
    batch: int,
    steps: int,
    momentum: float = MOMENTUM,
    correction: float = 0,
) -> Expected:
    """What the running statistics come to on average, in closed form.

    A batch's biased variance is on average (n - 1) / n of the true one: half, for
    batches of two.
    """
    left = momentum ** np.arange(steps + 1)
    seen_var = var * (batch - 1) / (batch - correction)
    return Expected((1 - left) * mean, left + (1 - left) * seen_var)


def batches_to_forget(momentum: float, left: float = 0.01) -> int:
    """After how many batches at most the share `left` of the first statistics remains; momentum below 1."""
    return 1 if momentum <= left else math.ceil(math.log(left) / math.log(momentum))


def _check(name: str, value: int, allowed: tuple[int, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{name} must be one of {allowed}, got {value}")


def _draw(key, mean, var, batch, length):
    """The test points, and the batches of a stream, shape (length, batch, 1)."""
    test_key, stream_key = jax.random.split(key)
    keys = jax.vmap(lambda k: jax.random.fold_in(stream_key, k))(jnp.arange(length))
    batches = jax.vmap(lambda key: make_batch(key, mean, var, batch))(keys)
    return make_batch(test_key, mean, var, TEST_POINTS), batches


_stream = jax.jit(_draw, static_argnames=("batch", "length"))


def _scan_batches(key, mean, var, momentum, correction, batch, length):
    test, batches = _draw(key, mean, var, batch, length)
    params, stats = init()

    def evaluate(stats):
        y, _ = apply(params, stats, test, train=False)
        return y.mean(), y.std()

    def body(stats, x):
        _, stats = apply(params, stats, x, True, momentum, correction)
        return stats, (*stats, x.mean(0), x.var(0), *evaluate(stats))

    _, columns = jax.lax.scan(body, stats, batches)
    unseen = jnp.full(1, jnp.nan)
    first = (*stats, unseen, unseen, *evaluate(stats))
    return [
        jnp.concatenate([jnp.ravel(start), jnp.ravel(column)])
        for start, column in zip(first, columns, strict=True)
    ]


_scan = jax.jit(_scan_batches, static_argnames=("batch", "length"))
