"""The layer on the stage: leaked, frozen and threaded."""

import jax
import numpy as np
import pytest

from statecore import batchnorm, lockstep
from statecore.program import Program

pytestmark = pytest.mark.promotes_ranks

MEAN, VAR = 3.0, 4.0


def lane(make, caller, order, init=None):
    inputs = batchnorm.stage_inputs(0, MEAN, VAR, 32, order)
    return lockstep.start(Program(make, caller, init, inputs))


def test_trained_first_the_jitted_layer_leaks_and_the_next_evaluation_raises():
    broken = lockstep.go(lane(batchnorm.broken, batchnorm.call, (True, False)), 2)
    assert isinstance(broken.tape[1], jax.errors.UnexpectedTracerError)
    first = lockstep.go(lane(batchnorm.broken, batchnorm.call, (True, False)), 1)
    assert isinstance(first.moment.after["self.mean"], jax.core.Tracer)
    np.testing.assert_allclose(np.mean(first.tape[0]), 0, atol=1e-5)


def test_evaluated_first_the_jitted_layer_is_frozen():
    """The evaluation was compiled with mean 0 and variance 1, and runs on with them."""
    broken = lockstep.go(lane(batchnorm.broken, batchnorm.call, (False, True)), 5)
    inputs = batchnorm.stage_inputs(0, MEAN, VAR, 32, (False, True))
    for k in (1, 3, 5):
        np.testing.assert_allclose(broken.tape[k - 1], inputs(k)[0], rtol=1e-4)
    assert isinstance(broken.moment.after["self.mean"], jax.core.Tracer)
    seen = lockstep.go(lane(batchnorm.broken, batchnorm.call, (False, True)), 1).moment.seen
    assert {constant.origin.name for constant in seen.kept.baked} >= {"self.mean", "self.var"}


def test_each_mode_is_a_program_of_its_own_and_is_shown_as_it_was_read_at_its_trace():
    """Later the leaked statistics could no longer be told as the origin of the constants."""
    steps = [lane(batchnorm.broken, batchnorm.call, (False, True))]
    for _ in range(5):
        steps.append(lockstep.step(steps[-1]))
    evaluated, trained, *later = (step.kept for step in steps[1:])
    assert evaluated.text != trained.text
    assert [each is evaluated for each in later] == [True, False, True]
    assert later[1] is trained
    assert "self.mean" in {constant.origin.name for constant in evaluated.baked}


def test_a_call_that_raises_has_no_program_and_the_next_one_has_its_own_again():
    first = lockstep.step(lane(batchnorm.broken, batchnorm.call, (True, False)))
    second = lockstep.step(first)
    third = lockstep.step(second)
    assert second.kept is None
    assert third.kept is first.kept


@pytest.mark.parametrize("order", [(True, False), (False, True), (True,)])
def test_the_fixed_layer_and_plain_python_agree_in_any_order(order):
    plain = lockstep.go(lane(batchnorm.plain, batchnorm.call, order), 6)
    fixed = lockstep.go(lane(batchnorm.fixed, batchnorm.call_with_state, order, batchnorm.init), 6)
    for mine, theirs in zip(fixed.tape, plain.tape, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(fixed.moment.state.stats.mean, plain.moment.after["self.mean"], rtol=1e-5)
    assert lockstep.go(fixed, 1).moment.seen.traced


@pytest.mark.parametrize("train_first", [True, False])
def test_the_programs_on_show_take_turns(train_first):
    for key, program in batchnorm.by_turns(train_first).items():
        lane = lockstep.go(lockstep.start(program), 2)
        assert [program.inputs(k)[1] for k in (1, 2, 3)] == [train_first, not train_first, train_first]
        raised = isinstance(lane.tape[1], Exception)
        assert raised == (key == "broken" and train_first)


def test_an_empty_order_is_refused():
    with pytest.raises(ValueError, match="order needs"):
        batchnorm.stage_inputs(0, MEAN, VAR, 8, ())
