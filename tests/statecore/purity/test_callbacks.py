"""How often a callback really runs: under `grad` it may be dropped, doubled or refused."""

import jax
import jax.numpy as jnp
import pytest
from jax.experimental import io_callback


def scan_with(effect):
    def body(x, _):
        effect()
        return jnp.sin(x), None

    return lambda x: jax.lax.scan(body, x, None, length=5)[0]


def count(function, calls):
    calls.clear()
    jax.block_until_ready(jax.jit(function)(1.0))
    jax.effects_barrier()
    return len(calls)


def test_a_debug_callback_runs_at_every_turn_and_once_in_all_under_grad():
    """jax#16637: it does not depend on the carry, so `grad` moves it out of the loop."""
    calls = []
    run = scan_with(lambda: jax.debug.callback(lambda: calls.append(1)))
    assert count(run, calls) == 5
    assert count(jax.grad(run), calls) == 1


def test_a_debug_callback_runs_twice_where_the_forward_pass_is_computed_twice():
    calls = []

    @jax.checkpoint
    def square(x):
        jax.debug.callback(lambda _: calls.append(1), x)
        return x * x

    assert count(square, calls) == 1
    assert count(jax.grad(square), calls) == 2


def test_an_ordered_io_callback_on_the_carry_runs_at_every_turn_and_is_refused_under_grad():
    calls = []

    def body(x, _):
        io_callback(lambda _: calls.append(1), None, x, ordered=True)
        return jnp.sin(x), None

    def run(x):
        return jax.lax.scan(body, x, None, length=5)[0]

    assert count(run, calls) == 5
    with pytest.raises(ValueError, match="do not support JVP"):
        jax.grad(run)(1.0)


def test_an_ordered_io_callback_on_nothing_is_moved_out_of_the_loop_by_grad_as_well():
    calls = []
    run = scan_with(lambda: io_callback(lambda: calls.append(1), None, ordered=True))
    assert count(run, calls) == 5
    assert count(jax.grad(run), calls) == 1
