"""The same network in Flax NNX: the model object holds its state, and `nnx.jit` carries it in and out."""

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from flax import nnx

from statecore.libraries import network
from statecore.libraries.network import BLOCKS, DECAY, EPSILON, SIZES, WIDTH, Data, Params, Run

RULE = network.optimizer()
"""One for all runs: it is part of the optimizer's structure, so another one would compile again."""


class Net(nnx.Module):
    """Twelve blocks and a head."""

    def __init__(self, rngs):
        self.dense = nnx.List([
            nnx.Linear(
                SIZES[k], WIDTH,
                use_bias=False, rngs=rngs)
            for k in range(BLOCKS)])
        self.norm = nnx.List([
            nnx.BatchNorm(
                WIDTH, momentum=DECAY,
                epsilon=EPSILON, rngs=rngs)
            for _ in range(BLOCKS)])
        self.head = nnx.Linear(
            WIDTH, 1, rngs=rngs)

    def __call__(self, x):
        for k in range(BLOCKS):
            x = self.norm[k](self.dense[k](x))
            x = nnx.relu(x)
        return self.head(x)[:, 0]


@nnx.jit
def step(model, optimizer, x, y):
    def loss(model):
        return network.loss(model(x), y)

    error, grads = nnx.value_and_grad(
        loss)(model)
    optimizer.update(model, grads)
    return error


@nnx.jit
def evaluate(model, x):
    return model(x)


def fit(step, model, optimizer, x, y, steps):
    losses = []
    model.train()
    for _ in range(steps):
        error = step(model, optimizer, x, y)
        losses.append(error)
    model.eval()
    return losses


def build(params: Params) -> tuple[Net, nnx.Optimizer]:
    """The model with these params, and its optimizer."""
    model = Net(nnx.Rngs(0))
    for dense, norm, block in zip(model.dense, model.norm, params.blocks, strict=True):
        dense.kernel[...] = block.weight
        nnx.update(norm, {"scale": block.scale, "bias": block.shift})
    nnx.update(model.head, {"kernel": params.head.weight, "bias": params.head.bias})
    return model, nnx.Optimizer(model, RULE, wrt=nnx.Param)


def train(params: Params, data: Data, steps: int) -> Run:
    """Train for `steps` steps, 0 to 1,000."""
    network.check_steps(steps)
    model, optimizer = build(params)
    losses = fit(step, model, optimizer, *data, steps)
    statistics = network.Statistics(
        np.stack([norm.mean[...] for norm in model.norm]), np.stack([norm.var[...] for norm in model.norm])
    )
    return network.report(losses, evaluate(model, data.x), data.y, statistics, where(model, optimizer))


def where(model: Net, optimizer: nnx.Optimizer) -> list[network.Leaf]:
    """Every array of the model and the optimizer, and where it is kept."""
    kinds = {nnx.Param: "parameter", nnx.BatchStat: "statistic"}
    leaves = []
    for prefix, node in (("model", model), ("optimizer", optimizer)):
        for path, variable in nnx.to_flat_state(nnx.state(node)):
            kind = "optimizer" if prefix == "optimizer" else kinds[variable.type]
            name = ".".join([prefix, *map(str, path)])
            leaves.append(network.Leaf(name, tuple(variable[...].shape), str(variable[...].dtype), kind))
    return leaves


class PlainCounter(nnx.Module):
    """Its number is part of the structure."""

    def __init__(self):
        self.n = 0


class VariableCounter(nnx.Module):
    """Its number is part of the state."""

    def __init__(self):
        self.n = nnx.Variable(jnp.int32(0))


@dataclass(frozen=True)
class Traced:
    """What the calls gave, and how many of them traced (and compiled) the function."""

    values: list[int]
    traces: int


def plain_int(calls=5):
    counter = PlainCounter()
    traces = []

    @nnx.jit
    def count(counter):
        traces.append("traced")
        counter.n += 1
        return jnp.int32(counter.n)

    values = [int(count(counter))
              for _ in range(calls)]
    return Traced(values, len(traces))


def variable(calls=5):
    counter = VariableCounter()
    traces = []

    @nnx.jit
    def count(counter):
        traces.append("traced")
        counter.n[...] += 1
        return counter.n[...]

    values = [int(count(counter))
              for _ in range(calls)]
    return Traced(values, len(traces))


SHOWN = (Net, step, fit)
"""The code that runs, in reading order."""
TRAP = network.Trap(
    "A plain int attribute counts right, and compiles again at every call.",
    plain_int,
    variable,
    (PlainCounter, VariableCounter),
)
