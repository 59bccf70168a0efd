"""The state: a frozen dataclass that JAX knows."""

import copy
import dataclasses
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from statecore.functional import functionalize
from statecore.functional.state import make_state, names_of


def test_a_state_is_a_frozen_dataclass_named_after_its_class():
    state = make_state("Counter", {"n": 1, "items": [2, 3]})
    assert dataclasses.is_dataclass(state)
    assert (state.n, state.items, names_of(state)) == (1, [2, 3], ("items", "n"))
    assert repr(jax.tree.map(lambda leaf: leaf * 10, state)) == "CounterState(items=[20, 30], n=10)"
    paths = [jax.tree_util.keystr(path) for path, _ in jax.tree_util.tree_leaves_with_path(state)]
    assert paths == [".items[0]", ".items[1]", ".n"]
    with pytest.raises(dataclasses.FrozenInstanceError):
        state.n = 2
    with pytest.raises(dataclasses.FrozenInstanceError):
        del state.n
    assert (state.replace(n=5).n, state.n) == (5, 1)


def test_replace_says_which_names_there_are():
    with pytest.raises(AttributeError, match="CounterState has no m; it has n"):
        make_state("Counter", {"n": 1}).replace(m=1)


@pytest.mark.parametrize("copied", [copy.deepcopy, copy.copy, lambda state: pickle.loads(pickle.dumps(state))])
def test_a_state_can_be_copied_and_pickled(copied):
    state = make_state("Layer", {"w": jnp.arange(3.0), "key": jax.random.key(1) if copied is copy.copy else 1})
    again = copied(state)
    assert again == state
    assert type(again) is type(state)
    assert again != state.replace(w=jnp.zeros(3))
    assert state != 1


def test_attributes_may_be_called_as_what_the_state_has_itself():
    state = make_state("Odd", {"replace": 2, "_attributes": 3, "_owner": 4})
    assert (state.replace, state._attributes, state._owner) == (2, 3, 4)
    assert dataclasses.replace(state, replace=5).replace == 5
    assert pickle.loads(pickle.dumps(state)) == state


def test_the_order_of_the_attributes_does_not_matter():
    class Ordered:
        def __init__(self, first):
            for name in ("a", "b") if first else ("b", "a"):
                setattr(self, name, 1)

        def step(self):
            self.a += 1
            return self.b

    one, other = (functionalize(Ordered(first).step)[1] for first in (True, False))
    assert jax.tree.structure(one) == jax.tree.structure(other)
    assert type(one).__name__ == "OrderedState"


def test_a_state_goes_through_jit_scan_vmap_and_grad():
    state = make_state("Walk", {"x": jnp.float32(2.0), "n": 0})

    def step(state, _):
        return state.replace(x=state.x * 2, n=state.n + 1), state.x

    after, seen = jax.jit(lambda state: jax.lax.scan(step, state, None, length=3))(state)
    np.testing.assert_array_equal(seen, [2, 4, 8])
    assert (float(after.x), int(after.n)) == (16, 3)
    many = jax.vmap(lambda x: state.replace(x=x))(jnp.arange(3.0))
    assert many.x.shape == many.n.shape == (3,)
    assert jax.grad(lambda state: state.x**2, allow_int=True)(state).x == 4
