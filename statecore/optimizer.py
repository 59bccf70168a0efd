"""The optimizer remembers too: its state is threaded beside the params.

The model is that of `regression`: `Params(weight, bias)` and `loss(params, x, y)`.
A *rule* is a function from a learning rate to an optax optimizer, `optax.adam`
itself or one of `sgd`, `momentum`, `adam_by_hand`; the rate is traced, so another
rate runs the same compiled program.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from statecore.program import Program
from statecore.regression import Data, Params, least_squares, loss

Rule = Callable[[Any], optax.GradientTransformation]
"""Learning rate -> optimizer."""

LEARNING_RATE = 0.1
STEPS = (100, 300, 1_000, 3_000)
"""The run lengths on offer: every length is one more compilation."""
POINTS = 128
START = Params(jnp.float32(-1.0), jnp.float32(3.0))
"""Where every race begins: far from the true line on both axes."""


class State(NamedTuple):
    """All that training has to remember from one step to the next."""

    params: Params
    opt_state: Any


def init(params, rule=optax.adam) -> State:
    # no rule's first state depends on the learning rate
    return State(params, rule(0.0).init(params))


def threaded(rule=optax.adam):
    def update(state, x, y, learning_rate):
        params, opt_state = state
        error, grads = jax.value_and_grad(loss)(
            params, x, y)
        optimizer = rule(learning_rate)
        updates, opt_state = optimizer.update(
            grads, opt_state)
        params = optax.apply_updates(
            params, updates)
        return error, State(params, opt_state)

    return update


def forgetful(rule=optax.adam):
    def update(params, x, y, learning_rate):
        error, grads = jax.value_and_grad(loss)(
            params, x, y)
        optimizer = rule(learning_rate)
        opt_state = optimizer.init(params)
        updates, opt_state = optimizer.update(
            grads, opt_state)
        params = optax.apply_updates(
            params, updates)
        return error, params

    return update


class Trainer:
    """The trainer that keeps params and optimizer state on self; jitted, it never learns."""

    def __init__(self, params, learning_rate, rule=optax.adam):
        self.optimizer = rule(learning_rate)
        self.params = params
        self.opt_state = self.optimizer.init(params)

    def update(self, x, y):
        error, grads = jax.value_and_grad(loss)(
            self.params, x, y)
        updates, self.opt_state = (
            self.optimizer.update(
                grads, self.opt_state))
        self.params = optax.apply_updates(
            self.params, updates)
        return error


def hidden(learning_rate=LEARNING_RATE, rule=optax.adam):
    trainer = Trainer(START, learning_rate, rule)
    return jax.jit(trainer.update)


def broken(rule=optax.adam):
    return jax.jit(forgetful(rule))


def fixed(rule=optax.adam):
    return jax.jit(threaded(rule))


def train_hidden(update, x, y):
    error = update(x, y)
    return error


def train_params(update, params, x, y, learning_rate):
    error, params = update(params, x, y, learning_rate)
    return error, params


def train(update, state, x, y, learning_rate):
    error, state = update(state, x, y, learning_rate)
    return error, state


@cache
def programs() -> Mapping[str, Program]:
    """Adam made anew and Adam threaded as programs on show, on the default data."""
    inputs = (*default_data(), LEARNING_RATE)
    return {
        "broken": Program(broken, train_params, init=lambda: START, inputs=lambda call: inputs),
        "fixed": Program(fixed, train, init=lambda: init(START), inputs=lambda call: inputs),
    }


def sgd(learning_rate):
    return optax.sgd(learning_rate)


def momentum(learning_rate):
    return optax.sgd(learning_rate, momentum=0.9)


RULES: dict[str, Rule] = {"SGD": sgd, "momentum": momentum, "Adam": optax.adam}
"""The rules that race, by the name a reader knows."""


class AdamState(NamedTuple):
    """What Adam remembers.

    `steps` is how many were taken, int32 of shape (); `mean` and `square` are
    running means of the gradient and of its square, trees like the params.
    """

    steps: jax.Array
    mean: Any
    square: Any


def adam_init(params) -> AdamState:
    zeros = jax.tree.map(jnp.zeros_like, params)
    return AdamState(jnp.int32(0), zeros, zeros)


def adam_step(state, grads, learning_rate,
              b1=0.9, b2=0.999, eps=1e-8):
    steps = state.steps + 1
    mean = jax.tree.map(
        lambda m, g: b1 * m + (1 - b1) * g,
        state.mean, grads)
    square = jax.tree.map(
        lambda s, g: b2 * s + (1 - b2) * g**2,
        state.square, grads)
    updates = jax.tree.map(
        lambda m, s: -learning_rate
        * (m / (1 - b1**steps))
        / (jnp.sqrt(s / (1 - b2**steps)) + eps),
        mean, square)
    return updates, AdamState(steps, mean, square)


def adam_by_hand(learning_rate):
    def update(grads, state, params=None):
        return adam_step(state, grads, learning_rate)

    return optax.GradientTransformation(
        adam_init, update)


def make_data(key, offset: float = 2.0, noise: float = 0.5, points: int = POINTS) -> Data:
    """Points around the line 2 x - 1 whose inputs lie around `offset`.

    With offset 0 the loss surface is nearly round. The further the inputs are from
    zero, the more weight and bias can stand in for one another, and the longer and
    narrower the valley. `offset` and `noise` are traced; `points` is a shape.
    """
    x_key, noise_key = jax.random.split(key)
    x = jax.random.normal(x_key, (points, 1)) + offset
    y = 2 * x - 1 + noise * jax.random.normal(noise_key, (points, 1))
    return Data(x, y)


@cache
def default_data() -> Data:
    """The data of the lesson as it opens."""
    return make_data(jax.random.key(42))


def smallest_loss(data: Data) -> float:
    """The loss of the least-squares line: no optimizer gets below it (float32 rounding apart)."""
    best = least_squares(data)
    x, y = (np.asarray(values, np.float64) for values in data)
    return float(np.mean((best.weight * x + best.bias - y) ** 2))


@dataclass(frozen=True)
class Run:
    """A whole run: step k is the state after k updates.

    Attributes:
      states: the states of all steps, a tree like `State` whose every leaf is a
        NumPy array with a first axis of length steps + 1. A forgetful run
        remembers no opt_state: it is () there.
      loss: float32 of shape (steps + 1,); the loss of each step's params.
    """

    states: State
    loss: np.ndarray

    def __len__(self) -> int:
        return len(self.loss)

    def __getitem__(self, step: int) -> State:
        """The state after `step` updates, with which training can go on."""
        return jax.tree.map(lambda column: column[step], self.states)

    @property
    def weight(self) -> np.ndarray:
        return np.asarray(self.states.params.weight)

    @property
    def bias(self) -> np.ndarray:
        return np.asarray(self.states.params.bias)

    @property
    def memory(self) -> dict[str, np.ndarray]:
        """The optimizer's state as float32 columns of shape (steps + 1,), by path, such as `[0].mu.weight`."""
        leaves = jax.tree_util.tree_leaves_with_path(self.states.opt_state)
        return {jax.tree_util.keystr(path): np.asarray(column, np.float32) for path, column in leaves}

    @property
    def first_not_finite(self) -> int | None:
        """The first step whose params or loss are inf or NaN, or None."""
        finite = np.isfinite(self.weight) & np.isfinite(self.bias) & np.isfinite(self.loss)
        return None if finite.all() else int(np.argmin(finite))

    def steps_to(self, target: float) -> int | None:
        """The first step whose loss is at most `target`; None when no step of the run gets there."""
        reached = self.loss <= target
        return int(np.argmax(reached)) if reached.any() else None


