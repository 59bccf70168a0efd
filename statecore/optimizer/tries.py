"""Things to try with optimizers: each function is run as it stands, and shown as it stands."""

import jax
import jax.numpy as jnp
import numpy as np

from statecore import optimizer
from statecore.optimizer import START, Trainer, default_data, programs, rate_in_state


def state_on_self():
    data = default_data()
    trainer = Trainer(START, 0.1)
    update = jax.jit(trainer.update)
    return [update(*data) for _ in range(3)]


def left_on_self():
    data = default_data()
    trainer = Trainer(START, 0.1)
    update = jax.jit(trainer.update)
    update(*data)
    return trainer.opt_state[0].count


def state_on_self_without_jit():
    data = default_data()
    trainer = Trainer(START, 0.1)
    return [trainer.update(*data) for _ in range(3)]


def length_of_a_step():
    data = default_data()
    forgetful = optimizer.run(
        START, data, 0.1, 100, forget=True)
    threaded = optimizer.run(START, data, 0.1, 100)
    return {
        "forgetful": np.diff(forgetful.states.params.weight)[-4:],
        "threaded": np.diff(threaded.states.params.weight)[-4:],
    }


def forgetful_momentum():
    data = default_data()
    forgetful = optimizer.run(
        START, data, 0.1, 100,
        optimizer.momentum, forget=True)
    sgd = optimizer.run(
        START, data, 0.1, 100, optimizer.sgd)
    return abs(forgetful.loss - sgd.loss).max()


def checkpoint_without_memory():
    data = default_data()
    run = optimizer.run(START, data, 0.1, 300)
    stop_and_go_on = ((0, 0.1), (40, 0.1))
    with_it = optimizer.run_through(
        stop_and_go_on, data, 300)
    without = optimizer.run_through(
        stop_and_go_on, data, 300,
        keep_opt_state=False)
    return {
        "loss with it": with_it.loss[60],
        "without": without.loss[60],
        "same without interruption": run.loss[60],
    }


def size_of_the_state():
    params = {
        "kernel": jnp.zeros((784, 256)),
        "bias": jnp.zeros(256),
    }
    states = {"params": params}
    for name, rule in optimizer.RULES.items():
        states[name] = rule(0.1).init(params)
    return {
        name: sum(leaf.size for leaf in jax.tree.leaves(state))
        for name, state in states.items()
    }


def adam_is_a_value():
    data = default_data()
    update = programs.fixed()
    state = optimizer.init(START)
    _, once = programs.train(update, state, *data, 0.1)
    _, again = programs.train(update, state, *data, 0.1)
    same = jax.tree.map(jnp.array_equal, once, again)
    return all(jax.tree.leaves(same))


def rate_as_state():
    data = default_data()
    update = jax.jit(rate_in_state.update)
    _, state = update(rate_in_state.init(START), *data)
    slower = rate_in_state.with_rate(state, 0.01)
    _, fast = update(state, *data)
    _, slow = update(slower, *data)
    return {
        "at 0.1": fast.params.weight - state.params.weight,
        "at 0.01": slow.params.weight - state.params.weight,
    }
