"""Adam by hand, against optax's."""

import jax
import jax.numpy as jnp
import numpy as np
import optax

from statecore import optimizer


def test_one_step_of_adam_by_hand_equals_optax_on_any_tree():
    params = {"w": jnp.arange(6.0).reshape(2, 3), "b": jnp.ones(3)}
    grads = jax.tree.map(lambda leaf: leaf - 1.5, params)
    theirs, mine = optax.adam(0.02), optimizer.adam_init(params)
    their_state = theirs.init(params)
    for _ in range(3):
        updates, mine = optimizer.adam_step(mine, grads, 0.02)
        expected, their_state = theirs.update(grads, their_state)
        for leaf, other in zip(jax.tree.leaves(updates), jax.tree.leaves(expected), strict=True):
            np.testing.assert_allclose(leaf, other, rtol=1e-5)
    assert int(mine.steps) == 3


def test_the_first_state_is_zeros_and_no_leaf_is_another_one():
    params = {"w": jnp.ones((2, 3)), "b": jnp.ones(3)}
    leaves = jax.tree.leaves(optimizer.adam_init(params))
    assert [leaf.shape for leaf in leaves] == [(), (3,), (2, 3), (3,), (2, 3)]
    assert not any(leaf.any() for leaf in leaves)
    assert len({leaf.unsafe_buffer_pointer() for leaf in leaves}) == len(leaves)


def test_adam_remembers_two_numbers_for_each_param():
    params = {"kernel": jnp.zeros((784, 256)), "bias": jnp.zeros(256)}
    size = sum(leaf.nbytes for leaf in jax.tree.leaves(params))
    for state in (optax.adam(0.1).init(params), optimizer.adam_init(params)):
        assert sum(leaf.nbytes for leaf in jax.tree.leaves(state)) == 2 * size + 4
