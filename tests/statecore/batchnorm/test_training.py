"""One step that learns the params and follows the statistics."""

import jax
import numpy as np
import pytest

from statecore import batchnorm
from tests.statecore.batchnorm.samples import batches

pytestmark = pytest.mark.promotes_ranks


def test_grad_gives_the_statistics_out_as_aux():
    state = batchnorm.init(3)
    (x,) = batches(1)
    target = 2 * np.asarray(batchnorm.apply(*state, x, True)[0]) + 1
    expected_stats = batchnorm.apply(*state, x, True)[1]
    jitted = jax.jit(batchnorm.update)
    error, state = jitted(state, x, target, 0.1)
    np.testing.assert_allclose(error, 2.0, rtol=1e-4)  # mean of (normal + 1)²
    np.testing.assert_allclose(state.stats.mean, expected_stats.mean, rtol=1e-5)
    for _ in range(200):
        error, state = jitted(state, x, target, 0.1)
    assert error < 1e-4
    np.testing.assert_allclose(state.params.scale, 2, rtol=1e-2)
    np.testing.assert_allclose(state.params.bias, 1, rtol=1e-2)
