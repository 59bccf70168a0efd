"""Things to try with batch normalisation: each function is run as it stands, and shown as it stands."""

import jax
import jax.numpy as jnp

from statecore import batchnorm
from statecore.batchnorm import make_batch


def batches(count):
    keys = jax.random.split(jax.random.key(0), count)
    return [make_batch(key, 3.0, 4.0, 32) for key in keys]


def evaluate_while_training(batches, probe):
    layer = batchnorm.BatchNorm()
    compiled = jax.jit(
        layer.apply, static_argnames="train")
    frozen, right = [], []
    for x in batches:
        layer.apply(x, train=True)
        frozen.append(compiled(probe, train=False))
        right.append(layer.apply(probe, train=False))
    return frozen, right


def frozen_evaluation():
    probe = jnp.full((1, 1), 3.0)
    frozen, right = evaluate_while_training(
        batches(4), probe)
    return {
        "jitted": [y[0, 0] for y in frozen],
        "not jitted": [y[0, 0] for y in right],
    }


def dropped_state():
    layer = batchnorm.fixed()
    state = batchnorm.init()
    for x in batches(4):
        _, state = batchnorm.call_dropping_state(
            layer, state, x, train=True)
    return state.stats


def kept_state():
    layer = batchnorm.fixed()
    state = batchnorm.init()
    for x in batches(4):
        _, state = batchnorm.call_with_state(
            layer, state, x, train=True)
    return state.stats


def pairs():
    params, stats = batchnorm.init()
    x = jnp.array([[1.0], [7.0]])
    y, _ = batchnorm.apply(params, stats, x, train=True)
    z, _ = batchnorm.apply(
        params, stats, 100 * x + 5, train=True)
    return {"x": y, "100 x + 5": z}


def neighbours():
    params, stats = batchnorm.init()
    outputs = {}
    for train in (True, False):
        for other in (0.0, 5.0):
            x = jnp.array([[1.0], [other], [2.0]])
            y, _ = batchnorm.apply(
                params, stats, x, train)
            outputs[f"train={train}, beside {other}"] = y[0]
    return outputs


def gradients():
    state = batchnorm.init()
    (x,) = batches(1)
    update = jax.jit(batchnorm.update)
    for _ in range(3):
        error, state = update(state, x, 2 * x, 0.1)
    return {"error": error, **state._asdict()}


def beside_flax():
    import flax.linen as nn

    x, *_ = batches(1)
    theirs = nn.BatchNorm(momentum=0.8)
    variables = theirs.init(
        jax.random.key(0), x, use_running_average=True)
    _, changed = theirs.apply(
        variables, x, use_running_average=False,
        mutable=["batch_stats"])
    params, stats = batchnorm.init()
    _, mine = batchnorm.apply(
        params, stats, x, train=True, momentum=0.8)
    return {"ours": mine, "Flax": changed["batch_stats"]}


def beside_equinox():
    import equinox as eqx

    x, *_ = batches(1)
    theirs, state = eqx.nn.make_with_state(
        eqx.nn.BatchNorm)(
        1, axis_name="batch", momentum=0.8, mode="batch")
    layer = jax.vmap(
        theirs, axis_name="batch",
        in_axes=(0, None), out_axes=(0, None))
    _, state = layer(x, state)
    where = theirs.batch_state_index
    assert where is not None  # as it is in batch mode
    mean, var = state.get(where)
    params, stats = batchnorm.init()
    _, mine = batchnorm.apply(
        params, stats, x, train=True, momentum=0.8)
    return {"ours": mine, "Equinox": {"mean": mean, "var": var}}
