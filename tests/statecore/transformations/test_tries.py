"""The experiments: carries that grow, and state kept on self under scan, vmap and grad."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from statecore.line import Trainer
from statecore.transformations import slope_at, tries
from tests.statecore.transformations.oracle import DATA, START, numpy_path

XS = jnp.array([4.0, 1.0, 2.5, 0.5])


@pytest.mark.parametrize(
    ("broken", "says"), [(tries.growing_history, "shape|types"), (tries.new_key_in_carry, "structure")]
)
def test_a_carry_that_grows_is_refused(broken, says):
    with pytest.raises(TypeError, match=says):
        broken(XS)


def test_the_carries_that_keep_their_shape():
    total, history = tries.stacked_history(XS)
    np.testing.assert_allclose(history, XS)
    assert total == XS.sum()
    state, best = tries.key_from_the_start(XS)
    np.testing.assert_allclose(best, np.maximum.accumulate(XS))
    assert state["best"] == 4.0


def test_scan_runs_a_hidden_update_once():
    trainer = Trainer(START, 0.05)
    losses = tries.scan_hidden(trainer, *DATA, steps=5)
    np.testing.assert_allclose(losses, numpy_path(0.05, 0)[2, 0], rtol=1e-5)
    assert isinstance(trainer.params.weight, jax.core.Tracer)
    with pytest.raises(jax.errors.UnexpectedTracerError):
        tries.scan_hidden(trainer, *DATA, steps=5)


def test_vmap_leaks_from_a_hidden_update():
    trainer = Trainer(START, 0.05)
    losses = tries.vmap_hidden(trainer, *DATA, jnp.array([0.01, 0.05, 0.1]))
    assert losses.shape == (3,)
    assert isinstance(trainer.params.weight, jax.core.Tracer)
    with pytest.raises(jax.errors.UnexpectedTracerError):
        tries.scan_hidden(trainer, *DATA, steps=5)


def test_grad_through_a_hidden_update_is_right_once():
    trainer = Trainer(START, 0.05)
    slope = tries.grad_hidden(trainer, *DATA, 0.05, steps=5)
    np.testing.assert_allclose(slope, slope_at(0.05, START, DATA, 5)[1], rtol=1e-4)
    assert isinstance(trainer.params.weight, jax.core.Tracer)
    with pytest.raises(jax.errors.UnexpectedTracerError):
        tries.grad_hidden(trainer, *DATA, 0.05, steps=5)
