"""Two dozen layers by hand: params, statistics and optimizer state all threaded by you."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from statecore.libraries import network
from statecore.libraries.network import DECAY, EPSILON, Data, Params, Run

optimizer = network.optimizer()


class Stats(NamedTuple):
    """The running statistics of one BatchNorm, each of shape (WIDTH,)."""

    mean: jax.Array
    variance: jax.Array


class TrainState(NamedTuple):
    """All that changes from step to step."""

    params: Params
    stats: tuple[Stats, ...]
    opt_state: optax.OptState


def init_stats():
    return tuple(
        Stats(jnp.zeros(network.WIDTH),
              jnp.ones(network.WIDTH))
        for _ in range(network.BLOCKS))


def batch_norm(block, stats, x, train):
    if train:
        mean, variance = x.mean(0), x.var(0)
        stats = jax.tree.map(
            lambda old, new:
                DECAY * old + (1 - DECAY) * new,
            stats, Stats(mean, variance))
    else:
        mean, variance = stats
    x = (x - mean) * jax.lax.rsqrt(
        variance + EPSILON)
    return x * block.scale + block.shift, stats


def apply(params, stats, x, train):
    new_stats = []
    for k, block in enumerate(params.blocks):
        x = x @ block.weight
        x, new = batch_norm(
            block, stats[k], x, train)
        new_stats.append(new)
        x = jax.nn.relu(x)
    head = params.head
    x = x @ head.weight + head.bias
    return x[:, 0], tuple(new_stats)


def loss(params, stats, x, y):
    logits, stats = apply(
        params, stats, x, True)
    return network.loss(logits, y), stats


@jax.jit
def step(state, x, y):
    (error, stats), grads = jax.value_and_grad(
        loss, has_aux=True)(
            state.params, state.stats, x, y)
    updates, opt_state = optimizer.update(
        grads, state.opt_state, state.params)
    params = optax.apply_updates(
        state.params, updates)
    return error, TrainState(
        params, stats, opt_state)


@jax.jit
def forgetful_step(state, x, y):
    (error, _), grads = jax.value_and_grad(
        loss, has_aux=True)(
            state.params, state.stats, x, y)
    updates, opt_state = optimizer.update(
        grads, state.opt_state, state.params)
    params = optax.apply_updates(
        state.params, updates)
    return error, state._replace(
        params=params, opt_state=opt_state)


@jax.jit
def evaluate(state, x):
    logits, _ = apply(
        state.params, state.stats, x, False)
    return logits


def first_state(params: Params) -> TrainState:
    """The state before the first step. It makes no two leaves share a buffer, so that all of it can be donated."""
    return TrainState(params, init_stats(), optimizer.init(params))


def fit(step, state, x, y, steps):
    losses = []
    for _ in range(steps):
        error, state = step(state, x, y)
        losses.append(error)
    return losses, state


def train(params: Params, data: Data, steps: int, forget: bool = False) -> Run:
    """Train for `steps` steps, 0 to 1,000; with `forget` the new statistics are dropped at every step."""
    network.check_steps(steps)
    losses, state = fit(forgetful_step if forget else step, first_state(params), *data, steps)
    return network.report(losses, evaluate(state, data.x), data.y, _statistics(state), where(state))


def where(state: TrainState) -> list[network.Leaf]:
    """Every array of the state, and where it is kept."""
    return [
        *network.leaves_of(state.params, "parameter", "params"),
        *network.leaves_of(state.stats, "statistic", "stats"),
        *network.leaves_of(state.opt_state, "optimizer", "opt_state"),
    ]


def _statistics(state: TrainState) -> network.Statistics:
    return network.Statistics(*(np.stack(column) for column in zip(*state.stats, strict=True)))


SHOWN = (batch_norm, apply, loss, step, fit)
"""The code that runs, in reading order."""


def fit_forgetting(steps=100):
    state = first_state(network.init())
    x, y = network.make_data()
    losses, state = fit(
        forgetful_step, state, x, y, steps)
    logits = evaluate(state, x)
    return (float(losses[-1]),
            float(network.loss(logits, y)))


def fit_threading(steps=100):
    state = first_state(network.init())
    x, y = network.make_data()
    losses, state = fit(step, state, x, y, steps)
    logits = evaluate(state, x)
    return (float(losses[-1]),
            float(network.loss(logits, y)))


TRAP = network.Trap(
    "Drop the new statistics and no training loss shows it: only the test loss does.", fit_forgetting,
    fit_threading,
    (forgetful_step, step),
)
