"""Batches to normalise, and their running statistics in NumPy."""

import numpy as np


def batches(count, size=8, features=3, seed=0):
    generator = np.random.default_rng(seed)
    return [generator.normal(2.0, 3.0, (size, features)).astype(np.float32) for _ in range(count)]


def running(samples, momentum, correction=0):
    """The running statistics in NumPy and float64, after each batch."""
    mean, var = np.zeros(samples[0].shape[1]), np.ones(samples[0].shape[1])
    for x in samples:
        x = x.astype(np.float64)
        mean = momentum * mean + (1 - momentum) * x.mean(0)
        var = momentum * var + (1 - momentum) * x.var(0, ddof=correction)
    return mean, var
