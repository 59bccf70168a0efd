"""Streams of batches: the threaded run against its recursion, the frozen one against its program."""

import jax
import numpy as np
import pytest

from statecore import batchnorm
from statecore.batchnorm import BatchNorm, Stats, layer, streams
from tests.statecore.batchnorm.samples import running

pytestmark = pytest.mark.promotes_ranks

KEY = jax.random.key(42)
MEAN, VAR = 3.0, 4.0


def test_the_history_is_the_recursion_on_its_own_batches():
    history = batchnorm.run(KEY, MEAN, VAR, 8, 50, momentum=0.8)
    assert len(history) == 51
    assert (history.mean[0], history.var[0]) == (0, 1)
    assert np.isnan(history.batch_mean[0])
    np.testing.assert_allclose(
        history.mean[1:], 0.8 * history.mean[:-1] + 0.2 * history.batch_mean[1:], rtol=1e-4, atol=1e-5
    )
    np.testing.assert_allclose(
        history.var[1:], 0.8 * history.var[:-1] + 0.2 * history.batch_var[1:], rtol=1e-4
    )
    for column in vars(history).values():
        assert column.dtype == np.float32
        assert column.shape == (51,)


def test_the_evaluation_output_closes_in_on_the_training_output():
    history = batchnorm.run(KEY, MEAN, VAR, 128, 200)
    assert history.eval_mean[0] == pytest.approx(MEAN, abs=0.2)
    assert history.eval_std[0] == pytest.approx(np.sqrt(VAR), abs=0.2)
    assert abs(history.eval_mean[-1]) < 0.2
    assert abs(history.eval_std[-1] - 1) < 0.1


def test_the_jitted_impure_layer_evaluates_with_its_first_statistics_for_ever():
    frozen = batchnorm.run_frozen(KEY, MEAN, VAR, 32, 50)
    right = batchnorm.run(KEY, MEAN, VAR, 32, 50)
    assert {tuple(column) for column in (frozen.mean, frozen.var)} == {(0.0,) * 51, (1.0,) * 51}
    for mine, its in ((frozen.eval_mean, right.eval_mean), (frozen.eval_std, right.eval_std)):
        np.testing.assert_array_equal(mine, mine[0])
        np.testing.assert_allclose(mine[0], its[0], rtol=1e-5)
        assert its[-1] != its[0]
    with pytest.raises(ValueError, match="steps must be one of"):
        batchnorm.run_frozen(KEY, MEAN, VAR, 32, 51)


@pytest.mark.parametrize("trained", [0, 3])
def test_the_constants_are_those_of_the_moment_of_compilation(trained):
    """A layer that was trained without jit before its evaluation is compiled holds what it had learned by then."""
    samples = [np.asarray(batchnorm.make_batch(jax.random.key(k), MEAN, VAR, 32)) for k in range(trained + 1)]
    twin = BatchNorm()
    for x in samples[:trained]:
        twin.apply(x, train=True)
    compiled = jax.jit(twin.apply, static_argnames="train")
    on_self = Stats(twin.mean, twin.var)
    compiled(samples[-1], train=False)
    twin.apply(samples[-1], train=True)
    held = streams.constants(compiled, on_self, samples[-1])
    mean, var = running(samples[:trained], 0.9) if trained else (np.zeros(1), np.ones(1))
    np.testing.assert_allclose(held.mean, mean, rtol=1e-5)
    np.testing.assert_allclose(held.var, var, rtol=1e-5)
    with pytest.raises(ValueError, match="holds other statistics"):
        streams.constants(compiled, Stats(twin.mean, twin.var), samples[-1])

def test_moving_a_slider_is_not_another_trace(monkeypatch):
    traces, follow = [], layer.follow

    def counted(*args):
        traces.append(args)
        return follow(*args)

    monkeypatch.setattr(layer, "follow", counted)
    batchnorm.run(KEY, MEAN, VAR, 4, 1000)
    assert len(traces) > 0
    first = len(traces)
    batchnorm.run(jax.random.key(1), -1.0, 0.5, 4, 1000, momentum=0.99, correction=1)
    assert len(traces) == first


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"batch": 3}, "batch must be one of"),
        ({"steps": 51}, "steps must be one of"),
        ({"momentum": 1.5}, "momentum must lie within"),
        ({"var": -1.0}, "var must not be negative"),
        ({"var": float("nan")}, "var must not be negative"),
    ],
)
def test_bad_settings_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        batchnorm.run(**({"key": KEY, "mean": MEAN, "var": VAR, "batch": 8, "steps": 50} | change))
