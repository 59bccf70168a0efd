"""The experiments with keys, and what `jax.debug_key_reuse` sees of them."""

import jax
import numpy as np
import pytest

from statecore.randomness import tries


@pytest.mark.parametrize("program", [
    tries.split_twice, tries.same_seed_elsewhere, tries.old_key_again, tries.unchecked_raw_key, tries.unnoticed_reuse,
    tries.three_of_two,
])  # fmt: skip
def test_these_draw_one_number_again_and_again(program):
    drawn = [float(each) for each in program()]
    assert len(drawn) >= 2
    assert len(set(drawn)) == 1


def test_the_wide_tree_draws_the_same_at_once_as_one_by_one():
    assert tries.draws_at_once()


def test_three_calls_of_a_generator_on_a_ref_give_three_numbers():
    assert len({float(each) for each in tries.generator_on_a_ref()}) == 3


def test_a_generator_on_a_ref_is_refused_under_vmap():
    with pytest.raises(Exception, match="vmapped value on an unbatched array reference"):
        tries.generator_under_vmap()


# --- what the checker sees


def test_the_checker_sees_one_key_used_twice():
    with pytest.raises(jax.errors.KeyReuseError):
        tries.checked_reuse()
    key = jax.random.key(1)
    with jax.debug_key_reuse(True):
        jax.random.normal(key)
        with pytest.raises(jax.errors.KeyReuseError):
            jax.random.normal(key)


def one_seed_in_two_places():
    return [jax.random.normal(jax.random.key(0)) for _ in range(2)]


def one_number_folded_twice():
    key = jax.random.key(0)
    return [jax.random.normal(jax.random.fold_in(key, 3)) for _ in range(2)]


@pytest.mark.parametrize("program", [one_seed_in_two_places, one_number_folded_twice, tries.unnoticed_reuse])
def test_the_checker_misses_these(program):
    with jax.debug_key_reuse(True):
        first, second = program()
    assert float(first) == float(second)


# --- what holds of the generator that JAX comes with


def test_a_threefry_key_is_two_numbers_and_an_rbg_key_four():
    assert jax.random.key_data(jax.random.key(0, impl="threefry2x32")).shape == (2,)
    assert jax.random.key_data(jax.random.key(0, impl="rbg")).shape == (4,)
    assert jax.random.key_impl(jax.random.key(0)) == "threefry2x32"


@pytest.mark.parametrize("partitionable", [True, False])
def test_two_or_three_and_split_and_folded_meet_where_threefry_is_partitionable(partitionable):
    """It is by default; the page says so."""
    assert jax.config.jax_threefry_partitionable
    with jax.threefry_partitionable(partitionable):
        for program in (tries.three_of_two, tries.unnoticed_reuse):
            first, second = np.ravel(program())
            assert (first == second) == partitionable