def run(
    params: Params,
    data: Data,
    learning_rate: float,
    steps: int,
    rule: Rule = optax.adam,
    forget: bool = False,
) -> Run:
    """Train for `steps` steps in one compiled scan and keep every state, the first included.

    Args:
      steps: one of `STEPS`.
      forget: makes the optimizer's state anew at every step.
    """
    return _run(params if forget else init(params, rule), data, learning_rate, steps, rule, forget)


def resume(
    past: Run,
    step: int,
    data: Data,
    learning_rate: float,
    rule: Rule = optax.adam,
    keep_opt_state: bool = True,
    forget: bool = False,
) -> Run:
    """Keep a run's past up to `step` and train on to its last step.

    Args:
      keep_opt_state: False goes on as from a checkpoint that holds the params only.
      forget: the past is that of a forgetful run, and so is what follows.
    """
    state = past[step]
    if not keep_opt_state:
        state = init(state.params, rule)
    steps = len(past) - 1
    later = _run(state.params if forget else state, data, learning_rate, steps, rule, forget)
    keep = steps + 1 - step
    states = jax.tree.map(
        lambda head, tail: np.concatenate([head[:step], tail[:keep]]), past.states, later.states
    )
    return Run(states, np.concatenate([past.loss[:step], later.loss[:keep]]))


