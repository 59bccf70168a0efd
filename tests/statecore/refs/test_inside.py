"""A Ref made inside is pure for every caller, and one from outside is not."""

import jax.numpy as jnp
import numpy as np

from statecore.refs import inside

XS = jnp.asarray(inside.XS)


def test_a_ref_inside_is_pure_for_every_caller():
    seen = inside.through_transformations(lambda: inside.totals, XS)
    sums = np.cumsum(inside.XS)
    for name in ("first call", "second call", "jit"):
        np.testing.assert_array_equal(seen[name].value, sums)
    np.testing.assert_array_equal(seen["vmap"].value, [sums, 2 * sums])
    np.testing.assert_array_equal(seen["grad"].value, np.ones(4))


def test_a_ref_outside_is_not():
    seen = inside.through_transformations(lambda: inside.LeakyTotals().totals, XS)
    sums = np.cumsum(inside.XS)
    np.testing.assert_array_equal(seen["first call"].value, sums)
    np.testing.assert_array_equal(seen["second call"].value, sums + 10)
    assert "vmapped value" in seen["vmap"].text
    assert "differentiated value" in seen["grad"].text
