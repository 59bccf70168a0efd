"""An attempt gives a value or an error, and the lines that ran."""

import jax.numpy as jnp
import pytest

from statecore.attempt import attempt
from tests.helpers import body_lines


def test_a_value():
    def double(x, *, by=2):
        return x * by

    found = attempt(double, jnp.float32(3), by=3)
    assert (float(found.value), found.error, found.outcome is found.value) == (9.0, None, True)
    assert found.ran == body_lines(double)


def test_an_error_has_no_traceback_that_would_hold_frames():
    def fails(x):
        before = x
        raise ValueError(f"no {before}")

    found = attempt(fails, 3)
    assert (found.value, str(found.error), found.outcome is found.error) == (None, "no 3", True)
    assert found.error.__traceback__ is None
    assert found.ran == body_lines(fails)


def test_what_is_watched_is_seen_as_well():
    def helper(x):
        return x + 1

    assert attempt(lambda: helper(1)).ran.isdisjoint(body_lines(helper))
    assert attempt(lambda: helper(1), watch=(helper,)).ran >= body_lines(helper)


def test_an_interrupt_is_not_an_outcome():
    def stopped():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        attempt(stopped)
