"""The gradient of a whole run: the slope of the last loss with respect to the learning rate."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from statecore import offered
from statecore.line import Data, Params, loss
from statecore.line import make_data as centred_data
from statecore.transformations.loops import scan_loop
from statecore.transformations.rates import spread

RUN_STEPS = (5, 10, 20, 50)
"""The run lengths on offer for a gradient through the run."""
RATE_STEPS = 100
"""How many steps `learn_rate` takes."""
CURVE_POINTS = RATE_STEPS + 1
"""As many rates as `learn_rate` goes through, so that both are one compiled program."""


def final_loss(learning_rate, params, x, y, steps):
    params = scan_loop(
        params, x, y, learning_rate, steps)
    return loss(params, x, y)


def rate_step(log_rate, params, x, y, meta_rate, steps):
    def after_run(log_rate):
        rate = jnp.exp(log_rate)  # positive
        return final_loss(rate, params, x, y, steps)

    error, slope = jax.value_and_grad(
        after_run)(log_rate)
    slope = jnp.clip(slope, -1, 1)
    return error, log_rate - meta_rate * slope


@dataclass(frozen=True)
class RateCurve:
    """The final loss and its slope, d loss / d rate, at each learning rate; float32 of one shape."""

    rate: np.ndarray
    loss: np.ndarray
    slope: np.ndarray


def make_data(key, points: int = 128) -> Data:
    """The data of `regression`, with its inputs moved from around 0 to around 1.

    The loss is then curved more in one direction than in the other, so that one
    learning rate is best: a smaller one is slow, a larger one overshoots.
    """
    x, y = centred_data(key, points)
    return Data(x + 1, y)


def rate_curve(params: Params, data: Data, rates: tuple[float, float], steps: int) -> RateCurve:
    """The loss after `steps` steps against the learning rate, with its gradient through the whole run.

    Args:
      params: the first params, both of shape ().
      data: inputs and targets, each of shape (points, 1).
      rates: the smallest and the largest rate, both positive.
      steps: one of `RUN_STEPS`.

    Raises ValueError for a setting that is out of these bounds.
    """
    offered.check("steps", steps, RUN_STEPS)
    each_rate = spread(rates, CURVE_POINTS)
    losses, slopes = _curve(each_rate, params, *data, steps)
    return RateCurve(each_rate, np.asarray(losses), np.asarray(slopes))


def slope_at(learning_rate: float, params: Params, data: Data, steps: int) -> tuple[float, float]:
    """The loss after `steps` steps at one learning rate, and its slope there, by `jax.grad`."""
    offered.check("steps", steps, RUN_STEPS)
    rate = np.full(CURVE_POINTS, learning_rate, np.float32)  # the shape that `rate_curve` compiled
    losses, slopes = _curve(rate, params, *data, steps)
    return float(losses[0]), float(slopes[0])


def slope_by_differences(
    learning_rate: float, params: Params, data: Data, steps: int, nudge: float = 1e-2
) -> float:
    """The same slope without `grad`: two runs, at rates a fraction `nudge` above and below."""
    h = learning_rate * nudge
    above, _ = slope_at(learning_rate + h, params, data, steps)
    below, _ = slope_at(learning_rate - h, params, data, steps)
    return (above - below) / (2 * h)


def learn_rate(
    start: float, params: Params, data: Data, steps: int, meta_rate: float = 0.1
) -> RateCurve:
    """Learn the learning rate: `RATE_STEPS` steps of gradient descent on its logarithm, in one scan.

    Args:
      start: the first learning rate, positive.
      steps: the steps of each training run, one of `RUN_STEPS`.
      meta_rate: the learning rate of the learning rate; as the slope is clipped to
        [-1, 1], no step changes the rate by more than this factor of e.

    Returns the rates gone through, with the loss after a run at each and its slope.
    """
    offered.check("steps", steps, RUN_STEPS)
    if not start > 0:
        raise ValueError(f"a learning rate must be positive, got {start}")
    rates = np.asarray(_rates(jnp.log(jnp.float32(start)), params, *data, meta_rate, steps))
    losses, slopes = _curve(rates, params, *data, steps)
    return RateCurve(rates, np.asarray(losses), np.asarray(slopes))


def _rate_steps(log_rate, params, x, y, meta_rate, steps):
    def body(log_rate, _):
        _, after = rate_step(log_rate, params, x, y, meta_rate, steps)
        return after, jnp.exp(log_rate)

    _, rates = jax.lax.scan(body, log_rate, None, length=RATE_STEPS + 1)
    return rates


_rates = jax.jit(_rate_steps, static_argnames="steps")


def _curve_at(rates, params, x, y, steps):
    along = jax.value_and_grad(final_loss)
    return jax.vmap(lambda rate: along(rate, params, x, y, steps))(rates)


_curve = jax.jit(_curve_at, static_argnames="steps")
