"""A straight line learned from points: the model that several lessons train, and what is known of it.

The prediction is `weight * x + bias`. Its loss is quadratic, so the best params, the
curvature and the loss at any params have a closed form. The closed forms are
computed in float64 with NumPy.

`init`, `update` and `LEARNING_RATE` are those of "Stateful computations" in the JAX
documentation. There `update` returns the new params alone. Every other step of
this library returns its output first, `step(state, ...) -> (output, state)`; the
page's `update` is the one exception. `learning_rate` is an argument here, so that
another rate runs the same compiled program.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

LEARNING_RATE = 0.005

Scalar = jax.Array | np.ndarray
"""A number of shape (); in a history, a column of them."""


class Params(NamedTuple):
    """The model's state: y is predicted as weight * x + bias, both of shape ()."""

    weight: Scalar
    bias: Scalar


class Data(NamedTuple):
    """Inputs and targets, each of shape (points, 1)."""

    x: jax.Array
    y: jax.Array


def loss(params, x, y):
    pred = params.weight * x + params.bias
    return jnp.mean((pred - y) ** 2)


def init(rng) -> Params:
    """The first params, drawn from a normal distribution."""
    weight_key, bias_key = jax.random.split(rng)
    weight = jax.random.normal(weight_key, ())
    bias = jax.random.normal(bias_key, ())
    return Params(weight, bias)


@jax.jit
def update(
    params, x, y, learning_rate=LEARNING_RATE
) -> Params:
    grads = jax.grad(loss)(params, x, y)
    return jax.tree.map(
        lambda p, g: p - g * learning_rate,
        params, grads)


class Trainer:
    """The trainer that keeps its params on self; jitted, it never learns."""

    def __init__(self, params, learning_rate):
        self.params = params
        self.learning_rate = learning_rate

    def update(self, x, y):
        error, grads = jax.value_and_grad(loss)(
            self.params, x, y)
        self.params = jax.tree.map(
            lambda p, g: p - g * self.learning_rate,
            self.params, grads)
        return error


def make_data(
    key, points: int = 128, weight: float = 2.0, bias: float = -1.0, noise: float = 0.5, offset: float = 0.0
) -> Data:
    """Draw points around the line `weight * x + bias`.

    Args:
      key: a random key.
      points: how many.
      weight, bias: the true params.
      noise: the standard deviation of the targets around the line.
      offset: the mean of the inputs, whose standard deviation is 1. At 0 the loss
        surface is nearly round. The further the inputs are from zero, the more
        weight and bias can stand in for one another, and the longer and narrower
        the valley.
    """
    x_key, noise_key = jax.random.split(key)
    x = jax.random.normal(x_key, (points, 1)) + offset
    y = x * weight + bias + jax.random.normal(noise_key, (points, 1)) * noise
    return Data(x, y)


def least_squares(data: Data) -> Params:
    """The params of the smallest loss."""
    x, y = (np.asarray(values, np.float64).ravel() for values in data)
    dx = x - x.mean()
    weight = dx @ (y - y.mean()) / (dx @ dx)
    return Params(weight, y.mean() - weight * x.mean())


def smallest_loss(data: Data) -> float:
    """The loss of the least-squares line: no training gets below it, but for float32 rounding."""
    best = least_squares(data)
    x, y = (np.asarray(values, np.float64) for values in data)
    return float(np.mean((best.weight * x + best.bias - y) ** 2))


def curvature(data: Data) -> np.ndarray:
    """The Hessian of the loss in (weight, bias), shape (2, 2): the same at every params."""
    x = np.asarray(data.x, np.float64)
    return 2 * np.array([[np.mean(x**2), x.mean()], [x.mean(), 1.0]])


def largest_stable_rate(data: Data) -> float:
    """2 / (largest eigenvalue of the curvature): gradient descent diverges above it."""
    return float(2 / np.linalg.eigvalsh(curvature(data))[-1])


def growth(data: Data, learning_rate: float) -> float:
    """The factor by which one step multiplies the error along the worst direction; above 1 it diverges."""
    return float(np.max(np.abs(1 - learning_rate * np.linalg.eigvalsh(curvature(data)))))


def loss_on_grid(data: Data, weights: np.ndarray, biases: np.ndarray) -> np.ndarray:
    """The loss at every pair of weight and bias, shape (len(biases), len(weights)).

    It follows from the smallest loss and the curvature, so it costs the same for any
    number of points.
    """
    best, hessian = least_squares(data), curvature(data)
    offset = np.stack(np.meshgrid(weights - best.weight, biases - best.bias), axis=-1)
    return smallest_loss(data) + np.einsum("...i,ij,...j->...", offset, hessian, offset) / 2
