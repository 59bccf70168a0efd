"""The run in NumPy and float64, from the start that all tests share."""

import jax
import jax.numpy as jnp
import numpy as np

from statecore.line import Params
from statecore.transformations import make_data

KEY = jax.random.key(42)
START = Params(jnp.float32(-1.0), jnp.float32(3.0))
DATA = make_data(KEY)


def numpy_path(rate, steps):
    """Weight, bias and loss at every step, in float64."""
    x, y = (np.asarray(values, np.float64).ravel() for values in DATA)
    weight, bias = (float(leaf) for leaf in START)
    rows = []
    for _ in range(steps + 1):
        error = weight * x + bias - y
        rows.append((weight, bias, np.mean(error**2)))
        weight, bias = weight - rate * 2 * np.mean(error * x), bias - rate * 2 * np.mean(error)
    return np.array(rows).T
