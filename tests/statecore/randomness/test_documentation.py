"""The documentation's regression uses one key twice: its numbers, the error, the fix."""

import jax
import numpy as np
import pytest

from statecore.randomness import documentation
from statecore.randomness.keytree import key_tree
from statecore.regression import init, make_data, page_keys, separate_keys


@pytest.mark.parametrize("seed", [0, 42])
def test_the_documentation_draws_its_weight_and_its_first_input_with_one_key(seed):
    found = documentation.coincidence(page_keys, seed)
    data, params = make_data(jax.random.key(seed)), init(jax.random.key(seed))
    assert found.weight == float(params.weight) == float(data.x[0, 0]) == found.first_x
    assert found.bias == float(params.bias) == found.first_noise
    noise = float((data.y - (2 * data.x - 1))[0, 0]) / 0.5
    assert found.first_noise == pytest.approx(noise, abs=1e-5)
    assert found.same_numbers


def test_its_numbers_are_those_of_the_page():
    found = documentation.coincidence(page_keys, 42)
    assert (found.weight, found.bias) == pytest.approx((0.07592554, 0.60576403), abs=1e-7)


def test_one_more_split_fixes_it():
    found = documentation.coincidence(separate_keys, 42)
    assert not found.same_numbers
    assert found.weight != found.first_x
    assert found.bias != found.first_noise


def test_jax_catches_the_reuse_and_passes_the_fix():
    error = documentation.caught(page_keys, 42)
    assert isinstance(error, jax.errors.KeyReuseError)
    assert "random_split" in str(error)
    assert documentation.caught(separate_keys, 42) is None
    documentation.start(page_keys, 42)  # outside, nothing was switched on


def test_the_tree_of_the_documentation_has_its_keys_twice():
    reused = key_tree(lambda: documentation.start(page_keys, 42)).reused
    assert [[key.used_by for key in same] for same in reused] == [
        [("split", "split")], [("normal",), ("normal",)], [("normal",), ("normal",)],
    ]
    assert not key_tree(lambda: documentation.start(separate_keys, 42)).reused


def test_over_many_seeds_the_reused_key_is_a_line():
    reused, fresh = documentation.starts(page_keys, 400), documentation.starts(separate_keys, 400)
    np.testing.assert_array_equal(reused.weight, reused.first_x)
    assert abs(np.corrcoef(fresh.weight, fresh.first_x)[0, 1]) < 4 / np.sqrt(400)
    assert fresh.weight.dtype == np.float32
    assert len(np.unique(fresh.weight)) == 400
    assert reused.weight[42] == np.float32(documentation.coincidence(page_keys, 42).weight)
