"""Streams of batches, and what the layer makes of them: threaded in one scan, or jitted with its statistics on self."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from statecore import offered
from statecore.batchnorm.layer import MOMENTUM, BatchNorm, Stats, apply, init

BATCHES = (2, 4, 8, 32, 128)
"""The batch sizes on offer: every size is one more compilation."""
STEPS = (50, 200, 1_000)
"""The run lengths on offer."""
TEST_POINTS = 1024
DATA_MEAN, DATA_VAR = 3.0, 4.0
"""What the lesson's data are drawn with, unless somebody changes it."""


def make_batch(key, mean: float, var: float, batch: int, features: int = 1):
    """Normal numbers of the mean and variance given, shape (batch, features)."""
    return mean + jnp.sqrt(var) * jax.random.normal(key, (batch, features))


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
      mean, var: of the data.
      batch: one of `BATCHES`.
      steps: one of `STEPS`.
      momentum: the share of the past that is kept, within [0, 1].
      correction: 0 for the biased variance, 1 for the unbiased.

    Raises ValueError for a setting that is out of these bounds.
    """
    _check_sizes(batch, steps)
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
      mean, var: the statistics that its evaluation holds as constants, read from its
        program after k batches of training.
      eval_mean, eval_std: mean and standard deviation of its evaluation output on
        the test points, after k batches of training.
    """

    mean: np.ndarray
    var: np.ndarray
    eval_mean: np.ndarray
    eval_std: np.ndarray


def run_frozen(key, mean: float, var: float, batch: int, steps: int) -> Frozen:
    """Call a jitted `BatchNorm`, really: evaluate, and after each batch of the stream of `run` evaluate again.

    Takes its arguments as `run` does, and raises ValueError as it does.
    """
    _check_sizes(batch, steps)
    test, batches = _stream(key, mean, var, batch=batch, length=steps)
    layer = BatchNorm()
    compiled = jax.jit(layer.apply, static_argnames="train")
    on_self = Stats(layer.mean, layer.var)
    outputs = [compiled(test, train=False)]
    held = [constants(compiled, on_self, test)]
    for x in np.asarray(batches):
        compiled(x, train=True)
        outputs.append(compiled(test, train=False))
        held.append(constants(compiled, on_self, test))
    seen = np.asarray(jnp.stack(outputs))[..., 0]
    means, variances = (np.concatenate(column, dtype=np.float32) for column in zip(*held, strict=True))
    return Frozen(means, variances, seen.mean(1), seen.std(1))


def constants(compiled: Any, on_self: Stats, x: jax.Array) -> Stats:
    """The statistics that a jitted layer's program for evaluating `x` holds as constants.

    Args:
      compiled: `jax.jit(layer.apply, static_argnames="train")`, called to evaluate an
        `x` of this shape before: what it was compiled to is only looked at.
      on_self: the layer's arrays as they were around that call; a constant is one of
        the statistics when it is the very same array.
      x: float32 of shape (points, features).

    Raises ValueError when the program does not hold them, because it was compiled with others.
    """
    found = {id(value): value for value in compiled.trace(x, train=False).jaxpr.consts}
    if not all(id(value) in found for value in on_self):
        raise ValueError("the program of the evaluation holds other statistics than these")
    return Stats(*(found[id(value)] for value in on_self))


def _check_sizes(batch: int, steps: int) -> None:
    offered.check("batch", batch, BATCHES)
    offered.check("steps", steps, STEPS)


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

    def body(stats, x):  # scan wants the carry first, the output second
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
