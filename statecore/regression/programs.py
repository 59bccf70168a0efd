"""The programs of the lesson: a trainer that keeps its params on self, and the JAX page's pure update."""

from collections.abc import Mapping
from functools import cache, partial

import jax

from statecore.copies import copy_of
from statecore.line import LEARNING_RATE, Trainer, init, loss, make_data, update
from statecore.program import Program
from statecore.regression.keys import separate_keys


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


@cache
def programs() -> Mapping[str, Program]:
    """The trainer and the pure update as programs on show, on the default data."""
    data_key, params_key = separate_keys(42)
    data, params = make_data(data_key), init(params_key)
    return {
        "broken": Program(partial(broken, params, LEARNING_RATE), train_hidden, inputs=lambda call: data),
        "fixed": Program(fixed, train, init=lambda: params, inputs=lambda call: data),
    }
