"""The time of day, read inside."""

import time

began = time.perf_counter()


def seconds():
    return time.perf_counter() - began


# broken
def broken(speed):
    return speed * seconds()


def call_broken(f, k):
    return f(10.0)


# fixed
def fixed(speed, now):
    return speed * now


def call_fixed(f, k):
    return f(10.0, seconds())
