"""One canary for each assumption about JAX's inside and its words, and a refusal for each that does not hold."""

import logging
import sys

import jax
import jax.numpy as jnp
import pytest
from jax._src import pjit

from statecore.reading import Unreadable
from statecore.reading import traces as reading


def frames_of_tracing(run):
    code, calls = reading.tracing_code(), []

    def hook(frame, event, _arg):
        if event == "call" and frame.f_code is code:
            calls.append(reading.jit_call(frame))

    before = sys.getprofile()
    sys.setprofile(hook)
    try:
        run()
    finally:
        sys.setprofile(before)
    return calls


def test_jit_traces_in_the_code_we_know_and_a_cached_call_does_not():
    def step(x, *, y):
        return x

    wrapper, x = jax.jit(step), jnp.zeros(3)
    (call,) = frames_of_tracing(lambda: wrapper(x, y=2))
    assert (call.function, call.kwargs) == (step, {"y": 2})
    assert call.args[0] is x
    assert frames_of_tracing(lambda: wrapper(x, y=2)) == []


def test_another_inside_is_refused(monkeypatch):
    monkeypatch.delattr(pjit, "_trace_for_jit")
    with pytest.raises(Unreadable, match="_trace_for_jit"):
        reading.tracing_code()
    with pytest.raises(Unreadable, match="`fun`"):
        reading.jit_call(sys._getframe())


def test_whether_a_wrapper_was_called():
    wrapper = jax.jit(lambda x: x)
    assert reading.was_called(wrapper) is False
    wrapper(1.0)
    assert reading.was_called(wrapper) is True
    assert reading.was_called(lambda x: x) is None


def test_jax_explains_a_miss_on_the_logger_and_in_the_words_we_know():
    messages = []

    def keep(record):
        messages.append(record.getMessage())
        return False

    wrapper = jax.jit(lambda x: x)
    wrapper(jnp.zeros(2))
    logger = logging.getLogger(reading.EXPLAINS)
    logger.addFilter(keep)
    try:
        with jax.explain_cache_misses(True):
            wrapper(jnp.zeros(3))
    finally:
        logger.removeFilter(keep)
    reasons = [reading.explanation(message) for message in messages]
    assert any(reason and "at x, now f32[3] and before f32[2]" in reason for reason in reasons)


def test_other_words_are_refused_or_left_alone():
    assert reading.explanation("Finished tracing") is None
    with pytest.raises(Unreadable, match="no reason"):
        reading.explanation("TRACING CACHE MISS, and nothing else")
