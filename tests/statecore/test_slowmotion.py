"""Tracing in slow motion: the lines in order, the tracers in sight, the equations each line wrote."""

import jax
import jax.numpy as jnp
import optax
import pytest

from statecore.observation import observe

X = jnp.arange(3.0)


def steps(function, *args, watch=()):
    """Each step as its line, counted from the `def`, its tracers and the primitives of its equations."""
    seen = observe(jax.jit(function), *(args or (X,)), watch=watch)
    assert seen.error is None, seen.error
    first = function.__code__.co_firstlineno
    return [
        (step.line[1] - first, dict(step.tracers), [primitive(each) for each in step.equations]) for step in seen.trace
    ]


def primitive(equation: str) -> str:
    """`mul` of `b:f32[] = mul a 2.0:f32[]`."""
    return equation.split("= ")[1].split("[")[0].split()[0]


def test_lines_tracers_and_equations():
    def body(x, n):
        y = x * n
        total = y.sum()
        return jnp.sin(total), y

    x, n = "float32[3]", "~int32[]"
    assert steps(body, X, 2) == [
        (1, {"x": x, "n": n}, ["convert_element_type", "mul"]),
        (2, {"x": x, "n": n, "y": x}, ["reduce_sum"]),
        (3, {"x": x, "n": n, "y": x, "total": "float32[]"}, ["sin"]),
    ]


def test_each_round_of_a_loop_has_its_own_equation():
    def body(x):
        for _ in range(3):
            x = x * 2
        return x

    found = [(line, written) for line, _, written in steps(body)]
    assert found == [(1, []), (2, ["mul"])] * 3 + [(1, []), (3, [])]


def test_a_comprehension_and_a_loop_on_one_line():
    def body(x):
        parts = [jnp.sin(x * k) for k in range(3)]
        return sum(parts)

    written = [(line, each) for line, _, all_ in steps(body) for each in all_]
    assert [each for line, each in written if line == 1] == ["mul", "sin"] * 3
    assert {line for line, _ in written} == {1, 2}


def test_a_statement_of_many_lines():
    def body(x):
        y = (
            jnp.sin(x)
            + jnp.cos(
                x
            )
        )  # fmt: skip
        return y

    written = {each: line for line, _, all_ in steps(body) for each in all_}
    assert (written["sin"], written["cos"]) == (2, 3)
    assert set(written) == {"sin", "cos", "add"}


def test_what_a_helper_writes_counts_for_the_line_that_called_it():
    def helper(x):
        y = jnp.sin(x)
        return jnp.cos(y)

    def fresh():  # or the second would find the trace of the first
        def body(x):
            z = x * 2
            return helper(z)

        return body

    body = fresh()
    assert [(line, written) for line, _, written in steps(body)] == [(1, ["mul"]), (2, ["sin", "cos"])]
    first = helper.__code__.co_firstlineno - body.__code__.co_firstlineno
    watched = [(line, written) for line, _, written in steps(fresh(), watch=(helper,))]
    assert watched == [(1, ["mul"]), (2, []), (first + 1, ["sin"]), (first + 2, ["cos"])]


def test_loops_and_jitted_functions_are_one_equation():
    def body(x):
        y = jax.jit(jnp.cumsum)(x)
        z, _ = jax.lax.scan(lambda carry, _: (carry * 2, None), y, None, length=3)
        return z

    written = [(line, each) for line, _, all_ in steps(body) for each in all_]
    assert written == [(1, written[0][1]), (2, "scan")]


def test_attributes_and_entries_that_hold_tracers_are_in_sight():
    class Total:
        def __init__(self):
            self.total = 0.0

        def add(self, x, params):
            self.total = self.total + x
            return self.total * params["w"]

    [first, second] = observe(jax.jit(Total().add), X, {"w": 1.0}).trace
    assert dict(first.tracers) == {"x": "float32[3]", "params['w']": "~float32[]"}
    assert dict(second.tracers) == {"self.total": "float32[3]", **dict(first.tracers)}


def test_every_equation_of_a_training_step_belongs_to_a_line():
    optimizer = optax.adam(0.1)

    def loss(params, x):
        error = params * x
        return (error**2).sum()

    def update(params, opt_state, x):
        value, grads = jax.value_and_grad(loss)(params, x)
        updates, opt_state = optimizer.update(grads, opt_state, params)
        params = optax.apply_updates(params, updates)
        return params, opt_state, value

    params = jnp.ones(3)
    function = jax.jit(update)
    seen = observe(function, params, optimizer.init(params), X)
    closed = function.trace(params, optimizer.init(params), X).jaxpr
    first = update.__code__.co_firstlineno
    counted = {step.line[1] - first: len(step.equations) for step in seen.trace}
    assert sum(counted.values()) == len(closed.jaxpr.eqns) > 10
    assert counted[2] > counted[3] > 0
    assert counted[1] > 0


@pytest.mark.parametrize("rounds", [400])
def test_a_long_loop_is_followed_to_its_end(rounds):
    def body(x):
        parts = []
        for _ in range(rounds):
            x = x + 1
            parts.append(x)
        return parts

    found = steps(body)
    assert [written for line, _, written in found if line == 3] == [["add"]] * rounds


def test_a_call_that_does_not_trace_has_no_steps():
    function = jax.jit(lambda x: x + 1)
    assert len(observe(function, X).trace) == 1
    assert observe(function, X).trace == ()
