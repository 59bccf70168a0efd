"""What jit kept: arguments, constants, and what each result is computed from."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from statecore import kept
from statecore.counter import Counter, CounterV2
from statecore.kept import Kept
from statecore.observation import observe
from statecore.reading import jaxprs as reading


def program(function, *args) -> Kept:
    """What jit keeps of a function, traced afresh and observed."""
    seen = observe(jax.jit(lambda *args: function(*args)), *args, watch=(function,))
    assert seen.error is None, seen.error
    return seen.kept


def test_the_impure_counter_keeps_its_number():
    seen = observe(jax.jit(Counter().count)).kept
    assert seen.inputs == ()
    [constant] = seen.constants
    assert (constant.text, constant.origin.name, int(constant.value)) == ("1:i32[]", "self.n", 1)
    assert seen.baked == seen.constants
    assert constant.text in seen.text
    [output] = seen.outputs
    assert output.frozen
    assert int(output.constant) == 1


def test_the_pure_counter_keeps_only_what_is_written_in_the_code():
    seen = program(CounterV2().count, 0)
    assert [name.split(":")[1] for name in seen.inputs] == ["i32[]"]
    assert [constant.text for constant in seen.constants] == ["1:i32[]"]
    assert seen.baked == ()
    assert [output.inputs for output in seen.outputs] == [seen.inputs] * 2
    assert not any(output.frozen for output in seen.outputs)


def test_arguments_are_named_as_printed():
    seen = program(lambda x, n: (x + 1, n), jnp.ones((2, 3)), jnp.int32(0))
    assert [name.split(":")[1] for name in seen.inputs] == ["f32[2,3]", "i32[]"]
    assert all(name in seen.text for name in seen.inputs)


def test_each_output_is_followed_back_to_its_own_inputs():
    captured = jnp.arange(3.0)
    seen = program(lambda a, b, c: (a + b, jnp.sin(c), 5, captured, b), 1.0, 2.0, 3.0)
    a, b, c = seen.inputs
    assert [output.inputs for output in seen.outputs] == [(a, b), (c,), (), (), (b,)]
    assert [output.frozen for output in seen.outputs] == [False, False, True, True, False]
    assert [output.same_as for output in seen.outputs] == [None, None, None, None, b]
    assert int(seen.outputs[2].constant) == 5
    np.testing.assert_array_equal(seen.outputs[3].constant, captured)


def test_an_output_computed_from_constants_alone_is_frozen():
    captured = jnp.arange(3.0)
    [output] = program(lambda x: jnp.sin(captured), 1.0).outputs
    assert output.frozen
    assert output.constant is None  # computed again each time, from what never changes


def test_constants_inside_loops_are_found():
    def run(x):
        return jax.lax.scan(lambda carry, _: (carry * 0.25, None), x, None, length=3)[0]

    seen = program(run, jnp.float32(1))
    assert [constant.text for constant in seen.constants] == ["0.25:f32[]"]
    assert seen.outputs[0].inputs == seen.inputs


def test_a_captured_ref_comes_in_like_an_argument():
    ref = jax.new_ref(jnp.int32(3))

    def count(x):
        ref[...] += 1
        return ref[...] + x

    seen = program(count, 1)
    assert [name.split(":")[1] for name in seen.inputs] == ["Ref{i32[]}", "i32[]"]
    assert seen.outputs[0].inputs == seen.inputs
    assert seen.baked == ()


def test_without_a_witness_nothing_is_said_of_origins():
    count = jax.jit(Counter().count)
    count()
    found = kept.read(count.trace().jaxpr)
    assert [(each.text, each.origin, each.candidates) for each in found.constants] == [("1:i32[]", None, ())]


def test_a_program_is_read_once_and_keeps_what_was_known_of_it():
    counter = Counter()
    count = jax.jit(counter.count)
    first, *later = (observe(count).kept for _ in range(4))
    assert all(each is first for each in later)
    assert first.baked
    assert counter.n == 1
    other = jax.jit(counter.count)  # the bound methods are equal: they share the trace
    assert observe(other).kept is first


def test_an_unreadable_program_is_refused_and_not_told_as_another(monkeypatch):
    monkeypatch.setattr(reading, "text", lambda closed: str(closed).replace("lambda", "function"))
    with pytest.raises(reading.Unreadable):
        observe(jax.jit(lambda x: x + 1), 1.0)
