"""The programs of the lesson: an optimizer whose state is thrown away, threaded, and kept on self.

A *rule* is a function from a learning rate to an optax optimizer: `optax.adam` itself
or one of `rules`. The rate is traced, so another rate runs the same compiled
program. `rate_in_state` shows the other way, in which the rate is a part of the state.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from statecore.line import Params, loss
from statecore.optimizer.data import default_data
from statecore.program import Program

LEARNING_RATE = 0.1
START = Params(jnp.float32(-1.0), jnp.float32(3.0))
"""Where every race begins: far from the true line on both axes."""


class State(NamedTuple):
    """All that training has to remember from one step to the next.

    `params` are the model's, each of shape (); `opt_state` is the optimizer's, a
    tree whose shape is the optimizer's own business.
    """

    params: Params
    opt_state: Any


def init(params, rule=optax.adam) -> State:
    # no rule's first state depends on the learning rate
    return State(params, rule(0.0).init(params))


def threaded(rule=optax.adam):
    def update(state, x, y, learning_rate):
        params, opt_state = state
        error, grads = jax.value_and_grad(loss)(
            params, x, y)
        optimizer = rule(learning_rate)
        updates, opt_state = optimizer.update(
            grads, opt_state, params)
        params = optax.apply_updates(
            params, updates)
        return error, State(params, opt_state)

    return update


def forgetful(rule=optax.adam):
    def update(params, x, y, learning_rate):
        error, grads = jax.value_and_grad(loss)(
            params, x, y)
        optimizer = rule(learning_rate)
        opt_state = optimizer.init(params)
        updates, opt_state = optimizer.update(
            grads, opt_state, params)
        params = optax.apply_updates(
            params, updates)
        return error, params

    return update


class Trainer:
    """The trainer that keeps params and optimizer state on self; jitted, it never learns."""

    def __init__(self, params, learning_rate, rule=optax.adam):
        self.optimizer = rule(learning_rate)
        self.params = params
        self.opt_state = self.optimizer.init(params)

    def update(self, x, y):
        error, grads = jax.value_and_grad(loss)(
            self.params, x, y)
        updates, self.opt_state = (
            self.optimizer.update(
                grads, self.opt_state, self.params))
        self.params = optax.apply_updates(
            self.params, updates)
        return error


def broken(rule=optax.adam):
    return jax.jit(forgetful(rule))


def fixed(rule=optax.adam):
    return jax.jit(threaded(rule))


def train_params(update, params, x, y, learning_rate):
    error, params = update(params, x, y, learning_rate)
    return error, params


def train(update, state, x, y, learning_rate):
    error, state = update(state, x, y, learning_rate)
    return error, state


@cache
def programs() -> Mapping[str, Program]:
    """Adam that forgets and Adam threaded as programs on show, on the default data."""
    inputs = (*default_data(), LEARNING_RATE)
    return {
        "broken": Program(broken, train_params, init=lambda: START, inputs=lambda call: inputs),
        "fixed": Program(fixed, train, init=lambda: init(START), inputs=lambda call: inputs),
    }
