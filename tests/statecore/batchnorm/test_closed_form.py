"""The closed form of the running statistics, against many streams."""

import jax
import numpy as np
import pytest

from statecore import batchnorm

pytestmark = pytest.mark.promotes_ranks

KEY = jax.random.key(42)
MEAN, VAR = 3.0, 4.0


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9, 0.99])
def test_the_start_is_forgotten_after_so_many_batches(momentum):
    batches = batchnorm.batches_to_forget(momentum)
    assert momentum**batches <= 0.01
    assert batches == 1 or momentum ** (batches - 1) > 0.01


@pytest.mark.parametrize("correction", [0, 1])
def test_the_closed_form_is_the_mean_over_many_streams(correction):
    keys = jax.random.split(KEY, 200)
    runs = [batchnorm.run(key, MEAN, VAR, 2, 50, 0.9, correction) for key in keys]
    form = batchnorm.expected(MEAN, VAR, 2, 50, 0.9, correction)
    np.testing.assert_allclose(np.mean([run.mean for run in runs], 0), form.mean, atol=0.15)
    np.testing.assert_allclose(np.mean([run.var for run in runs], 0), form.var, atol=0.5)
    assert form.var[-1] == pytest.approx(VAR * (1 if correction else 0.5), rel=0.02)
