import threading

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from statecore import lockstep
from statecore.refs import compiled, cost, counters, inside, refusals

XS = jnp.asarray(inside.XS)


def tape(program, calls):
    lane = lockstep.start(program)
    for _ in range(calls):
        lane = lockstep.step(lane)
    return lane


def numbers(lane):
    return [np.asarray(value).tolist() for value in lane.tape]


def test_the_ref_counts_under_jit_as_explicit_state_does():
    assert numbers(tape(counters.CALL["hidden"], 4)) == [1, 1, 1, 1]
    for name in ("ref", "explicit"):
        lane = tape(counters.CALL[name], 4)
        assert numbers(lane) == [1, 2, 3, 4]
        assert [moment.seen.traced for moment in lane.moments.branch.states[1:]] == [True, False, False, False]


def test_eager_equals_jit():
    counter = counters.RefCounter()
    assert [int(counter.count()) for _ in range(3)] == numbers(tape(counters.CALL["ref"], 3))


def test_reset_works_on_a_ref_and_not_on_the_hidden_counter():
    assert numbers(tape(counters.RESET["hidden"], 5)) == [1, 1, 1, 1, 1]
    for name in ("ref", "explicit"):
        lane = tape(counters.RESET[name], 5)
        assert numbers(lane) == [1, 2, 3, 1, 2]
        # call 4 is another program; call 5 is the first one again, which jit still has
        traced = [moment.seen.traced for moment in lane.moments.branch.states[1:]]
        assert traced == [True, False, False, True, False]


def test_scan_counts_on_where_the_last_one_ended():
    assert numbers(tape(counters.SCAN["hidden"], 2)) == [[1] * 5, [1] * 5]
    for name in ("ref", "explicit"):
        assert numbers(tape(counters.SCAN[name], 2)) == [[1, 2, 3, 4, 5], [6, 7, 8, 9, 10]]


def test_what_is_written_into_the_ref_is_seen_and_a_new_ref_is_not():
    assert counters.hidden_set() == [1, 1, 1]
    assert counters.ref_set() == [1, 2, 101]
    assert counters.ref_replaced() == [1, 2, 3]


def test_a_ref_holds_only_the_present():
    assert counters.old_ref() == 1
    assert counters.old_state() == 0


@pytest.mark.parametrize("name", ["ref", "ref_scan"])
def test_the_ref_is_an_argument_aliased_to_a_result(name):
    count = getattr(counters, name)()
    count()
    program = compiled.read(count)
    assert (program.arguments, program.results) == (1, 2)
    assert program.aliases == (compiled.Alias(argument=0, result=1),)
    assert program.jaxpr.marked("ref") == ["a:Ref{i32[]}"]
    assert len(program.jaxpr.marked("read")) == 2
    assert len(program.jaxpr.marked("write")) == 1
    assert program.stablehlo.marked("argument") == ["%arg0: tensor<i32>"]
    assert program.stablehlo.marked("alias") == ["tf.aliasing_output = 1 : i32"]
    kind, value = program.stablehlo.marked("result")
    assert kind == "tensor<i32>"
    assert value.startswith("%")
    assert program.hlo.marked("alias") == ["{1}: (0, {}, may-alias)"]
    assert "Argument 0 and result 1 share one buffer" in " ".join(compiled.in_words(program))


def test_reading_the_program_moves_no_ref():
    counter = counters.RefCounter()
    count = jax.jit(counter.count)
    compiled.read(count)
    assert int(counter.n[...]) == 0
    assert int(count()) == 1


def test_donated_explicit_state_compiles_to_the_same_sharing():
    state = (counters.first_state(),)
    assert compiled.read(counters.explicit(), *state).aliases == ()
    donated = compiled.read(counters.donated(), *state)
    assert len(donated.aliases) == 1
    assert donated.stablehlo.marked("argument") == ["%arg0: tensor<i32>"]


def test_the_hidden_counter_has_no_argument_at_all():
    program = compiled.read(counters.hidden())
    assert (program.arguments, program.results, program.aliases) == (0, 1, ())
    assert program.jaxpr.marks == ()


def test_a_second_ref_is_found_at_its_own_place():
    first, second = jax.new_ref(jnp.zeros(3)), jax.new_ref(jnp.int32(0))

    def both(x):
        first[...] += x
        second[...] += 1
        return x * 2, second[...]

    program = compiled.read(jax.jit(both), jnp.ones(3))
    assert (program.arguments, program.results) == (3, 4)
    assert set(program.aliases) == {compiled.Alias(1, 2), compiled.Alias(2, 3)}
    assert program.stablehlo.marked("argument") == ["%arg1: tensor<3xf32>", "%arg2: tensor<i32>"]


def test_a_single_result_is_read_too():
    ref = jax.new_ref(jnp.float32(0))

    def put(x):
        ref[...] = x

    program = compiled.read(jax.jit(put), jnp.float32(1))
    assert program.results == 1
    assert [alias.result for alias in program.aliases] == [0]


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
        (refusals.returned, ValueError, "mutable array references cannot be returned"),
        (refusals.passed_twice, ValueError, "appeared at both"),
        (refusals.closed_and_passed, ValueError, "both closed over and passed"),
        (refusals.vmapped, Exception, "vmapped value on an unbatched array reference"),
        (refusals.used_in_maths, TypeError, "sin"),
        (refusals.differentiated, Exception, "differentiated value on a non-differentiated"),
        (refusals.wrong_dtype, ValueError, "Invalid dtype"),
        (refusals.carried, ValueError, "cannot be returned"),
        (refusals.gradient_of_ref, (TypeError, ValueError), "Ref"),
    ],
)
def test_the_errors_are_those_the_lesson_speaks_of(program, error, message):
    with pytest.raises(error, match=message):
        program()


