"""Experiments on purity: few lines each, run as they are shown."""

import jax
import jax.numpy as jnp

from statecore.checker import assert_pure, check


def retraced():
    """A frozen global that thaws when an argument of another type comes."""
    rate = {"now": 2}
    scale = jax.jit(lambda x: x * rate["now"])
    outputs = [scale(10)]
    rate["now"] = 3
    outputs.append(scale(10))
    outputs.append(scale(10.0))
    outputs.append(scale(10))
    return outputs


def rows_of_a_batch():
    """How often the body runs for a thousand rows."""
    runs = []

    def square(x):
        runs.append("ran")
        return x * x

    jax.vmap(square)(jnp.arange(1000.0))
    return len(runs)


def calls_of_a_gradient():
    """How often the body runs in five calls: of the gradient, then of the jitted gradient."""
    runs = []

    def square(x):
        runs.append("ran")
        return x * x

    counts = []
    for slope in (jax.grad(square), jax.jit(jax.grad(square))):
        runs.clear()
        for k in range(5):
            slope(float(k))
        counts.append(len(runs))
    return counts


def static_argument():
    """A Python `if` on an argument that is not traced, and how often the body runs."""
    runs = []

    def step(x, training):
        runs.append("ran")
        if training:
            return x + 1
        return x

    jitted = jax.jit(step, static_argnames="training")
    for training in (True, True, False, False, True):
        jitted(1.0, training=training)
    return len(runs)


def in_a_test():
    """What a failing test says."""
    seen = []

    def loss(x):
        seen.append(x)
        return x**2

    try:
        assert_pure(loss, 3.0)
    except AssertionError as failed:
        return str(failed)


def nobody_changed_it():
    """The checker finds no impurity, and names what the program keeps."""
    rate = {"now": 2}

    def scale(x):
        return x * rate["now"]

    report = check(scale, 10)
    jitted = jax.jit(scale)
    outputs = [jitted(10)]
    rate["now"] = 3
    outputs.append(jitted(10))
    return {"no impurity showed": report.pure, "bakes a value in": "bakes" in report.kinds, "jit": outputs}


def caught_in_the_act():
    """JAX's own leak checker stops at the leak."""
    seen = []

    def loss(x):
        seen.append(x)
        return x**2

    with jax.checking_leaks():
        jax.jit(loss)(3.0)
