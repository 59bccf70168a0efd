"""Reused keys against fresh ones, as points."""

import jax
import numpy as np
import pytest

from statecore.randomness import draws


@pytest.mark.parametrize("points", draws.POINTS)
def test_reused_draws_lie_on_a_curve_and_fresh_ones_in_a_cloud(points):
    same, law = (draws.scatter(draw, 1, points) for draw in (draws.same_key, draws.same_key_other_law))
    np.testing.assert_array_equal(same.x, same.y)
    assert same.correlation == pytest.approx(1)
    assert law.rank_correlation == pytest.approx(1)
    assert law.correlation < 0.995
    for draw in (draws.split_keys, draws.folded_keys):
        fresh = draws.scatter(draw, 1, points)
        assert fresh.x.dtype == fresh.y.dtype == np.float32
        assert fresh.x.shape == fresh.y.shape == (points,)
        # four standard deviations of a correlation that is zero
        assert abs(fresh.correlation) < 4 / np.sqrt(points)
        assert abs(fresh.rank_correlation) < 4 / np.sqrt(points)


def test_split_and_fold_in_of_one_key_meet():
    found = draws.scatter(draws.split_and_folded, 0)
    np.testing.assert_array_equal(found.x, found.y)


def test_another_seed_is_not_another_compilation():
    traces = 0

    def counted(key, points):
        nonlocal traces
        traces += 1
        return draws.split_keys(key, points)

    first, second = draws.scatter(counted, 0), draws.scatter(counted, 1)
    assert traces == 1
    assert not np.array_equal(first.x, second.x)


def test_jitted_draws_equal_eager_ones():
    x, y = draws.split_keys(jax.random.key(4), 64)
    found = draws.scatter(draws.split_keys, 4, 64)
    np.testing.assert_allclose(found.x, x, rtol=1e-6)
    np.testing.assert_allclose(found.y, y, rtol=1e-6)
