"""Classes that `functionalize` refuses, as somebody would write them, each with the same class fixed."""

from functools import cached_property

import jax
import jax.numpy as jnp
import numpy as np

from statecore.counter import Counter


class MadeLater:
    def count(self):
        if not hasattr(self, "n"):
            self.n = 0
        self.n += 1
        return self.n


class MadeFirst:
    def __init__(self):
        self.n = 0

    def count(self):
        self.n += 1
        return self.n


class SharedList:
    def __init__(self):
        self.counts = [0]
        self.view = self.counts

    def count(self):
        self.counts[0] += 1
        return self.view[0]


class OneList:
    def __init__(self):
        self.counts = [0]

    def count(self):
        self.counts[0] += 1
        return self.counts[0]


class Nested:
    def __init__(self):
        self.counter = Counter()

    def count(self):
        return self.counter.count()


class Flat(Counter):
    pass


class TextWritten:
    def __init__(self):
        self.n = 0
        self.mode = "first"

    def count(self):
        self.n += 1
        if self.mode == "first":
            self.mode = "later"
            return self.n
        return self.n + 9


class NumberWritten:
    def __init__(self):
        self.n = 0
        self.first = True

    def count(self):
        self.n += 1
        later = jnp.where(self.first, 0, 9)
        self.first = False
        return self.n + later


def written_on_class():
    class OnClass:
        n = 0

        def count(self):
            type(self).n += 1
            return self.n

    return OnClass().count


class OwnIterator:
    def __init__(self):
        self.values = iter(range(1, 10))

    def count(self):
        return next(self.values)


class OwnIndex:
    def __init__(self):
        self.values = jnp.arange(1, 10)
        self.index = 0

    def count(self):
        value = self.values[self.index]
        self.index += 1
        return value


class NumPyGenerator:
    def __init__(self):
        self.rng = np.random.default_rng(0)

    def draw(self):
        return self.rng.normal()


class OwnKey:
    def __init__(self):
        self.key = jax.random.key(0)

    def draw(self):
        self.key, subkey = jax.random.split(
            self.key)
        return jax.random.normal(subkey)


class HoldsSelf:
    def __init__(self):
        self.n = 0
        self.add = lambda: setattr(
            self, "n", self.n + 1)

    def count(self):
        self.add()
        return self.n


class CallsMethod:
    def __init__(self):
        self.n = 0

    def add(self):
        self.n += 1

    def count(self):
        self.add()
        return self.n


class Cached:
    def __init__(self):
        self.n = 0

    @cached_property
    def first(self):
        return self.n

    def count(self):
        self.n += 1
        return self.n - self.first


class KeptFirst:
    def __init__(self):
        self.n = 0
        self.first = 1

    def count(self):
        self.n += 1
        return self.n - self.first


class Slots:
    __slots__ = ("n",)

    def __init__(self):
        self.n = 0

    def count(self):
        self.n += 1
        return self.n


class StartsAsNone:
    def __init__(self):
        self.total = None

    def count(self):
        old = 0 if self.total is None else self.total
        self.total = old + 1
        return self.total


class StartsAsNumber:
    def __init__(self):
        self.total = 0

    def count(self):
        self.total += 1
        return self.total


class GrowingList:
    def __init__(self):
        self.seen = []

    def count(self):
        self.seen.append(1)
        return len(self.seen)


class FixedArray:
    def __init__(self):
        self.seen = jnp.zeros(8, int)
        self.n = 0

    def count(self):
        self.seen = self.seen.at[self.n].set(1)
        self.n += 1
        return self.seen.sum()


class BranchesOnState:
    def __init__(self):
        self.n = 0

    def count(self):
        if self.n < 2:
            self.n += 1
        return self.n


class SelectsOnState:
    n: int | jax.Array

    def __init__(self):
        self.n = 0

    def count(self):
        self.n = jnp.where(
            self.n < 2, self.n + 1, self.n)
        return self.n
