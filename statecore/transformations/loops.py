"""Loops, batches and gradients of state: what a pure step can be put through.

The step is `regression.update`, `(params, x, y, learning_rate) -> params`. The
same step runs in a Python loop, in `scan` and in `fori_loop`; over many learners
with `vmap`; and inside `grad`, which gives the slope of the final loss with
respect to the learning rate. Beside it, `regression.Trainer`, which keeps its
params on self, is put through the same.
"""

import inspect
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from statecore import regression
from statecore.lockstep import Program
from statecore.regression import Data, Params, loss, update

STEPS = (100, 300, 1_000)
"""The run lengths on offer for many learners: every length is one more compilation."""
LEARNERS = (4, 16, 64)
"""The numbers of learners on offer."""
RUN_STEPS = (5, 10, 20, 50)
"""The run lengths on offer for a gradient through the run."""
RATE_STEPS = 100
"""How many times `learn_rate` mends the learning rate."""
CURVE_POINTS = RATE_STEPS + 1
"""As many rates as `learn_rate` goes through, so that both are one compiled program."""


# --- the same step, in every loop -------------------------------------------------------------


def python_update(params, x, y, learning_rate):
    weight, bias = params
    errors = [weight * a + bias - b
              for a, b in zip(x, y, strict=True)]
    d_weight = 2 / len(x) * sum(
        e * a for e, a in zip(errors, x, strict=True))
    d_bias = 2 / len(x) * sum(errors)
    return Params(weight - learning_rate * d_weight,
                  bias - learning_rate * d_bias)


def numpy_update(params, x, y, learning_rate):
    weight, bias = params
    errors = weight * x + bias - y
    d_weight = 2 * np.mean(errors * x)
    d_bias = 2 * np.mean(errors)
    return Params(weight - learning_rate * d_weight,
                  bias - learning_rate * d_bias)


eager_update = inspect.unwrap(update)
"""`regression.update` as it was written, without its `jit`."""


def python_loop(update, params, x, y, learning_rate, steps):
    for _ in range(steps):
        params = update(params, x, y, learning_rate)
    return params


def scan_loop(params, x, y, learning_rate, steps):
    def body(params, _):
        return update(params, x, y, learning_rate), None

    params, _ = jax.lax.scan(
        body, params, None, length=steps)
    return params


def fori_loop(params, x, y, learning_rate, steps):
    def body(_, params):
        return update(params, x, y, learning_rate)

    return jax.lax.fori_loop(0, steps, body, params)


def _loop(step: Callable, steps: int) -> Callable:
    def run(params, x, y, learning_rate):
        return python_loop(step, params, x, y, learning_rate, steps)

    return run


def _compiled(loop: Callable, steps: int) -> Callable:
    def run(params, x, y, learning_rate):
        return loop(params, x, y, learning_rate, steps)

    return jax.jit(run)


def _fresh_jit(step: Callable) -> Callable:
    return jax.jit(lambda *args: step(*args))


def _as_they_are(params: Params, data: Data) -> tuple:
    return params, *data


def _as_numpy(params: Params, data: Data) -> tuple:
    return jax.tree.map(np.asarray, (params, *data))


def _as_numbers(params: Params, data: Data) -> tuple:
    x, y = (np.ravel(values).tolist() for values in data)
    return jax.tree.map(float, params), x, y


class Variant(NamedTuple):
    """One way to take the steps.

    Attributes:
      name: what a reader calls it.
      make: `make(steps)` builds `run(params, x, y, learning_rate) -> params`. Whatever
        it jits is a fresh function, so that its first call compiles.
      arguments: puts params and data in the form that `run` takes.
      steps: the steps of one call of `run`.
    """

    name: str
    make: Callable[[int], Callable]
    arguments: Callable[[Params, Data], tuple] = _as_they_are
    steps: int = 1_000


VARIANTS = (
    Variant("JAX without jit, Python loop", lambda steps: _loop(eager_update, steps), steps=20),
    Variant("jitted step, Python loop", lambda steps: _loop(_fresh_jit(eager_update), steps)),
    Variant("plain Python", lambda steps: _loop(python_update, steps), _as_numbers),
    Variant("NumPy, Python loop", lambda steps: _loop(numpy_update, steps), _as_numpy),
    Variant("fori_loop, jitted", lambda steps: _compiled(fori_loop, steps)),
    Variant("scan, jitted", lambda steps: _compiled(scan_loop, steps)),
)
"""Every way on show; the slowest takes fewer steps per call, so that progress never stalls."""


