"""Where a Ref shows in the program that JAX compiles."""

import jax
import jax.numpy as jnp
import pytest

from statecore.refs import compiled, counters, inside, programs

XS = jnp.asarray(inside.XS)


@pytest.mark.parametrize("name", ["ref", "ref_scan"])
def test_the_ref_is_an_argument_aliased_to_a_result(name):
    count = getattr(programs, name)()
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
    state = (programs.first_state(),)
    assert compiled.read(programs.explicit(), *state).aliases == ()
    donated = compiled.read(programs.donated(), *state)
    assert len(donated.aliases) == 1
    assert donated.stablehlo.marked("argument") == ["%arg0: tensor<i32>"]


def test_the_hidden_counter_has_no_argument_at_all():
    program = compiled.read(programs.hidden())
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


def test_only_the_ref_outside_reaches_the_compiled_programs_boundary():
    outside, within = (compiled.read(jax.jit(adds), XS) for adds in (inside.LeakyTotals().totals, inside.totals))
    assert (outside.arguments, len(outside.aliases)) == (2, 1)
    assert (within.arguments, within.results, within.aliases) == (1, 1, ())
    assert len(within.jaxpr.marked("made")) == 1
    assert "never leaves" in " ".join(compiled.in_words(within))
