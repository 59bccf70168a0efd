"""A Python cache on a traced argument."""

from functools import lru_cache


# broken
@lru_cache
def square(x):
    return x * x


def broken(x):
    return square(x) + 1


def call_broken(f, k):
    return f(float(k))


# fixed
def plain_square(x):
    return x * x


def fixed(x):
    return plain_square(x) + 1


def call_fixed(f, k):
    return f(float(k))
