"""The experiments with the layer."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from statecore.batchnorm import make_batch, tries
from tests.statecore.batchnorm.samples import running

pytestmark = pytest.mark.promotes_ranks


def test_a_compiled_evaluation_keeps_the_first_statistics_while_training_goes_on():
    probe = jnp.zeros((1, 1))
    samples = [np.asarray(make_batch(jax.random.key(k), 3.0, 4.0, 32)) for k in range(5)]
    frozen, right = (np.ravel(outputs) for outputs in tries.evaluate_while_training(samples, probe))
    np.testing.assert_allclose(frozen, frozen[0], rtol=1e-6)
    np.testing.assert_allclose(frozen[0], right[0], rtol=1e-5)
    assert len(set(np.round(right, 4))) == 5
    means = [running(samples[: k + 1], 0.9) for k in range(5)]
    np.testing.assert_allclose(right, [-(mean / np.sqrt(var + 1e-5))[0] for mean, var in means], rtol=1e-4)