@dataclass(frozen=True)
class Timing:
    """What is known so far about one variant's speed on this machine.

    Attributes:
      name: the variant.
      progress: how much of the whole measurement is done, from 0 to 1.
      first_call: seconds of its first call, compilation included; None before that.
      calls: how many calls were timed after the first.
      steps_per_second: by the median call; None before one was timed.
      params: where its steps led, from the params given.
      steps: how many steps that took.
    """

    name: str
    progress: float
    first_call: float | None = None
    calls: int = 0
    steps_per_second: float | None = None
    params: Params | None = None
    steps: int = 0


def timings(
    params: Params,
    data: Data,
    learning_rate: float = regression.LEARNING_RATE,
    variants: Sequence[Variant] = VARIANTS,
    seconds: float = 0.5,
    report_every: float = 0.05,
) -> Iterator[Timing]:
    """Measure the variants one after another, reporting before each and then about every `report_every` seconds.

    Each is called once, which compiles it, and then timed for `seconds`, waiting
    for the result of each call. Time spent by whoever reads the reports is not
    counted. A caller that stops asking has cancelled the rest. Raises ValueError
    when `seconds` or `report_every` is not positive.
    """
    if not (seconds > 0 and report_every > 0):
        raise ValueError(f"seconds and report_every must be positive, got {seconds} and {report_every}")
    for index, variant in enumerate(variants):
        yield Timing(variant.name, index / len(variants))
        run, args = variant.make(variant.steps), variant.arguments(params, data)
        first, end = _timed(run, *args, learning_rate)
        calls: list[float] = []
        spent = reported = 0.0
        while spent < seconds:
            took, end = _timed(run, *args, learning_rate)
            calls.append(took)
            spent += took
            if spent - reported >= report_every or spent >= seconds:
                reported = spent
                done = (index + min(spent / seconds, 1.0)) / len(variants)
                speed = variant.steps / float(np.median(calls))
                yield Timing(variant.name, done, first, len(calls), speed, end, variant.steps)


def _timed(run: Callable, *args: Any) -> tuple[float, Params]:
    start = time.perf_counter()
    params = jax.block_until_ready(run(*args))
    return time.perf_counter() - start, params


# --- a carry keeps its type -------------------------------------------------------------------


class Mean(NamedTuple):
    """A running mean: how many values were seen, int32, and their mean, float32; both of shape ()."""

    count: Any
    mean: Any


def start_with_ints() -> Mean:
    return Mean(jnp.int32(0), jnp.int32(0))


def start_with_float() -> Mean:
    return Mean(jnp.int32(0), jnp.float32(0))


def mean_step(state, x):
    count = state.count + 1
    mean = state.mean + (x - state.mean) / count
    return mean, Mean(count, mean)


def plain():
    def means(state, xs):
        values = []
        for x in xs:
            mean, state = mean_step(state, x)
            values.append(mean)
        return jnp.stack(values), state

    return means


def scanned():
    def means(state, xs):
        def body(state, x):
            mean, state = mean_step(state, x)
            return state, mean

        state, values = jax.lax.scan(body, state, xs)
        return values, state

    return jax.jit(means)


def call_with_state(means, state, xs):
    values, state = means(state, xs)
    return values, state


def _inputs(k: int) -> tuple[np.ndarray]:
    return (np.array([4, 1, 2.5, 0.5], np.float32) + np.float32(k - 1),)


PROGRAMS = {
    "broken": Program(scanned, call_with_state, start_with_ints, _inputs, (mean_step,)),
    "fixed": Program(scanned, call_with_state, start_with_float, _inputs, (mean_step,)),
}
"""Four values to average at every call, in a `scan` whose carry starts as two ints, or as an int and a float."""


def ints_in_a_python_loop(xs):
    means = plain()
    _, state = means(start_with_ints(), xs)
    return state


def start_with_python_numbers(xs):
    means = scanned()
    _, state = means(Mean(0, 0), xs)
    return state


def growing_history(xs):
    def body(history, x):
        return jnp.append(history, x), x.sum()

    return jax.lax.scan(body, jnp.zeros(0), xs)


def stacked_history(xs):
    def body(total, x):
        return total + x, x

    return jax.lax.scan(body, jnp.float32(0), xs)


def new_key_in_carry(xs):
    def body(state, x):
        best = jnp.maximum(state.get("best", x), x)
        return {**state, "best": best}, best

    return jax.lax.scan(body, {}, xs)


