"""A list that grows on the side."""

import jax.numpy as jnp

# broken
losses: list = []


def broken(x):
    loss = x**2
    losses.append(loss)
    return loss


def call_broken(f, k):
    return f(float(k))


def call_broken_vmap(f, k):
    return f(jnp.array([1.0, 2.0, 3.0]))


def after_broken():
    return sum(losses)


# fixed
def fixed(x):
    loss = x**2
    return loss


kept: list = []


def call_fixed(f, k):
    loss = f(float(k))
    kept.append(loss)
    return loss


def call_fixed_vmap(f, k):
    losses = f(jnp.array([1.0, 2.0, 3.0]))
    kept.extend(losses)
    return losses


def after_fixed():
    return sum(kept)
