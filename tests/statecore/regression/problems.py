"""What the tests of the regression start from, and two ways to train without the library."""

import numpy as np

from statecore import line, regression
from statecore.history import History
from statecore.line import Data, Params


def problem(seed: int = 0, points: int = 128, **truth) -> tuple[Params, Data]:
    data_key, params_key = regression.separate_keys(seed)
    return regression.init(params_key), regression.make_data(data_key, points, **truth)


def python_loop(params: Params, data: Data, learning_rate, steps: int) -> History:
    """The page's own loop: the same jitted update, called step by step."""
    weights, biases, losses = [], [], []
    for _ in range(steps + 1):
        weights.append(params.weight)
        biases.append(params.bias)
        losses.append(line.loss(params, *data))
        params = regression.update(params, *data, learning_rate)
    weight, bias, loss = (np.asarray(column, np.float32) for column in (weights, biases, losses))
    return History(Params(weight, bias), loss)


def numpy_loop(params: Params, data: Data, learning_rate: float, steps: int, dtype) -> History:
    """Gradient descent on the mean squared error by hand, without JAX."""
    x, y = (np.asarray(values, dtype).ravel() for values in data)
    weight, bias = (np.asarray(leaf, dtype)[()] for leaf in params)
    rate, two = dtype(learning_rate), dtype(2)
    columns = [[], [], []]
    for _ in range(steps + 1):
        error = weight * x + bias - y
        for column, number in zip(columns, (weight, bias, np.mean(error**2)), strict=True):
            column.append(number)
        weight = weight - rate * two * np.mean(error * x)
        bias = bias - rate * two * np.mean(error)
    weights, biases, losses = (np.asarray(column) for column in columns)
    return History(Params(weights, biases), losses)
