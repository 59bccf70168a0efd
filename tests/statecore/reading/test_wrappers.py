"""One canary for each assumption about JAX's private shapes that the checker makes."""

import jax
import jax.numpy as jnp
import pytest

from statecore.reading import Unreadable
from statecore.reading.wrappers import jitted_again, statics_of, trace_behind


def test_a_jitted_function_shows_its_static_arguments():
    assert statics_of(jax.jit(lambda x, n: x, static_argnames="n")) == ((1,), ("n",))
    assert statics_of(jax.jit(lambda x, n: x, static_argnums=1)) == ((1,), ("n",))
    assert statics_of(jax.jit(lambda x: x)) == ((), ())


def test_jitted_again_it_has_the_same_static_arguments_and_gives_nothing_up():
    wrapper = jax.jit(lambda x, n: x * 2 + jnp.zeros(n), static_argnums=1, donate_argnums=0)
    x = jnp.ones(3)
    again = jitted_again(wrapper, wrapper.__wrapped__)
    assert again(x, 3).tolist() == [2, 2, 2]
    assert not x.is_deleted()


def test_jitted_again_it_has_the_same_shardings():
    place = jax.sharding.SingleDeviceSharding(jax.devices()[0])
    wrapper = jax.jit(lambda x: x * 2, in_shardings=place, out_shardings=place)
    assert jitted_again(wrapper, lambda x: x * 3)(2.0) == 6


def test_the_trace_behind_a_tracer_dies_with_the_trace_unless_a_tracer_is_held():
    traces, held = [], []

    def clean(x):
        traces.append(trace_behind(x))
        return jnp.sin(x) + 1

    def leaking(x):
        held.append(x + 1)
        return clean(x)

    jax.jit(clean).trace(1.0)
    jax.jit(leaking).trace(1.0)
    assert [trace() is None for trace in traces] == [True, False]


def test_what_has_another_shape_is_refused():
    with pytest.raises(Unreadable, match="options"):
        jitted_again(len, len)
    with pytest.raises(Unreadable, match="static"):
        statics_of(len)
    with pytest.raises(Unreadable, match="trace"):
        trace_behind(1.0)
