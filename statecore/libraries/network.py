"""One network, one data set, one start for all: what every library trains.

Twelve blocks of Dense, BatchNorm and ReLU (two dozen layers with parameters), and
a Dense head with one output. A Dense before a BatchNorm has no bias: the mean takes
it out again. Gradient descent with momentum on the whole data set, so that the runs of all
libraries differ by rounding alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

BLOCKS = 12
WIDTH = 16
SIZES = (2, *[WIDTH] * BLOCKS)
"""The width going into each Dense, and out of the last."""
DECAY = 0.9
"""running = DECAY * running + (1 - DECAY) * batch; Flax, Equinox and Haiku all count it this way round."""
EPSILON = 1e-5
LEARNING_RATE = 0.02
MOMENTUM = 0.9
STEPS = (30, 100, 300)
"""The run lengths on offer."""
POINTS = 128


class Data(NamedTuple):
    """Points of the plane, float32 of shape (points, 2), and their class, 0.0 or 1.0, of shape (points,)."""

    x: jax.Array
    y: jax.Array


class Block(NamedTuple):
    """The params of a Dense and the BatchNorm after it.

    weight: (inputs, outputs); scale and shift: (outputs,).
    """

    weight: jax.Array
    scale: jax.Array
    shift: jax.Array


class Head(NamedTuple):
    """The params of the last Dense: weight (WIDTH, 1) and bias (1,)."""

    weight: jax.Array
    bias: jax.Array


class Params(NamedTuple):
    blocks: tuple[Block, ...]
    head: Head


def make_data(seed: int = 0, noise: float = 0.1) -> Data:
    """Two moons of POINTS / 2 points each, with normal noise of this standard deviation."""
    x, y = _moons(jax.random.key(seed), noise)
    return Data(x, y)


def init(seed: int = 0) -> Params:
    """The first params: He-normal weights, scale 1, shift and bias 0."""
    return _init(jax.random.key(seed))


def loss(logits: jax.Array, y: jax.Array) -> jax.Array:
    """The mean cross-entropy of logits of shape (points,)."""
    return optax.sigmoid_binary_cross_entropy(logits, y).mean()


def optimizer() -> optax.GradientTransformation:
    """The optimizer of all runs."""
    return optax.sgd(LEARNING_RATE, MOMENTUM)


@dataclass(frozen=True)
class Leaf:
    """One array that a training run keeps.

    Attributes:
      path: where the library keeps it.
      shape, dtype: of the array.
      kind: `parameter`, `statistic` (running mean or variance), `counter` or `optimizer`.
    """

    path: str
    shape: tuple[int, ...]
    dtype: str
    kind: str


@dataclass(frozen=True)
class Statistics:
    """The running statistics of all BatchNorms, in the library's own convention: float32 (BLOCKS, WIDTH)."""

    mean: np.ndarray
    variance: np.ndarray


@dataclass(frozen=True)
class Trap:
    """What trips people up in a library, as programs that run.

    Attributes:
      claim: what happens, in one sentence.
      broken, fixed: functions of no argument; `broken` may raise.
      parts: the function or class at the heart of each of the two, to be read first.
    """

    claim: str
    broken: Callable[[], Any]
    fixed: Callable[[], Any]
    parts: tuple[Callable, Callable]


@dataclass(frozen=True)
class Run:
    """A whole training run.

    Attributes:
      losses: the training loss before each step, float32 of shape (steps,).
      test_loss, accuracy: on the data, with the running statistics, after training.
      statistics: the running statistics after training.
      leaves: every array kept, and where.
    """

    losses: np.ndarray
    test_loss: float
    accuracy: float
    statistics: Statistics
    leaves: tuple[Leaf, ...]


def report(losses: Sequence, logits: jax.Array, y: jax.Array, statistics: Statistics, leaves: Sequence[Leaf]) -> Run:
    """The run as NumPy numbers; `logits` are those of the trained network in evaluation, of shape (points,)."""
    right = (np.asarray(logits) > 0) == (np.asarray(y) > 0.5)
    return Run(
        losses=np.asarray(jnp.stack(list(losses)), np.float32) if len(losses) else np.zeros(0, np.float32),
        test_loss=float(loss(logits, y)),
        accuracy=float(right.mean()),
        statistics=statistics,
        leaves=tuple(leaves),
    )


def leaves_of(tree: Any, kind: Callable[[str], str] | str, prefix: str = "") -> list[Leaf]:
    """Every array of a pytree; `kind` is the same for all, or is asked with each path."""
    return [
        Leaf(
            path := prefix + jax.tree_util.keystr(keys),
            tuple(leaf.shape),
            str(leaf.dtype),
            kind if isinstance(kind, str) else kind(path),
        )
        for keys, leaf in jax.tree_util.tree_leaves_with_path(tree)
        if hasattr(leaf, "shape")
    ]


def check_steps(steps: int) -> None:
    """Raises ValueError when a run is not 0 to 1,000 steps long."""
    if not 0 <= steps <= 1000:
        raise ValueError(f"a run has 0 to 1,000 steps, not {steps:,}")


@jax.jit
def _moons(key: jax.Array, noise: jax.Array) -> tuple[jax.Array, jax.Array]:
    angle_key, noise_key = jax.random.split(key)
    angle = jax.random.uniform(angle_key, (POINTS,), maxval=jnp.pi)
    y = (jnp.arange(POINTS) % 2).astype(jnp.float32)
    upper = jnp.stack([jnp.cos(angle), jnp.sin(angle)], axis=1)
    lower = jnp.stack([1 - jnp.cos(angle), 0.5 - jnp.sin(angle)], axis=1)
    x = jnp.where(y[:, None] > 0, lower, upper)
    return x + noise * jax.random.normal(noise_key, x.shape), y


@jax.jit
def _init(key: jax.Array) -> Params:
    # one draw for all weights: one compilation of the generator
    sizes = [2 * WIDTH] + [WIDTH * WIDTH] * (BLOCKS - 1) + [WIDTH]
    draws = jnp.split(jax.random.normal(key, (sum(sizes),)), list(np.cumsum(sizes)[:-1]))
    weights = [draw.reshape(-1, WIDTH) * jnp.sqrt(2 * WIDTH / draw.size) for draw in draws[:-1]]
    blocks = (Block(weight, jnp.ones(WIDTH), jnp.zeros(WIDTH)) for weight in weights)
    head = draws[-1].reshape(WIDTH, 1) / jnp.sqrt(WIDTH)
    return Params(tuple(blocks), Head(head, jnp.zeros(1)))
