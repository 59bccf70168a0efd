"""Keys: hidden, reused, split and folded; and the tree that they make."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from statecore import lockstep
from statecore.randomness import documentation, draws, keytree
from statecore.randomness.keytree import MAX_KEYS, key_tree
from statecore.randomness.programs import Sampler, fold_in, jitted_sampler, programs, reuse, split
from statecore.regression import init, make_data, page_keys, separate_keys

KEY = jax.random.key(0)


def tape(program, calls=3):
    lane = lockstep.go(lockstep.start(program), calls)
    return lane, [float(value) for value in lane.tape]


# --- the programs


def test_numpys_generator_is_asked_once_by_jit():
    lanes = programs(7)["numpy"]
    generator = np.random.default_rng(7)
    _, plain = tape(lanes["plain"])
    assert plain == [generator.normal() for _ in range(3)]
    lane, broken = tape(lanes["broken"])
    assert broken == pytest.approx([plain[0]] * 3)
    assert lane.kept.outputs[0].frozen


def test_a_key_on_self_is_split_once_by_jit_and_then_leaks():
    sampler = Sampler(KEY)
    plain = [float(sampler.sample()) for _ in range(3)]
    assert len(set(plain)) == 3
    sample = jitted_sampler(0)
    assert [float(sample()) for _ in range(3)] == pytest.approx([plain[0]] * 3)
    key = sample.__wrapped__.__self__.key
    assert isinstance(key, jax.core.Tracer)
    with pytest.raises(jax.errors.UnexpectedTracerError):
        jax.random.normal(key)


def test_a_key_on_self_can_be_observed_call_by_call():
    lanes = programs(0)["self"]
    _, plain = tape(lanes["plain"])
    _, broken = tape(lanes["broken"])
    assert broken == pytest.approx([plain[0]] * 3)


def test_a_reused_key_gives_the_same_number_and_a_split_one_does_not():
    lanes = programs(0)["reuse"]
    lane, broken = tape(lanes["broken"])
    assert len(set(broken)) == 1
    assert jax.random.key_data(lane.moment.state).tolist() == [0, 0]
    _, mended = tape(lanes["split"])
    _, folded = tape(lanes["fold_in"])
    assert len(set(mended)) == len(set(folded)) == 3


@pytest.mark.parametrize("mistake", ["numpy", "self", "reuse"])
@pytest.mark.parametrize("fix", ["split", "fold_in"])
def test_a_fix_draws_the_same_under_jit_as_without_it(mistake, fix):
    program = programs(3)[mistake][fix]
    _, jitted = tape(program)
    key, eager = jax.random.key(3), []
    for k in (1, 2, 3):
        if fix == "split":
            value, key = split(key)
        else:
            value = fold_in(key, k)
        eager.append(float(value))
    assert jitted == pytest.approx(eager, rel=1e-6)


@pytest.mark.parametrize("fix", ["split", "fold_in"])
def test_a_fix_is_traced_once_for_every_visitor_and_rewinds(fix):
    for _visitor in range(2):
        lane = lockstep.step(lockstep.start(programs(0)["reuse"][fix]))
        assert lane.moment.seen.traced
        lane = lockstep.go(lane, 4)
        assert not lane.moment.seen.traced
        before = lane.tape
        again = lockstep.go(lockstep.go(lane, 1), 4)
        assert again.tape == before


def test_the_old_key_is_untouched():
    before = jax.random.key_data(KEY).tolist()
    _, after = split(KEY)
    _, same = reuse(KEY)
    assert jax.random.key_data(KEY).tolist() == before == jax.random.key_data(same).tolist()
    assert jax.random.key_data(after).tolist() != before


# --- the key tree


@pytest.mark.parametrize("draws", [1, 5])
def test_a_chain_of_splits_is_deep_and_one_split_is_wide(draws):
    chain = key_tree(lambda key: keytree.deep(key, draws), KEY)
    row = key_tree(lambda key: keytree.wide(key, draws), KEY)
    folds = key_tree(lambda key: keytree.folded(key, draws), KEY)
    assert (chain.depth, chain.width, len(chain.keys)) == (draws, 2, 2 * draws + 1)
    assert (row.depth, row.width, len(row.keys)) == (1, draws, draws + 1)
    assert (folds.depth, len(folds.keys)) == (1, draws + 1)
    assert [tree.reused for tree in (chain, row, folds)] == [()] * 3
    left = [key for key in chain.keys if not key.consumed and not key.children]
    assert [key.made_by for key in left] == ["split 1 of 2"]


def test_every_key_holds_the_numbers_that_jax_gives_it():
    tree = key_tree(lambda key: keytree.deep(key, 3), KEY)
    checked = 0
    for key in tree.keys:
        if key.children:
            parent = jax.random.wrap_key_data(jnp.array(key.data, jnp.uint32))
            expected = jax.random.key_data(jax.random.split(parent, len(key.children)))
            assert [tree.keys[child].data for child in key.children] == [tuple(row) for row in expected.tolist()]
            assert all(tree.keys[child].parent == key.index for child in key.children)
            checked += 1
    assert checked == 3
    folds = key_tree(lambda key: keytree.folded(key, 3), KEY)
    for number, child in enumerate(folds.keys[1:]):
        assert child.data == tuple(jax.random.key_data(jax.random.fold_in(KEY, number)).tolist())
        assert child.made_by == f"fold_in {number}"


@pytest.mark.parametrize("function", [
    lambda key: keytree.deep(key, 4), lambda key: keytree.wide(key, 4), lambda key: keytree.folded(key, 4),
    lambda key: jax.random.permutation(key, 5),
    lambda key: jax.random.randint(key, (3,), 0, 9),
    lambda key: jax.random.truncated_normal(key, -1.0, 1.0),
    lambda key: jax.vmap(jax.random.normal)(jax.random.split(key, 3)),
    lambda key: jax.vmap(lambda number: jax.random.normal(jax.random.fold_in(key, number)))(jnp.arange(3)),
    lambda key: jax.jit(split)(key)[0],
])
def test_the_recorded_run_returns_what_the_function_returns(function):
    tree = key_tree(function, KEY)
    np.testing.assert_allclose(tree.value, function(KEY), rtol=1e-5, atol=1e-6)
    assert any(key.consumed for key in tree.keys)
    assert not tree.reused


def test_a_scan_is_followed_turn_by_turn():
    def scanned(key):
        def body(carry, number):
            key, total = carry
            value, key = split(key)
            return (key, total + value), value * number

        return jax.lax.scan(body, (key, 0.0), jnp.arange(4.0))

    tree = key_tree(scanned, KEY)
    (last, total), values = tree.value
    (expected_last, expected_total), expected = scanned(KEY)
    assert tree.depth == 4
    assert sum("normal" in key.used_by for key in tree.keys) == 4
    np.testing.assert_array_equal(jax.random.key_data(last), jax.random.key_data(expected_last))
    np.testing.assert_allclose(total, expected_total, rtol=1e-5)
    np.testing.assert_allclose(values, expected, rtol=1e-5)


def test_a_backward_scan_takes_its_keys_from_the_end():
    def backward(key):
        return jax.lax.scan(
            lambda total, key: (total + jax.random.normal(key), total), 0.0, jax.random.split(key, 3), reverse=True)

    tree = key_tree(backward, KEY)
    for found, expected in zip(tree.value, backward(KEY), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert not tree.reused


def test_reuse_is_seen_in_the_tree_also_where_jax_does_not_look():
    once = key_tree(lambda key: keytree.reused(key, 3), KEY)
    assert [[key.used_by for key in same] for same in once.reused] == [[("normal",) * 3]]
    for function in (keytree.folded_twice, keytree.split_and_folded):
        tree = key_tree(lambda key, function=function: function(key, 2), KEY)
        assert len(tree.reused) == 1
        with jax.debug_key_reuse(True):
            values = function(jax.random.key(0), 2)
        assert values[0] == values[1] == tree.value[0]


def test_keys_made_of_a_seed_are_first_keys_too():
    tree = key_tree(lambda: jax.random.normal(jax.random.key(5)))
    assert [(key.made_by, key.used_by) for key in tree.keys] == [("key", ("normal",))]
    turns = key_tree(lambda: jax.lax.map(lambda seed: jax.random.normal(jax.random.key(seed)), jnp.arange(2)))
    assert [(key.made_by, key.used_by) for key in turns.keys] == [("key", ("normal",))] * 2


@pytest.mark.parametrize(("function", "args", "message"), [
    (lambda x: x + 1, (1.0,), "no typed key"),
    (lambda key: jax.random.split(key, MAX_KEYS), (KEY,), "more than 2,048 keys"),
    (lambda key: jax.lax.cond(True, jax.random.normal, lambda key: 0.0, key), (KEY,), "cond are not followed"),
    (lambda x: jax.lax.cond(x > 0, lambda: jax.random.normal(jax.random.key(0)), lambda: x), (1.0,), "cond are not"),
    (lambda key: jax.random.poisson(key, 3.0), (KEY,), "while are not followed"),
])
def test_what_cannot_be_followed_says_so(function, args, message):
    with pytest.raises(ValueError, match=message):
        key_tree(function, *args)


# --- the scatter


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


# --- the documentation's regression


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


def test_one_more_split_mends_it():
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
