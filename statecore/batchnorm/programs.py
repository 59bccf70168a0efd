"""The layer as programs on show: plain, jitted with its statistics on self, and jitted with its state threaded."""

from collections.abc import Callable, Mapping
from functools import cache

import jax

from statecore.batchnorm.layer import BatchNorm, State, apply, init
from statecore.batchnorm.streams import DATA_MEAN, DATA_VAR, make_batch
from statecore.program import Program


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


def stage_inputs(seed: int, mean: float, var: float, batch: int, order: tuple[bool, ...]) -> Callable[[int], tuple]:
    """The arguments `(x, train)` of call k = 1, 2, ...: a batch of its own, and whether to train on it.

    Args:
      seed: makes the key that the batches are drawn with.
      mean, var: of the normal distribution that they are drawn from.
      batch: how many rows each has.
      order: True to train, False to evaluate; the order repeats.

    Raises ValueError when `order` is empty.
    """
    if not order:
        raise ValueError("order needs at least one True (train) or False (evaluate)")

    def inputs(k: int) -> tuple:
        key = jax.random.fold_in(jax.random.key(seed), k)
        return make_batch(key, mean, var, batch), order[(k - 1) % len(order)]

    return inputs


@cache
def by_turns(train_first: bool) -> Mapping[str, Program]:
    """The layer as programs on show, called to train and to evaluate by turns."""
    inputs = stage_inputs(42, DATA_MEAN, DATA_VAR, 32, (train_first, not train_first))
    return {
        "plain": Program(plain, call, inputs=inputs),
        "broken": Program(broken, call, inputs=inputs),
        "fixed": Program(fixed, call_with_state, init=init, inputs=inputs, watch=(apply,)),
    }
