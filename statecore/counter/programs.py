"""A counter that keeps its state to itself, and one that is handed its state.

Source: "Stateful computations" in the JAX documentation.
"""

from collections.abc import Callable

import jax

from statecore.program import Program

CounterState = int


class Counter:
    """A counter that changes itself. Under `jax.jit` it counts once per trace."""

    n: int

    def __init__(self) -> None:
        self.n = 0

    def count(self) -> int:
        self.n += 1
        return self.n

    def reset(self) -> None:
        self.n = 0


class CounterV2:
    """The same counter with its state as an argument and a result.

    It is pure, so it goes through `jit` and `vmap` as it is; `scan_count`
    shows it as the body of a `scan`.
    """

    def count(
        self, n: CounterState
    ) -> tuple[int, CounterState]:
        return n + 1, n + 1

    def reset(self) -> CounterState:
        return 0


def plain():
    counter = Counter()
    return counter.count


def broken():
    counter = Counter()
    return jax.jit(counter.count)


def fixed():
    counter = CounterV2()
    return jax.jit(counter.count)


def call(count):
    value = count()
    return value


def call_with_state(count, state):
    value, state = count(state)
    return value, state


PROGRAMS = {
    "plain": Program(plain, call),
    "broken": Program(broken, call),
    "fixed": Program(fixed, call_with_state, init=CounterV2().reset),
}
"""The counter three times over: without jit, jitted as it is, and with its state threaded."""


def scan_count(count: Callable, state: CounterState, calls: int):
    """Count `calls` times inside one compiled loop.

    `jax.lax.scan` wants the carry first, `(state, output)`, where a step of the
    general strategy returns `(output, state)`: the two are swapped here.
    Returns `(values, state)`; `values` has shape `(calls,)`.
    """

    def body(state, _):
        value, state = count(state)
        return state, value

    state, values = jax.lax.scan(body, state, None, length=calls)
    return values, state