def run_through(
    rates: Sequence[tuple[int, float]],
    data: Data,
    steps: int,
    rule: Rule = optax.adam,
    forget: bool = False,
    keep_opt_state: bool = True,
) -> Run:
    """Train from `START` with a rate that changes on the way.

    Args:
      rates: (from step, rate) pairs in order, the first from step 0.
      steps, rule, forget: as for `run`.
      keep_opt_state: as for `resume`, at every change of the rate.
    """
    (_, first), *later = rates
    done = run(START, data, first, steps, rule, forget)
    for step, rate in later:
        done = resume(done, step, data, rate, rule, keep_opt_state, forget)
    return done


def _run(state, data: Data, learning_rate: float, steps: int, rule: Rule, forget: bool) -> Run:
    if steps not in STEPS:
        raise ValueError(f"steps must be one of {STEPS}, got {steps}")
    states, losses = _scan(state, *data, learning_rate, length=steps + 1, rule=rule, forget=forget)
    states = jax.tree.map(np.asarray, states)
    return Run(State(states, ()) if forget else states, np.asarray(losses))


def _scan_steps(state, x, y, learning_rate, length, rule, forget):
    update = forgetful(rule) if forget else threaded(rule)

    def body(state, _):
        error, new_state = update(state, x, y, learning_rate)
        return new_state, (state, error)

    _, history = jax.lax.scan(body, state, None, length=length)
    return history


_scan = jax.jit(_scan_steps, static_argnames=("length", "rule", "forget"))


@dataclass(frozen=True)
class Surface:
    """The loss on a grid: `loss[i, j]` is that of (weight[j], bias[i]), all float32."""

    weight: np.ndarray
    bias: np.ndarray
    loss: np.ndarray


def surface(data: Data, weight: tuple[float, float], bias: tuple[float, float], points: int = 65) -> Surface:
    """Evaluate the loss on `points` x `points` params between the ends given, for a contour picture."""
    weights, biases = (np.linspace(*ends, points, dtype=np.float32) for ends in (weight, bias))
    return Surface(weights, biases, np.asarray(_losses(weights, biases, *data)))


@jax.jit
def _losses(weights, biases, x, y):
    def at(bias, weight):
        return loss(Params(weight, bias), x, y)

    return jax.vmap(lambda bias: jax.vmap(lambda weight: at(bias, weight))(weights))(biases)


@dataclass(frozen=True)
class Row:
    """One leaf of a state: its path, such as `[0].mu.weight`, its shape, dtype and value."""

    path: str
    shape: tuple[int, ...]
    dtype: str
    value: np.ndarray


def describe(tree: Any) -> tuple[Row, ...]:
    """The leaves of a state in order, as rows; a tree without leaves has none: it remembers nothing."""
    rows = []
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        value = np.asarray(leaf)
        rows.append(Row(jax.tree_util.keystr(path), value.shape, value.dtype.name, value))
    return tuple(rows)