def test_the_fixes_give_the_right_numbers():
    value = {refusal.fixed: refusals.attempt(refusal.fixed).value for refusal in refusals.REFUSALS}
    assert int(value[refusals.returned_fixed]) == 4
    assert int(value[refusals.passed_twice_fixed]) == int(value[refusals.closed_and_passed_fixed]) == 6
    assert value[refusals.vmapped_fixed].tolist() == [0, 1, 2]
    assert float(value[refusals.used_in_maths_fixed]) == pytest.approx(np.sin(0.5))
    # d (w - 1)^2 / dw = 2 (w - 1) = 4 at w = 3, where the error is 4 too
    assert [float(number) for number in value[refusals.differentiated_fixed]] == [4, 4]
    assert float(value[refusals.gradient_of_ref_fixed]) == 4
    assert float(value[refusals.wrong_dtype_fixed]) == 3.5
    assert value[refusals.carried_fixed].tolist() == [4, 5, 6]
    assert int(value[refusals.frozen_outside]) == 4


def test_a_ref_inside_is_pure_for_every_caller():
    seen = inside.through_transformations(lambda: inside.totals, XS)
    sums = np.cumsum(inside.XS)
    for name in ("first call", "second call", "jit"):
        np.testing.assert_array_equal(seen[name].value, sums)
    np.testing.assert_array_equal(seen["vmap"].value, [sums, 2 * sums])
    np.testing.assert_array_equal(seen["grad"].value, np.ones(4))
    np.testing.assert_array_equal(inside.totals_without_ref(XS), sums)


def test_a_ref_outside_is_not():
    seen = inside.through_transformations(lambda: inside.LeakyTotals().totals, XS)
    sums = np.cumsum(inside.XS)
    np.testing.assert_array_equal(seen["first call"].value, sums)
    np.testing.assert_array_equal(seen["second call"].value, sums + 10)
    assert "vmapped value" in seen["vmap"].text
    assert "differentiated value" in seen["grad"].text


def test_in_lockstep_only_the_ref_outside_drifts():
    assert [value[-1] for value in numbers(tape(inside.PROGRAMS["outside"], 3))] == [10, 20, 30]
    assert [value[-1] for value in numbers(tape(inside.PROGRAMS["inside"], 3))] == [10, 10, 10]


def test_only_the_ref_outside_reaches_the_compiled_programs_boundary():
    outside, within = (compiled.read(make(), XS) for make in (inside.ref_outside, inside.ref_inside))
    assert (outside.arguments, len(outside.aliases)) == (2, 1)
    assert (within.arguments, within.results, within.aliases) == (1, 1, ())
    assert len(within.jaxpr.marked("made")) == 1
    assert "never leaves" in " ".join(compiled.in_words(within))


def test_the_cost_is_measured_with_progress():
    steps = list(cost.measure(calls=50, batches=2))
    assert [step.done for step in steps] == list(range(1, 9))
    last = steps[-1]
    assert all(len(timing.microseconds) == 2 and timing.median > 0 for timing in last.timings)
    assert last.timings[0].microseconds.dtype == np.float32
    assert np.isnan(steps[0]["Ref scan"].median)
    assert last.ratio() == pytest.approx(last["Ref call"].median / last["explicit call"].median)
    assert last["explicit scan"].median < last["explicit call"].median


def test_the_timed_loops_count_right():
    assert int(cost.count_with_state(counters.explicit(), counters.first_state(), 7)) == 7
    assert int(cost.count_with_ref(counters.ref(), 7)) == 7


@pytest.mark.parametrize("wrong", [{"calls": 0}, {"calls": cost.MAX_CALLS + 1}, {"batches": 0}])
def test_a_measurement_out_of_range_is_refused(wrong):
    with pytest.raises(ValueError, match="batches"):
        next(cost.measure(**wrong))


def test_with_the_lock_no_call_is_lost():
    result = counters.race(threads=4, calls=100)
    assert result == counters.Race(400, 400, {})


def test_without_the_lock_every_call_either_counts_or_fails():
    result = counters.race(threads=2, calls=50, locked=False)
    assert result.counted <= result.calls
    assert result.counted + sum(result.errors.values()) >= result.counted


def test_functions_on_one_lock_never_run_together():
    lock, inside_now, most = threading.Lock(), [0], [0]

    def body():
        inside_now[0] += 1
        most[0] = max(most[0], inside_now[0])
        threading.Event().wait(0.002)
        inside_now[0] -= 1

    pair = [counters.one_at_a_time(body, lock) for _ in range(2)]
    workers = [threading.Thread(target=pair[index % 2]) for index in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert most == [1]


def test_a_race_out_of_range_is_refused():
    with pytest.raises(ValueError, match="threads"):
        counters.race(threads=0)
