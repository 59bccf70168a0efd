"""The tree of keys, against the numbers that JAX gives them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statecore.randomness import trees
from statecore.randomness.following import MAX_KEYS
from statecore.randomness.keytree import key_tree
from statecore.randomness.programs import split
from statecore.reading import Unreadable

KEY = jax.random.key(0)


@pytest.mark.parametrize("draws", [1, 5])
def test_a_chain_of_splits_is_deep_and_one_split_is_wide(draws):
    chain = key_tree(lambda key: trees.deep(key, draws), KEY)
    row = key_tree(lambda key: trees.wide(key, draws), KEY)
    folds = key_tree(lambda key: trees.folded(key, draws), KEY)
    assert (chain.depth, chain.width, len(chain.keys)) == (draws, 2, 2 * draws + 1)
    assert (row.depth, row.width, len(row.keys)) == (1, draws, draws + 1)
    assert (folds.depth, len(folds.keys)) == (1, draws + 1)
    assert [tree.reused for tree in (chain, row, folds)] == [()] * 3
    left = [key for key in chain.keys if not key.consumed and not key.children]
    assert [key.made_by for key in left] == ["split 1 of 2"]


def test_every_key_holds_the_numbers_that_jax_gives_it():
    tree = key_tree(lambda key: trees.deep(key, 3), KEY)
    checked = 0
    for key in tree.keys:
        if key.children:
            parent = jax.random.wrap_key_data(jnp.array(key.data, jnp.uint32))
            expected = jax.random.key_data(jax.random.split(parent, len(key.children)))
            assert [tree.keys[child].data for child in key.children] == [tuple(row) for row in expected.tolist()]
            assert all(tree.keys[child].parent == key.index for child in key.children)
            checked += 1
    assert checked == 3
    folds = key_tree(lambda key: trees.folded(key, 3), KEY)
    for number, child in enumerate(folds.keys[1:]):
        assert child.data == tuple(jax.random.key_data(jax.random.fold_in(KEY, number)).tolist())
        assert child.made_by == f"fold_in {number}"


@pytest.mark.parametrize("function", [
    lambda key: trees.deep(key, 4), lambda key: trees.wide(key, 4), lambda key: trees.folded(key, 4),
    lambda key: jax.random.permutation(key, 5),
    lambda key: jax.random.randint(key, (3,), 0, 9),
    lambda key: jax.random.truncated_normal(key, -1.0, 1.0),
    lambda key: jax.vmap(jax.random.normal)(jax.random.split(key, 3)),
    lambda key: jax.vmap(lambda number: jax.random.normal(jax.random.fold_in(key, number)))(jnp.arange(3)),
    lambda key: jax.jit(split)(key)[0],
])
def test_the_followed_run_returns_what_the_function_returns(function):
    tree = key_tree(function, KEY)
    np.testing.assert_allclose(tree.value, function(KEY), rtol=1e-5, atol=1e-6)
    assert any(key.consumed for key in tree.keys)
    assert not tree.reused


def test_reuse_is_seen_in_the_tree_also_where_jax_does_not_look():
    once = key_tree(lambda key: trees.reused(key, 3), KEY)
    assert [[key.used_by for key in same] for same in once.reused] == [[("normal",) * 3]]
    for function in (trees.folded_twice, trees.split_and_folded):
        tree = key_tree(lambda key, function=function: function(key, 2), KEY)
        assert len(tree.reused) == 1
        with jax.debug_key_reuse(True):
            values = function(jax.random.key(0), 2)
        assert values[0] == values[1] == tree.value[0]


def test_keys_made_of_a_seed_are_first_keys_too():
    tree = key_tree(lambda: jax.random.normal(jax.random.key(5)))
    assert [(key.made_by, key.used_by) for key in tree.keys] == [("key", ("normal",))]
    seeds = key_tree(lambda: jax.vmap(lambda seed: jax.random.normal(jax.random.key(seed)))(jnp.arange(2)))
    assert [(key.made_by, key.used_by) for key in seeds.keys] == [("key", ("normal",))] * 2


@pytest.mark.parametrize(("function", "args", "message"), [
    (lambda x: x + 1, (1.0,), "no typed key"),
    (lambda key: jax.random.split(key, MAX_KEYS), (KEY,), "more than 2,048 keys"),
    (lambda key: jax.lax.cond(True, jax.random.normal, lambda key: 0.0, key), (KEY,), "cond are not followed"),
    (lambda x: jax.lax.cond(x > 0, lambda: jax.random.normal(jax.random.key(0)), lambda: x), (1.0,), "cond are not"),
    (lambda key: jax.random.poisson(key, 3.0), (KEY,), "while are not followed"),
    (lambda key: jax.lax.map(jax.random.normal, jax.random.split(key, 2)), (KEY,), "scan are not followed"),
])
def test_what_cannot_be_followed_says_so(function, args, message):
    with pytest.raises(ValueError, match=message):
        key_tree(function, *args)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**31 - 1), ways=st.lists(st.sampled_from(["split", "fold_in", "draw"]), max_size=6))
def test_the_tree_has_the_keys_of_any_sequence_of_splits_folds_and_draws(seed, ways):
    """An oracle in plain calls: each way goes on from the last key that was made."""
    kept = []

    def draw(key, record):
        for way in ways:
            record.append(key)
            if way == "split":
                key, _ = jax.random.split(key)
            elif way == "fold_in":
                key = jax.random.fold_in(key, 3)
            else:
                jax.random.normal(key)
        return jax.random.normal(key)

    tree = key_tree(lambda key: draw(key, []), jax.random.key(seed))
    value = draw(jax.random.key(seed), kept)
    data = {key.data for key in tree.keys}
    assert all(tuple(jax.random.key_data(key).tolist()) in data for key in kept)
    assert len(tree.keys) == 1 + 2 * ways.count("split") + ways.count("fold_in")
    assert sum("split" in key.used_by for key in tree.keys) == ways.count("split")
    np.testing.assert_allclose(tree.value, value, rtol=1e-5)


def test_keys_made_of_keys_in_an_unknown_way_are_unreadable(monkeypatch):
    """Were `random_split` called otherwise, its keys must not be taken for the old ones in another place."""
    monkeypatch.setattr("statecore.reading.lowered.makes_of_keys", lambda equation: "")
    with pytest.raises(Unreadable):
        key_tree(lambda key: trees.wide(key, 3), KEY)
