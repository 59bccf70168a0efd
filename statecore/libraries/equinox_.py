"""The same network in Equinox: the model is a pytree of params, and its state travels beside it."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

from statecore.libraries import network
from statecore.libraries.network import BLOCKS, DECAY, EPSILON, SIZES, WIDTH, Data, Params, Run

optimizer = network.optimizer()


class Net(eqx.Module):
    """Twelve blocks and a head, for one point."""

    dense: list[eqx.nn.Linear]
    norm: list[eqx.nn.BatchNorm]
    head: eqx.nn.Linear

    def __init__(self, key):
        keys = jax.random.split(key, BLOCKS + 1)
        self.dense = [
            eqx.nn.Linear(
                SIZES[k], WIDTH,
                use_bias=False, key=keys[k])
            for k in range(BLOCKS)]
        self.norm = [
            eqx.nn.BatchNorm(
                WIDTH, "batch", EPSILON,
                momentum=DECAY, mode="batch")
            for _ in range(BLOCKS)]
        self.head = eqx.nn.Linear(
            WIDTH, 1, key=keys[-1])

    def __call__(self, x, state):
        for k in range(BLOCKS):
            x = self.dense[k](x)
            x, state = self.norm[k](x, state)
            x = jax.nn.relu(x)
        return self.head(x)[0], state


def over_batch(model, state, x):
    return jax.vmap(
        model, axis_name="batch",
        in_axes=(0, None), out_axes=(0, None),
    )(x, state)


def loss(model, state, x, y):
    logits, state = over_batch(
        model, state, x)
    return network.loss(logits, y), state


@eqx.filter_jit
def step(model, state, opt_state, x, y):
    grad = eqx.filter_value_and_grad(
        loss, has_aux=True)
    (error, state), grads = grad(
        model, state, x, y)
    params = eqx.filter(
        model, eqx.is_inexact_array)
    updates, opt_state = optimizer.update(
        grads, opt_state, params)
    model = eqx.apply_updates(model, updates)
    return error, model, state, opt_state


@eqx.filter_jit
def evaluate(model, state, x):
    model = eqx.nn.inference_mode(model)
    logits, _ = over_batch(model, state, x)
    return logits


def fit(
    step, model, state, opt_state, x, y, steps
):
    losses = []
    for _ in range(steps):
        error, model, state, opt_state = step(
            model, state, opt_state, x, y)
        losses.append(error)
    return losses, model, state, opt_state


def build(params: Params) -> tuple[Net, eqx.nn.State, optax.OptState]:
    """The model with these params, its state and the optimizer's."""
    model, state = eqx.nn.make_with_state(Net)(jax.random.key(0))

    def places(model):
        dense = [layer.weight for layer in model.dense]
        affine = [array for norm in model.norm for array in (norm.weight, norm.bias)]
        return [*dense, *affine, model.head.weight, model.head.bias]

    dense = [block.weight.T for block in params.blocks]
    affine = [array for block in params.blocks for array in (block.scale, block.shift)]
    model = eqx.tree_at(places, model, [*dense, *affine, params.head.weight.T, params.head.bias])
    return model, state, optimizer.init(eqx.filter(model, eqx.is_inexact_array))


def train(params: Params, data: Data, steps: int) -> Run:
    """Train for `steps` steps, 0 to 1,000."""
    network.check_steps(steps)
    losses, model, state, opt_state = fit(step, *build(params), *data, steps)
    kept = [state.get(norm.batch_state_index) for norm in model.norm]
    statistics = network.Statistics(*(np.stack(column) for column in zip(*kept, strict=True)))
    logits = evaluate(model, state, data.x)
    return network.report(losses, logits, data.y, statistics, where(model, state, opt_state))


def where(model: Net, state: eqx.nn.State, opt_state: optax.OptState) -> list[network.Leaf]:
    """Every array of model, state and optimizer, and where it is kept."""
    return [
        *network.leaves_of(eqx.filter(model, eqx.is_inexact_array), "parameter", "model"),
        *_kept(model, state),
        *network.leaves_of(opt_state, "optimizer", "opt_state"),
    ]


def _kept(model: Net, state: eqx.nn.State) -> list[network.Leaf]:
    """The state by the index in the model that finds it: the state itself has no names."""
    leaves = []
    for number, norm in enumerate(model.norm):
        for name, kind in (("batch_counter", "counter"), ("batch_state_index", "statistic")):
            path = f"state.get(model.norm[{number}].{name})"
            leaves += network.leaves_of(state.get(getattr(norm, name)), kind, path)
    return leaves


class Counter(eqx.Module):
    """It holds an index; the state holds the number."""

    n: eqx.nn.StateIndex

    def __init__(self):
        self.n = eqx.nn.StateIndex(jnp.int32(0))

    def __call__(self, state):
        value = state.get(self.n) + 1
        return value, state.set(self.n, value)


def old_state():
    make = eqx.nn.make_with_state(Counter)
    counter, state = make()
    first, _ = counter(state)
    second, _ = counter(state)
    return [int(first), int(second)]


def new_state():
    make = eqx.nn.make_with_state(Counter)
    counter, state = make()
    first, state = counter(state)
    second, state = counter(state)
    return [int(first), int(second)]


class SelfCounter(eqx.Module):
    """It would change itself, but is frozen."""

    n: int = 0

    def count(self):
        self.n += 1
        return self.n


def written_on_self():
    return SelfCounter().count()


SHOWN = (Net, over_batch, loss, step, fit)
"""The code that runs, in reading order."""
TRAP = network.Trap(
    "Outside of jit, Equinox refuses a state that has been replaced. Inside `filter_jit` it does not notice: "
    "an old state gives the old count again.",
    old_state,
    new_state,
    (Counter, Counter),
)
