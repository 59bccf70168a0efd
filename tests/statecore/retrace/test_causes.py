"""The table of causes: what is done twice, the kind it must give, and the sentence, on JAX as it is installed."""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from statecore.retrace import explain, no_retrace
from statecore.retrace.causes import REMEDIES
from tests.statecore.retrace.retraces import retraced


class State(NamedTuple):
    count: object


class Settings:
    """Compares by identity."""

    def __repr__(self):
        return "Settings()"


def fresh(**options):
    """A wrapper of a new function, so that no trace is shared between tests."""

    def step(x, y=2.0, *, n=1):
        return jax.tree.map(lambda leaf: leaf * 1, x)

    return jax.jit(step, **options)


class Model:
    def step(self, x):
        return x + 1

    def __repr__(self):
        return "Model()"


ZEROS = jnp.zeros(2)
STATIC = {"static_argnames": ("n",)}
ARGUMENTS = {
    "shape": ({}, ((ZEROS,), {}), ((jnp.zeros(3),), {}), "shape", "`x` was float32[2] and is now float32[3]."),
    "shape by path": (
        {},
        ((State({"w": ZEROS}),), {}),
        ((State({"w": jnp.zeros(3)}),), {}),
        "shape",
        "`x.count['w']` was float32[2] and is now float32[3].",
    ),
    "dtype": ({}, ((ZEROS,), {}), ((jnp.zeros(2, int),), {}), "dtype", "`x` was float32[2] and is now int32[2]."),
    "weak type": (
        {},
        ((1.0,), {}),
        ((jnp.float32(1),), {}),
        "weak type",
        "`x` was weakly typed float32[] and is now float32[].",
    ),
    "static value": (STATIC, ((1.0,), {"n": 1}), ((1.0,), {"n": 2}), "static value", "`n` was 1 and is now 2."),
    "new object": (
        STATIC,
        ((1.0,), {"n": Settings()}),
        ((1.0,), {"n": Settings()}),
        "new object",
        "`n` was Settings() and is now Settings().",
    ),
    "key added": (
        {},
        (({"w": 1.0},), {}),
        (({"w": 1.0, "b": 1.0},), {}),
        "structure",
        "`x['b']` was absent and is now weakly typed float32[].",
    ),
    "None becomes an array": (
        {},
        ((State(None),), {}),
        ((State(ZEROS),), {}),
        "structure",
        "`x.count` was None and is now float32[2].",
    ),
    "list for tuple": ({}, (((1.0,),), {}), (([1.0],), {}), "structure", "`x` was (leaf,) and is now [leaf]."),
    "by keyword": (
        {},
        ((1.0, 2.0), {}),
        ((1.0,), {"y": 2.0}),
        "keyword",
        "`y` was passed by position and is now passed by keyword.",
    ),
    "default given": (
        {},
        ((1.0,), {}),
        ((1.0,), {"y": 2.0}),
        "keyword",
        "`y` was passed by its default and is now passed by keyword.",
    ),
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_what_comes_in(name):
    options, before, after, kind, sentence = ARGUMENTS[name]
    step = fresh(**options)
    error = retraced(step, lambda: [step(*args, **kwargs) for args, kwargs in (before, after)])
    assert [cause.kind for cause in error.causes] == [kind]
    assert sentence in str(error)
    assert REMEDIES[kind] in str(error)


@pytest.mark.parametrize("name", ARGUMENTS)
def test_explain_says_the_same_and_also_for_calls_already_made(name):
    options, before, after, kind, sentence = ARGUMENTS[name]
    step = fresh(**options)
    fresh_answer = explain(step, before, after)
    step(*before[0], **before[1])
    step(*after[0], **after[1])
    assert explain(step, before, after) == fresh_answer
    assert [cause.kind for cause in fresh_answer] == [kind]
    assert sentence in str(fresh_answer[0])


def lambdas():
    for _ in range(2):
        jax.jit(lambda x: x + 1)(1.0)


def nested_definitions():
    def train():
        def update(x):
            return x * 2

        return jax.jit(update)(1.0)

    train()
    train()


def added(x):
    return x + 1


def partials():
    for _ in range(2):
        jax.jit(functools.partial(added))(1.0)


MODEL = Model()


def wrapped_again():
    for _ in range(2):
        jax.jit(MODEL.step)(1.0)


def methods_of_new_objects():
    for _ in range(2):
        jax.jit(Model().step)(1.0)


LOOPS = {
    "lambda": (lambdas, lambdas, "new function", "`<lambda>` is a new function object with the same code."),
    "nested": (nested_definitions, nested_definitions, "new function", "`update` is a new function object"),
    "partial": (partials, added, "new function", "`added` is a new function object with the same code."),
    "wrapper thrown away": (wrapped_again, MODEL.step, "new wrapper", "`Model.step` was wrapped by jit again."),
    "new object": (methods_of_new_objects, Model.step, "new object", "Object `self` was Model() and is now Model()."),
}


@pytest.mark.parametrize("name", LOOPS)
def test_what_is_made_again(name):
    run, watched, kind, sentence = LOOPS[name]
    error = retraced(watched, run)
    assert [cause.kind for cause in error.causes] == [kind]
    assert sentence in str(error)


def test_a_setting():
    step = fresh()

    def calls():
        step(1.0)
        with jax.default_matmul_precision("float32"):
            step(1.0)

    error = retraced(step, calls)
    assert [cause.kind for cause in error.causes] == ["configuration"]
    assert "`jax_default_matmul_precision` was None and is now float32." in str(error)


def test_an_emptied_cache_is_not_blamed_on_anything_else():
    step = fresh()
    error = retraced(step, lambda: [step(1.0), step.clear_cache(), step(1.0)])
    assert [cause.kind for cause in error.causes] == ["unseen"]
    assert "The caches may have been cleared" in str(error)


@pytest.mark.parametrize(
    ("before", "after"),
    [(1.0, 2.0), (np.float64(1), np.float32(1)), (np.zeros(2), jnp.zeros(2)), (ZEROS, jnp.ones(2))],
)
def test_what_is_no_cause(before, after):
    step = fresh()
    with no_retrace(step):
        step(before)
        step(after)
    assert explain(step, (before,), (after,)) == ()


def test_the_same_function_wrapped_again_shares_its_trace():
    def doubled(x):
        return x * 2

    with no_retrace(doubled):
        for _ in range(2):
            jax.jit(doubled)(1.0)


def test_the_closest_earlier_trace_is_compared():
    step = fresh()
    nearly, far, now = {"w": ZEROS}, {"w": jnp.zeros(9), "b": ZEROS}, {"w": jnp.zeros(3)}
    error = retraced(step, lambda: [step(nearly, 1.0), step(far, jnp.zeros(9)), step(now, 1.0)], allowed=1)
    assert [(cause.path, cause.before, cause.after) for cause in error.causes] == [
        ("x['w']", "float32[2]", "float32[3]")
    ]
