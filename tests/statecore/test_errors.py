"""What is told of the errors that people really meet."""

import jax
import jax.numpy as jnp
import pytest

from statecore.errors import MOST, first, useful


class Method:
    @jax.jit
    def step(self, x):
        return x


def leak():
    seen = []
    jax.jit(seen.append)(1.0)
    return seen[0] + 1


def reuse():
    with jax.debug_key_reuse(True):
        key = jax.random.key(0)
        return jax.random.normal(key) + jax.random.normal(key)


def donated():
    f = jax.jit(lambda x: x + 1, donate_argnums=0)
    x = jnp.ones(3)
    f(x)
    return x + 1


def donated_twice():
    x = jnp.ones(3)
    return jax.jit(lambda state: (state[0] + 1, state[1] + 1), donate_argnums=0)((x, x))


CASES = {
    "a leaked tracer": (leak, jax.errors.UnexpectedTracerError, "explicitly return their outputs", "checking_leaks"),
    "a Python if": (
        lambda: jax.jit(lambda x: 1 if x > 0 else 2)(1.0),
        jax.errors.TracerBoolConversionError,
        "depends on the value of the argument x",
        "https://docs.jax.dev",
    ),
    "float()": (
        lambda: jax.jit(lambda x: float(x))(1.0),
        jax.errors.ConcretizationTypeError,
        "x.astype(float)",
        "the argument x",
    ),
    "range()": (
        lambda: jax.jit(lambda n: [0 for _ in range(n)])(3),
        jax.errors.TracerIntegerConversionError,
        "__index__",
        "the argument n",
    ),
    "jit on a method": (lambda: Method().step(1.0), TypeError, "at path self", "static_argnums or static_argnames"),
    "a carry of another type": (
        lambda: jax.lax.scan(lambda c, x: (c + x, c), jnp.int32(0), jnp.ones(3)),
        TypeError,
        "carry c has type int32[] but the corresponding output carry component has type float32[]",
        "Revise the function",
    ),
    "a carry of another structure": (
        lambda: jax.lax.scan(lambda c, x: ((c, c), x), 0.0, jnp.ones(3)),
        TypeError,
        "pytree structure",
        "tuple",
    ),
    "a write into an array": (lambda: jnp.zeros(3).__setitem__(0, 1), TypeError, "x = x.at[idx].set(y)", "immutable"),
    "a key used twice": (reuse, jax.errors.KeyReuseError, "Previously-consumed key", "KeyReuseError"),
    "a donated array": (donated, (RuntimeError, ValueError), "deleted", "rray" if False else "eleted"),
    "one buffer donated twice": (donated_twice, Exception, "donate the same buffer twice", "buffer"),
}


def raised(function):
    with pytest.raises(Exception) as failed:  # noqa: PT011  # the case says which
        function()
    return failed.value


@pytest.mark.parametrize("name", CASES)
def test_the_sentence_that_helps_is_there_and_no_frame_is(name):
    function, kind, *sentences = CASES[name]
    error = raised(function)
    assert isinstance(error, kind)
    told = useful(error)
    assert all(sentence in told for sentence in sentences)
    assert "-----" not in told
    assert "stack frames" not in told
    assert not told.endswith(":")
    assert "\n\n" not in told


@pytest.mark.parametrize("name", CASES)
def test_the_first_thing_said_is_one_line_that_announces_nothing(name):
    error = raised(CASES[name][0])
    told = first(error)
    assert told
    assert "\n" not in told
    assert not told.endswith(":")
    assert useful(error).replace("\n", " ").startswith(told)


def test_the_first_line_takes_the_next_with_it_where_it_ends_in_a_colon():
    assert "but the corresponding output carry component" in first(raised(CASES["a carry of another type"][0]))
    announced = ValueError("You have done something like:\n  x = 1\nThat is wrong.")
    assert first(announced) == "You have done something like: x = 1"


def test_a_long_message_ends_with_a_whole_paragraph():
    lines = ["a" * 500, "b" * 500, "You have done something like:", "c" * 300, "d" * 500]
    told = useful(ValueError("\n".join(lines)))
    assert told.split("\n") == lines[:4]
    assert useful(ValueError("e" * (2 * MOST))) == "e" * (2 * MOST)
    lines[2] = "You have" + "!" * 300 + ":"
    assert useful(ValueError("\n".join(lines))).endswith("c")


def test_an_exception_without_a_message():
    assert (useful(ValueError()), first(ValueError())) == ("", "")
