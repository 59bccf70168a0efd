"""Things to try with optimizers: each function is run as it stands, and shown as it stands."""

import jax
import jax.numpy as jnp
import numpy as np

from statecore import optimizer
from statecore.optimizer import START, Trainer, default_data


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
        "forgetful": np.diff(forgetful.weight)[-4:],
        "threaded": np.diff(threaded.weight)[-4:],
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
    with_it = optimizer.resume(run, 40, data, 0.1)
    without = optimizer.resume(
        run, 40, data, 0.1, keep_opt_state=False)
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
    sizes = {"params": optimizer.describe(params)}
    for name, rule in optimizer.RULES.items():
        sizes[name] = optimizer.describe(
            rule(0.1).init(params))
    return {
        name: sum(row.value.size for row in rows)
        for name, rows in sizes.items()
    }


def adam_is_a_value():
    data = default_data()
    update = optimizer.fixed()
    state = optimizer.init(START)
    _, once = optimizer.train(update, state, *data, 0.1)
    _, again = optimizer.train(update, state, *data, 0.1)
    same = jax.tree.map(jnp.array_equal, once, again)
    return all(jax.tree.leaves(same))
