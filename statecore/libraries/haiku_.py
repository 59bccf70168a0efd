"""The same network in Haiku: an impure function, made pure by `transform_with_state`."""

# Haiku's own annotations hide the fields of what `transform_with_state` returns.
# mypy: disable-error-code="attr-defined,index"

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
import optax

from statecore.libraries import network
from statecore.libraries.network import BLOCKS, DECAY, EPSILON, WIDTH, Data, Params, Run

optimizer = network.optimizer()


def forward(x, train):
    for k in range(BLOCKS):
        dense = hk.Linear(
            WIDTH, with_bias=False,
            name=f"dense_{k}")
        norm = hk.BatchNorm(
            True, True, DECAY, EPSILON,
            name=f"norm_{k}")
        x = jax.nn.relu(norm(dense(x), train))
    return hk.Linear(1, name="head")(x)[:, 0]


net = hk.without_apply_rng(
    hk.transform_with_state(forward))


def loss(params, state, x, y):
    logits, state = net.apply(
        params, state, x, True)
    return network.loss(logits, y), state


@jax.jit
def step(params, state, opt_state, x, y):
    (error, state), grads = jax.value_and_grad(
        loss, has_aux=True)(params, state, x, y)
    updates, opt_state = optimizer.update(
        grads, opt_state, params)
    params = optax.apply_updates(params, updates)
    return error, params, state, opt_state


@jax.jit
def evaluate(params, state, x):
    logits, _ = net.apply(params, state, x, False)
    return logits


def fit(
    step, params, state, opt_state, x, y, steps
):
    losses = []
    for _ in range(steps):
        error, params, state, opt_state = step(
            params, state, opt_state, x, y)
        losses.append(error)
    return losses, params, state, opt_state


def build(params: Params, x: jax.Array) -> tuple[hk.Params, hk.State, optax.OptState]:
    """Haiku's params with these numbers in them, its state and the optimizer's."""
    drawn, state = jax.jit(net.init, static_argnums=2)(jax.random.key(0), x, True)
    given = {"head": {"w": params.head.weight, "b": params.head.bias}}
    for k, block in enumerate(params.blocks):
        given[f"dense_{k}"] = {"w": block.weight}
        given[f"norm_{k}"] = {"scale": block.scale[None], "offset": block.shift[None]}
    placed = {module: given[module] for module in drawn}
    return placed, state, optimizer.init(placed)


def train(params: Params, data: Data, steps: int) -> Run:
    """Train for `steps` steps, 0 to 1,000."""
    network.check_steps(steps)
    losses, trained, state, opt_state = fit(step, *build(params, data.x), *data, steps)
    statistics = network.Statistics(
        *(
            np.concatenate([state[f"norm_{k}/~/{name}_ema"]["average"] for k in range(BLOCKS)])
            for name in ("mean", "var")
        )
    )
    logits = evaluate(trained, state, data.x)
    return network.report(losses, logits, data.y, statistics, where(trained, state, opt_state))


def where(params: hk.Params, state: hk.State, opt_state: optax.OptState) -> list[network.Leaf]:
    """Every array of params, state and optimizer, and where it is kept."""

    def kind(path):
        return "counter" if path.endswith("['counter']") else "statistic"

    return [
        *network.leaves_of(params, "parameter", "params"),
        *network.leaves_of(state, kind, "state"),
        *network.leaves_of(opt_state, "optimizer", "opt_state"),
    ]


def count():
    n = hk.get_state(
        "n", (), jnp.int32, init=jnp.zeros)
    hk.set_state("n", n + 1)
    return n + 1


def state_after_init():
    counter = hk.transform_with_state(count)
    _, state = counter.init(None)
    return int(state["~"]["n"])


def state_after_apply():
    counter = hk.transform_with_state(count)
    params, state = counter.init(None)
    _, state = counter.apply(
        params, state, None)
    return int(state["~"]["n"])


SHOWN = (forward, loss, step, fit)
"""The code that runs, in reading order."""
TRAP = network.Trap(
    "`init` runs the function, and returns the first value that each state was given, not the last.",
    state_after_init,
    state_after_apply,
    (count, count),
)
