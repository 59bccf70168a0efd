"""The things to try do what the page says of them."""

import jax
import numpy as np
import pytest

from statecore.optimizer import tries


def test_a_jitted_trainer_returns_one_loss_and_without_jit_it_learns():
    assert len({float(loss) for loss in tries.state_on_self()}) == 1
    losses = [float(loss) for loss in tries.state_on_self_without_jit()]
    assert losses == sorted(set(losses), reverse=True)
    assert isinstance(tries.left_on_self(), jax.core.Tracer)


def test_forgetful_steps_are_as_long_as_the_rate():
    steps = tries.length_of_a_step()
    np.testing.assert_allclose(np.abs(steps["forgetful"]), 0.1, rtol=1e-3)
    assert np.abs(steps["threaded"]).max() < 0.05
    assert tries.forgetful_momentum() == 0


def test_half_a_checkpoint_is_another_run():
    loss = tries.checkpoint_without_memory()
    assert loss["loss with it"] == loss["same without interruption"] != loss["without"]


def test_the_sizes_are_those_of_the_formulas():
    params = 784 * 256 + 256
    assert tries.size_of_the_state() == {"params": params, "SGD": 0, "momentum": params, "Adam": 2 * params + 1}


def test_one_state_gives_one_step():
    assert tries.adam_is_a_value()


def test_a_tenth_of_the_rate_is_a_tenth_of_the_step():
    steps = tries.rate_as_state()
    assert float(steps["at 0.1"]) == pytest.approx(10 * float(steps["at 0.01"]), rel=1e-3)
