"""The learning rate as a part of the state: `optax.inject_hyperparams`.

`programs` hands the rate in at every step. Here it is threaded with the rest, so a
checkpoint holds it, and another rate is another state.
"""

import jax
import jax.numpy as jnp
import optax

from statecore.line import Params, loss
from statecore.optimizer.programs import State

OPTIMIZER = optax.inject_hyperparams(optax.adam)(learning_rate=0.1)
"""Adam whose rate is in its state; 0.1 is the first one."""


def init(params: Params) -> State:
    """The first state. Its rate is a leaf, float32 of shape ()."""
    return State(params, OPTIMIZER.init(params))


def update(state, x, y):
    params, opt_state = state
    error, grads = jax.value_and_grad(loss)(
        params, x, y)
    updates, opt_state = OPTIMIZER.update(
        grads, opt_state, params)
    params = optax.apply_updates(params, updates)
    return error, State(params, opt_state)


def with_rate(state, learning_rate):
    opt_state = state.opt_state
    rates = {
        **opt_state.hyperparams,
        "learning_rate": jnp.float32(learning_rate),
    }
    return state._replace(
        opt_state=opt_state._replace(hyperparams=rates))
