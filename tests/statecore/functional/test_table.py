"""The table: equal to plain Python call after call, under jit and in a scan, or refused by the right attribute."""

import copy

import jax
import numpy as np
import pytest

from statecore.functional import CannotFunctionalize, functionalize
from tests.statecore.functional.table import ROWS

CALLS = 4
THROUGH = {name: row for name, row in ROWS.items() if row.refused is None}
REFUSED = {name: row for name, row in ROWS.items() if row.refused is not None}


def test_the_table_has_enough_of_both():
    assert len(ROWS) >= 71
    assert len(THROUGH) >= 40
    assert len(REFUSED) >= 25


def plain(row):
    method = row.make()
    return [jax.tree.map(np.array, method(*copy.deepcopy(row.args))) for _ in range(CALLS)]


def assert_equal(got, wanted):
    assert jax.tree.structure(got) == jax.tree.structure(wanted)
    for one, other in zip(jax.tree.leaves(got), jax.tree.leaves(wanted), strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("name", THROUGH)
def test_a_class_that_goes_through_gives_what_python_gives(name):
    row = ROWS[name]
    wanted = plain(row)
    pure, state = functionalize(row.make(), *row.args, static=row.static, verify=2)
    step, current = jax.jit(pure), state
    for k in range(CALLS):
        output, current = step(current, *row.args)
        assert_equal(output, wanted[k])
    after_two = pure(pure(state, *row.args)[1], *row.args)[1]
    assert jax.tree.structure(after_two) == jax.tree.structure(state)


@pytest.mark.parametrize("name", THROUGH)
def test_a_class_that_goes_through_scans(name):
    row = ROWS[name]
    pure, state = functionalize(row.make(), static=row.static)
    # a carry keeps its types, and a Python number has not got its type yet
    _, state = jax.jit(pure)(state, *row.args)
    _, seen = jax.lax.scan(lambda state, _: pure(state, *row.args)[::-1], state, None, length=CALLS - 1)
    wanted = plain(row)[1:]
    assert_equal(seen, jax.tree.map(lambda *each: np.stack(each), *wanted))


@pytest.mark.parametrize("name", REFUSED)
def test_a_class_that_is_refused_is_refused_by_name(name):
    row = ROWS[name]
    with pytest.raises(CannotFunctionalize) as raised:  # noqa: PT012 - refused when made, or when called
        pure, state = functionalize(row.make(), static=row.static)
        jax.jit(pure)(state, *row.args)
    error = raised.value
    assert error.attribute.partition(" ")[0] == row.refused
    assert str(error) == f"{error.attribute} {error.problem}. {error.remedy}"
