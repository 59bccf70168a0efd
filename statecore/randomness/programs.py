"""Random draws whose state is hidden, or used twice, each beside its fix."""

from functools import partial

import jax
import numpy as np
from jax.experimental.random import stateful_rng

from statecore.program import Program


def numpy_sample(seed):
    rng = np.random.default_rng(
        seed)
    def sample():
        return rng.normal()
    return sample


def jitted_numpy_sample(seed):
    rng = np.random.default_rng(
        seed)
    def sample():
        return rng.normal()
    return jax.jit(sample)


class Sampler:
    def __init__(self, key):
        self.key = key

    def sample(self):
        keys = jax.random.split(
            self.key)
        self.key, sub = keys
        return jax.random.normal(sub)


def plain_sampler(seed):
    key = jax.random.key(seed)
    sampler = Sampler(key)
    return sampler.sample


def jitted_sampler(seed):
    key = jax.random.key(seed)
    sampler = Sampler(key)
    return jax.jit(sampler.sample)


def reuse(key):
    value = jax.random.normal(key)
    return value, key


def jitted_reuse():
    def sample(key):
        return reuse(key)
    return jax.jit(sample)


def split(key):
    key, sub = jax.random.split(
        key)
    value = jax.random.normal(sub)
    return value, key


def jitted_split():
    def sample(key):
        return split(key)
    return jax.jit(sample)


def fold_in(key, step):
    sub = jax.random.fold_in(
        key, step)
    return jax.random.normal(sub)


def jitted_fold_in(seed):
    key = jax.random.key(seed)
    def sample(step):
        return fold_in(key, step)
    return jax.jit(sample)


def jitted_stateful_rng(seed):
    rng = stateful_rng(seed)
    def sample():
        return rng.normal()
    return jax.jit(sample)


def call(sample):
    value = sample()
    return value


def call_with_key(sample, key):
    value, key = sample(key)
    return value, key


def call_with_step(sample, step):
    value = sample(step)
    return value


def first_key(seed):
    return jax.random.key(seed)


def programs(seed: int) -> dict[str, dict[str, Program]]:
    """The programs by mistake: `numpy`, `self` and `reuse`, each with its lanes.

    Every mistake has `broken` and its fixes `split` and `fold_in`; where the state is
    hidden, also `plain`, the same without jit. Each call draws one normal number.
    """
    fixes = {
        "split": Program(jitted_split, call_with_key, lambda: first_key(seed), watch=(split,)),
        "fold_in": Program(
            partial(jitted_fold_in, seed), call_with_step, inputs=lambda k: (np.int32(k),), watch=(fold_in,)
        ),
    }
    return {
        "numpy": {
            "plain": Program(partial(numpy_sample, seed), call),
            "broken": Program(partial(jitted_numpy_sample, seed), call),
        } | fixes,
        "self": {
            "plain": Program(partial(plain_sampler, seed), call),
            "broken": Program(partial(jitted_sampler, seed), call),
        } | fixes,
        "reuse": {
            "broken": Program(jitted_reuse, call_with_key, lambda: first_key(seed), watch=(reuse,)),
        } | fixes,
    }
