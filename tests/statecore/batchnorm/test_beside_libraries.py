"""The layer beside those of Flax and Equinox."""

import jax
import numpy as np
import pytest

from statecore import batchnorm
from tests.statecore.batchnorm.samples import batches

pytestmark = pytest.mark.promotes_ranks

KEY = jax.random.key(42)


def ours(samples, momentum, correction=0):
    params, stats = batchnorm.init(samples[0].shape[1])
    for x in samples:
        y, stats = batchnorm.apply(params, stats, x, True, momentum, correction)
    evaluated, _ = batchnorm.apply(params, stats, samples[0], False)
    return y, stats, evaluated


def test_flax_linen_has_this_convention():
    linen = pytest.importorskip("flax.linen")
    samples = batches(4)
    module = linen.BatchNorm(momentum=0.8, epsilon=1e-5)
    variables = module.init(KEY, samples[0], use_running_average=True)
    for x in samples:
        y, changed = module.apply(variables, x, use_running_average=False, mutable=["batch_stats"])
        variables = {**variables, **changed}
    expected, stats, evaluated = ours(samples, 0.8)
    np.testing.assert_allclose(y, expected, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(variables["batch_stats"]["mean"], stats.mean, rtol=1e-4)
    np.testing.assert_allclose(variables["batch_stats"]["var"], stats.var, rtol=1e-3)
    np.testing.assert_allclose(
        module.apply(variables, samples[0], use_running_average=True), evaluated, rtol=1e-3, atol=1e-4
    )


def test_flax_nnx_has_this_convention():
    nnx = pytest.importorskip("flax.nnx")
    samples = batches(4)
    module = nnx.BatchNorm(3, momentum=0.8, epsilon=1e-5, use_running_average=False, rngs=nnx.Rngs(0))
    for x in samples:
        y = module(x)
    expected, stats, evaluated = ours(samples, 0.8)
    np.testing.assert_allclose(y, expected, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(module.mean[...], stats.mean, rtol=1e-4)
    np.testing.assert_allclose(module.var[...], stats.var, rtol=1e-3)
    np.testing.assert_allclose(module(samples[0], use_running_average=True), evaluated, rtol=1e-3, atol=1e-4)


def test_equinox_in_batch_mode_stores_these_statistics():
    """It divides them by 1 - momentum**count when it evaluates, which the lesson does not."""
    equinox = pytest.importorskip("equinox")
    samples = batches(4)
    module, state = equinox.nn.make_with_state(equinox.nn.BatchNorm)(
        3, axis_name="batch", momentum=0.8, eps=1e-5, mode="batch"
    )
    layer = jax.vmap(module, axis_name="batch", in_axes=(0, None), out_axes=(0, None))
    for x in samples:
        y, state = layer(x, state)
    expected, stats, _ = ours(samples, 0.8)
    np.testing.assert_allclose(y, expected, rtol=1e-3, atol=1e-4)
    mean, var = state.get(module.batch_state_index)
    np.testing.assert_allclose(mean, stats.mean, rtol=1e-4)
    np.testing.assert_allclose(var, stats.var, rtol=1e-3)
