"""The programs of the lesson: a trainer that keeps its params on self, and the JAX page's pure update.

`init`, `update` and `LEARNING_RATE` are those of "Stateful computations" in the JAX
documentation. There `update` returns the new params alone. Every other step of
this library returns its output first, `step(state, ...) -> (output, state)`; the
page's `update` is the one exception, and `runs.step` gives it the common form.
`learning_rate` is an argument here, so that another rate runs the same compiled program.
"""

import inspect
from collections.abc import Callable, Mapping
from functools import cache, partial
from types import FunctionType

import jax

from statecore.line import Params, loss, make_data
from statecore.program import Program
from statecore.regression.keys import separate_keys

LEARNING_RATE = 0.005


def init(rng) -> Params:
    """The first params, drawn from a normal distribution."""
    weight_key, bias_key = jax.random.split(rng)
    weight = jax.random.normal(weight_key, ())
    bias = jax.random.normal(bias_key, ())
    return Params(weight, bias)


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
