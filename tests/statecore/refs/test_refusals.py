"""What Refs refuse: every refusal is real, and every fix gives the right numbers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from statecore.refs import refusals, refused


@pytest.mark.parametrize("refusal", refusals.REFUSALS, ids=lambda refusal: refusal.title)
def test_each_refusal_is_real_and_has_a_fix_that_works(refusal):
    broken = refusals.attempt(refusal.broken)
    assert broken.error is not None
    assert broken.text.startswith(type(broken.error).__name__)
    fixed = refusals.attempt(refusal.fixed)
    assert fixed.error is None, fixed.text


@pytest.mark.parametrize(
    ("program", "error", "message"),
    [
        (refused.returned, ValueError, "mutable array references cannot be returned"),
        (refused.passed_twice, ValueError, "appeared at both"),
        (refused.closed_and_passed, ValueError, "both closed over and passed"),
        (refused.vmapped, Exception, "vmapped value on an unbatched array reference"),
        (refused.used_in_maths, TypeError, "sin"),
        (refused.differentiated, Exception, "differentiated value on a non-differentiated"),
        (refused.wrong_dtype, ValueError, "Invalid dtype"),
        (refused.carried, ValueError, "cannot be returned"),
        (refused.gradient_of_ref, (TypeError, ValueError), "Ref"),
    ],
)
def test_the_errors_are_those_the_lesson_speaks_of(program, error, message):
    with pytest.raises(error, match=message):
        program()


def test_the_fixes_give_the_right_numbers():
    value = {refusal.fixed: refusals.attempt(refusal.fixed).value for refusal in refusals.REFUSALS}
    assert int(value[refused.returned_fixed]) == 4
    assert int(value[refused.passed_twice_fixed]) == int(value[refused.closed_and_passed_fixed]) == 6
    assert value[refused.vmapped_fixed].tolist() == [0, 1, 2]
    assert float(value[refused.used_in_maths_fixed]) == pytest.approx(np.sin(0.5))
    # d (w - 1)^2 / dw = 2 (w - 1) = 4 at w = 3, where the error is 4 too
    assert [float(number) for number in value[refused.differentiated_fixed]] == [4, 4]
    assert float(value[refused.gradient_of_ref_fixed]) == 4
    assert float(value[refused.wrong_dtype_fixed]) == 3.5
    assert value[refused.carried_fixed].tolist() == [4, 5, 6]
    assert int(value[refused.frozen_outside]) == 4


def test_where_jax_names_with_refs_a_second_ref_takes_the_gradient():
    """JAX 0.12 names it in the error and does it; 0.10 does neither."""
    named = "with_refs" in refusals.attempt(refused.gradient_of_ref).text
    assert named == (jax.__version_info__ >= (0, 12))
    if not named:
        return
    w, slope = jax.new_ref(jnp.float32(3)), jax.new_ref(jnp.float32(0))
    _, backward = jax.vjp(lambda w: (w[...] - 1) ** 2, w)
    backward.with_refs(slope)(jnp.float32(1))
    assert float(slope[...]) == 4