def key_from_the_start(xs):
    def body(state, x):
        best = jnp.maximum(state["best"], x)
        return {**state, "best": best}, best

    return jax.lax.scan(body, {"best": -jnp.inf}, xs)


# --- state kept on self, put through the same -------------------------------------------------


def scan_hidden(trainer, x, y, steps):
    def body(_, __):
        return None, trainer.update(x, y)

    _, losses = jax.lax.scan(
        body, None, None, length=steps)
    return losses


def vmap_hidden(trainer, x, y, rates):
    def one(rate):
        trainer.learning_rate = rate
        return trainer.update(x, y)

    return jax.vmap(one)(rates)


def grad_hidden(trainer, x, y, rate, steps):
    def final_error(rate):
        trainer.learning_rate = rate
        for _ in range(steps):
            trainer.update(x, y)
        return loss(trainer.params, x, y)

    return jax.grad(final_error)(rate)


# --- many learners at once --------------------------------------------------------------------


def train(params, x, y, learning_rate, steps):
    def body(params, _):
        error = loss(params, x, y)
        after = update(params, x, y, learning_rate)
        return after, (params, error)

    _, history = jax.lax.scan(
        body, params, None, length=steps + 1)
    return history


def train_many(params, x, y, rates, steps):
    def learner(rate):
        return train(params, x, y, rate, steps)

    return jax.vmap(learner)(rates)


_train_many = jax.jit(train_many, static_argnames="steps")


@dataclass(frozen=True)
class Learners:
    """Many learners from the same start: row i learned at `rate[i]`, column k is step k.

    Attributes:
      rate: float32 of shape (learners,), ascending.
      weight, bias, loss: float32 of shape (learners, steps + 1).
    """

    rate: np.ndarray
    weight: np.ndarray
    bias: np.ndarray
    loss: np.ndarray

    def __len__(self) -> int:
        return len(self.rate)

    @property
    def best(self) -> int:
        """The learner whose last loss is smallest. Raises ValueError when none of them is finite."""
        final = np.where(np.isfinite(self.loss[:, -1]), self.loss[:, -1], np.inf)
        if np.isinf(final).all():
            raise ValueError("every learner diverged")
        return int(np.argmin(final))


def learn_together(
    params: Params, data: Data, rates: tuple[float, float], steps: int, learners: int = 64
) -> Learners:
    """Train `learners` learners at once, their rates spread evenly in the logarithm between two ends.

    Args:
      rates: the smallest and the largest rate, both positive.
      steps: one of `STEPS`.
      learners: one of `LEARNERS`.
    """
    _check("steps", steps, STEPS)
    _check("learners", learners, LEARNERS)
    spread = _spread(rates, learners)
    # of shape (points,): under vmap several times as fast as (points, 1)
    x, y = (jnp.ravel(values) for values in data)
    states, losses = _train_many(params, x, y, spread, steps)
    return Learners(spread, *(np.asarray(column) for column in (*states, losses)))


# --- the gradient of a whole run --------------------------------------------------------------


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
    x, y = regression.make_data(key, points)
    return Data(x + 1, y)


def rate_curve(params: Params, data: Data, rates: tuple[float, float], steps: int) -> RateCurve:
    """The loss after `steps` steps against the learning rate, with its gradient through the whole run.

    Args:
      rates: the smallest and the largest rate, both positive.
      steps: one of `RUN_STEPS`.
    """
    _check("steps", steps, RUN_STEPS)
    spread = _spread(rates, CURVE_POINTS)
    losses, slopes = _curve(spread, params, *data, steps)
    return RateCurve(spread, np.asarray(losses), np.asarray(slopes))


def slope_at(learning_rate: float, params: Params, data: Data, steps: int) -> tuple[float, float]:
    """The loss after `steps` steps at one learning rate, and its slope there, by `jax.grad`."""
    _check("steps", steps, RUN_STEPS)
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
    _check("steps", steps, RUN_STEPS)
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


def _spread(ends: tuple[float, float], count: int) -> np.ndarray:
    low, high = ends
    if not 0 < low < high < np.inf:
        raise ValueError(f"rates must be two positive numbers, the smaller first, got {ends}")
    return np.geomspace(low, high, count, dtype=np.float32)


def _check(name: str, value: int, allowed: tuple[int, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{name} must be one of {allowed}, got {value}")
