"""Classes that keep state on self, each beside the functions it becomes.

`Counter` and `Trainer` are those of the other lessons, unchanged.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from statecore.counter import Counter
from statecore.functional import functionalize
from statecore.line import Params, Trainer, loss, make_data
from statecore.program import Program


class Count(NamedTuple):
    n: int


def init_count():
    return Count(n=0)


def count(state):
    n = state.n + 1
    return n, Count(n=n)


class RunningMean:
    """The mean of the values so far."""

    def __init__(self):
        self.calls = 0
        self.mean = jnp.zeros(())

    def observe(self, x):
        self.calls += 1
        self.mean += (x - self.mean) / self.calls
        return self.mean


class Mean(NamedTuple):
    calls: int
    mean: jax.Array


def init_mean():
    return Mean(calls=0, mean=jnp.zeros(()))


def observe(state, x):
    calls = state.calls + 1
    mean = state.mean + (x - state.mean) / calls
    return mean, Mean(calls=calls, mean=mean)


class Training(NamedTuple):
    params: Params
    learning_rate: float


def init_training(params, learning_rate):
    return Training(
        params=params,
        learning_rate=learning_rate)


def train(state, x, y):
    error, grads = jax.value_and_grad(loss)(
        state.params, x, y)
    params = jax.tree.map(
        lambda p, g: p - g * state.learning_rate,
        state.params, grads)
    return error, state._replace(params=params)


class BatchNorm:
    """Batch normalisation in training: running = momentum * running + (1 - momentum) * batch."""

    def __init__(self, features):
        self.scale = jnp.ones(features)
        self.shift = jnp.zeros(features)
        self.mean = jnp.zeros(features)
        self.var = jnp.ones(features)
        self.momentum = 0.9

    def apply(self, x):
        mean, var = x.mean(0), x.var(0)
        keep = self.momentum
        self.mean = keep * self.mean + (1 - keep) * mean
        self.var = keep * self.var + (1 - keep) * var
        unit = (x - mean) / jnp.sqrt(var + 1e-5)
        return self.scale * unit + self.shift


class Norm(NamedTuple):
    scale: jax.Array
    shift: jax.Array
    mean: jax.Array
    var: jax.Array
    momentum: float


def init_norm(features):
    return Norm(
        scale=jnp.ones(features),
        shift=jnp.zeros(features),
        mean=jnp.zeros(features),
        var=jnp.ones(features),
        momentum=0.9)


def normalise(state, x):
    mean, var = x.mean(0), x.var(0)
    keep = state.momentum
    new = state._replace(
        mean=keep * state.mean + (1 - keep) * mean,
        var=keep * state.var + (1 - keep) * var)
    unit = (x - mean) / jnp.sqrt(var + 1e-5)
    return state.scale * unit + state.shift, new


@dataclass(frozen=True)
class Pair:
    """A class, the functions it becomes, and something to call them with.

    Attributes:
      name: the class in words.
      cls, method: the class, and the name of the method that changes it.
      state, init, step: the NamedTuple, the function that makes it, the pure step.
      args: makes the arguments of the class and of `init`.
      inputs: makes the arguments of all calls, one array each, calls along axis 0;
        the method is called with one row of each.
      calls: how many calls there are.
      vary: an attribute, and the values of it that `vmap` runs at once.
      wrt: the attribute that `grad` differentiates with respect to, from the value
        given; None means the inputs.
      score: the number that is differentiated, of the last output and the last state.
      score_in_words: what that number is.
    """

    name: str
    cls: type
    method: str
    state: type
    init: Callable
    step: Callable
    args: Callable[[], tuple]
    inputs: Callable[[], tuple]
    calls: int
    vary: tuple[str, Any]
    wrt: tuple[str, Any] | None
    score: Callable = lambda output, state: output
    score_in_words: str = "the last output"

    def fresh(self) -> Callable:
        """The method of a fresh object."""
        return getattr(self.cls(*self.args()), self.method)

    def call_inputs(self, k: int) -> tuple:
        """The arguments of call k = 1, 2, ...; after the last they start over."""
        return tuple(rows[(k - 1) % self.calls] for rows in self.inputs())


def _training_args():
    return Params(jnp.float32(0), jnp.float32(0)), 0.1


@cache
def _training_inputs():
    """Eight batches of 16 points around y = 2x - 1."""
    data = make_data(jax.random.key(0), 128)
    return data.x.reshape(8, 16, 1), data.y.reshape(8, 16, 1)


@cache
def _batches():
    """Eight batches of 16 points with 2 features, of mean 1 and -2, deviation 2 and 0.5."""
    unit = jax.random.normal(jax.random.key(1), (8, 16, 2))
    return (unit * jnp.array([2.0, 0.5]) + jnp.array([1.0, -2.0]),)


PAIRS = (
    Pair(
        "counter", Counter, "count", Count, init_count, count,
        tuple, tuple, 5, ("n", [0, 10, 20]), ("n", 0.0),
    ),
    Pair(
        "running mean", RunningMean, "observe", Mean, init_mean, observe,
        tuple, lambda: (jnp.array([3.0, 1.0, 4.0, 2.0]),), 4, ("calls", [0, 1, 3]), None,
    ),
    Pair(
        "trainer", Trainer, "update", Training, init_training, train,
        _training_args, _training_inputs, 8, ("learning_rate", [0.01, 0.1, 0.3]), ("learning_rate", 0.1),
    ),
    Pair(
        "batch normalisation", BatchNorm, "apply", Norm, init_norm, normalise,
        lambda: (2,), _batches, 8, ("momentum", [0.5, 0.9, 0.99]), ("momentum", 0.9),
        lambda output, state: state.mean[1], "the running mean of the second feature",
    ),
)


def plain(pair):
    method = pair.fresh()
    return method


def broken(pair):
    method = pair.fresh()
    return jax.jit(method)


def made_pure(pair):
    method = pair.fresh()
    pure, _ = functionalize(method)
    return jax.jit(pure)


def first_state(pair):
    _, state = functionalize(pair.fresh())
    return state


def by_hand(pair):
    def step(state, *x):
        return pair.step(state, *x)
    return jax.jit(step)


def call(method, *x):
    output = method(*x)
    return output


def call_pure(step, state, *x):
    output, state = step(state, *x)
    return output, state


def programs(pair: Pair) -> dict[str, Program]:
    """The programs of a pair for the stage: plain, broken, fixed (functionalize) and by_hand."""
    body = getattr(pair.cls, pair.method)
    return {
        "plain": Program(partial(plain, pair), call, inputs=pair.call_inputs),
        "broken": Program(partial(broken, pair), call, inputs=pair.call_inputs),
        "fixed": Program(
            partial(made_pure, pair), call_pure, partial(first_state, pair), pair.call_inputs, watch=(body,)
        ),
        "by_hand": Program(
            partial(by_hand, pair), call_pure, lambda: pair.init(*pair.args()), pair.call_inputs,
            watch=(pair.step,),
        ),
    }
