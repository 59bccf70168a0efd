"""Things to try with loops and transformations: each function is run as it stands, and shown as it stands."""

import jax
import jax.numpy as jnp

from statecore.line import loss
from statecore.transformations.programs import Mean, plain, scanned, start_with_ints


def ints_in_a_python_loop(xs):
    means = plain()
    _, state = means(start_with_ints(), xs)
    return state


def start_with_python_numbers(xs):
    means = scanned()
    _, state = means(Mean(0, 0), xs)
    return state


def growing_history(xs):
    def body(history, x):
        return jnp.append(history, x), x.sum()

    return jax.lax.scan(body, jnp.zeros(0), xs)


def stacked_history(xs):
    def body(total, x):
        return total + x, x

    return jax.lax.scan(body, jnp.float32(0), xs)


def new_key_in_carry(xs):
    def body(state, x):
        best = jnp.maximum(state.get("best", x), x)
        return {**state, "best": best}, best

    return jax.lax.scan(body, {}, xs)


def key_from_the_start(xs):
    def body(state, x):
        best = jnp.maximum(state["best"], x)
        return {**state, "best": best}, best

    return jax.lax.scan(body, {"best": -jnp.inf}, xs)


def scan_hidden(trainer, x, y, steps):
    def body(_, __):
        return None, trainer.update(x, y)

    _, losses = jax.lax.scan(
        body, None, None, length=steps)
    return losses


def vmap_hidden(trainer, x, y, rates):
    def one(rate):
        trainer.learning_rate = rate
        return trainer.update(x, y)

    return jax.vmap(one)(rates)


def grad_hidden(trainer, x, y, rate, steps):
    def final_error(rate):
        trainer.learning_rate = rate
        for _ in range(steps):
            trainer.update(x, y)
        return loss(trainer.params, x, y)

    return jax.grad(final_error)(rate)
