"""The pure layer against its formula, and its impure twin."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statecore import batchnorm
from statecore.batchnorm import BatchNorm, Params, State, Stats
from tests.statecore.batchnorm.samples import batches, running

pytestmark = pytest.mark.promotes_ranks


@pytest.mark.parametrize("correction", [0, 1])
@pytest.mark.parametrize("momentum", [0.5, 0.9, 0.99])
def test_running_statistics_follow_the_formula(momentum, correction):
    params, stats = batchnorm.init(3)
    samples = batches(6)
    for x in samples:
        _, stats = batchnorm.apply(params, stats, x, True, momentum, correction)
    mean, var = running(samples, momentum, correction)
    np.testing.assert_allclose(stats.mean, mean, rtol=1e-5)
    np.testing.assert_allclose(stats.var, var, rtol=1e-5)


def test_training_normalises_with_the_batch_and_evaluation_with_the_past():
    params = Params(jnp.array([2.0, 1.0, 0.5]), jnp.array([0.0, -1.0, 1.0]))
    stats = Stats(jnp.array([1.0, 2.0, 3.0]), jnp.array([4.0, 1.0, 9.0]))
    (x,) = batches(1)
    trained, new_stats = batchnorm.apply(params, stats, x, train=True)
    normal = (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-5)
    np.testing.assert_allclose(trained, params.scale * normal + params.bias, rtol=1e-4, atol=1e-5)
    evaluated, same = batchnorm.apply(params, stats, x, train=False)
    normal = (x - stats.mean) / np.sqrt(stats.var + 1e-5)
    np.testing.assert_allclose(evaluated, params.scale * normal + params.bias, rtol=1e-4, atol=1e-5)
    assert same is stats
    np.testing.assert_array_equal(stats.mean, [1.0, 2.0, 3.0])
    assert not np.allclose(new_stats.mean, stats.mean)


def test_jit_equals_eager_and_the_unjitted_twin():
    layer, plain = batchnorm.fixed(), BatchNorm(features=3)
    state = batchnorm.init(3)
    samples = batches(4)
    for k, x in enumerate(samples):
        train = k % 2 == 0
        eager, _ = batchnorm.apply(*state, x, train)
        y, state = batchnorm.call_with_state(layer, state, x, train)
        np.testing.assert_allclose(y, eager, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(y, plain.apply(x, train), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(state.stats.mean, plain.mean, rtol=1e-5)
    np.testing.assert_allclose(state.stats.var, plain.var, rtol=1e-5)


def test_the_layer_is_traced_once_for_each_mode():
    traces = []

    def layer(state, x, train):
        traces.append(train)
        y, stats = batchnorm.apply(*state, x, train)
        return y, State(state.params, stats)

    jitted, state = jax.jit(layer, static_argnames="train"), batchnorm.init(3)
    for x in batches(3):
        _, state = jitted(state, x, True)
        _, state = jitted(state, x, False)
    assert traces == [True, False]


def test_evaluating_leaves_the_statistics_as_they_are():
    layer, state = batchnorm.fixed(), batchnorm.init(3)
    for x in batches(3):
        _, state = batchnorm.call_with_state(layer, state, x, True)
    _, after = batchnorm.call_with_state(layer, state, batches(1, seed=9)[0], False)
    np.testing.assert_array_equal(after.stats.mean, state.stats.mean)
    np.testing.assert_array_equal(after.stats.var, state.stats.var)


def test_a_dropped_state_never_learns():
    layer, state = batchnorm.fixed(), batchnorm.init(3)
    for x in batches(5):
        _, state = batchnorm.call_dropping_state(layer, state, x, True)
    np.testing.assert_array_equal(state.stats.mean, 0)
    np.testing.assert_array_equal(state.stats.var, 1)


def test_the_layer_takes_any_number_of_features():
    for features in (1, 5):
        state = batchnorm.init(features)
        y, stats = batchnorm.apply(*state, np.ones((4, features), np.float32), True)
        assert y.shape == (4, features)
        assert stats.mean.shape == (features,)


@settings(max_examples=25, deadline=None)
@given(
    values=st.lists(st.floats(-100, 100, width=32), min_size=8, max_size=8),
    momentum=st.floats(0, 1),
)
def test_a_batch_moves_the_statistics_no_further_than_to_its_own(values, momentum):
    x = np.float32(values).reshape(4, 2)
    params, stats = batchnorm.init(2)
    y, moved = batchnorm.apply(params, stats, x, True, momentum)
    for new, old, own in ((moved.mean, 0, x.mean(0)), (moved.var, 1, x.astype(np.float64).var(0))):
        slack = 1e-3 * (1 + np.abs(own))
        assert (np.minimum(old, own) - slack <= new).all()
        assert (new <= np.maximum(old, own) + slack).all()
    np.testing.assert_allclose(np.mean(y, 0), 0, atol=1e-2)


def test_every_leaf_of_the_first_state_can_be_donated():
    """Two leaves in one buffer would raise "Attempt to donate the same buffer twice"."""
    step = jax.jit(lambda state: jax.tree.map(lambda leaf: leaf + 1, state), donate_argnums=0)
    after = step(batchnorm.init(3))
    assert [leaf.tolist() for leaf in jax.tree.leaves(after)] == [[2] * 3, [1] * 3, [1] * 3, [2] * 3]
