import jax
import jax.numpy as jnp
import numpy as np
import pytest

from statecore import kept
from statecore.counter import Counter, CounterV2
from statecore.kept import Kept


def program(function, *args, hidden=None) -> Kept:
    """What jit keeps of a function, traced afresh."""
    return kept.read(jax.jit(lambda *args: function(*args)).trace(*args).jaxpr, hidden)


def test_the_impure_counter_keeps_its_number():
    seen = program(Counter().count, hidden={"self.n": 1})
    assert seen.inputs == ()
    [constant] = seen.constants
    assert (constant.text, constant.origin, int(constant.value)) == ("1:i32[]", "self.n", 1)
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


def test_a_header_of_many_lines_is_read_to_its_end():
    seen = program(lambda *args: sum(args), *(jnp.ones((1000, 2)) for _ in range(60)))
    assert len(seen.inputs) == 60
    assert {name.split(":")[1] for name in seen.inputs} == {"f32[1000,2]"}
    assert seen.outputs[0].inputs == tuple(seen.inputs)


def test_each_output_is_followed_back_to_its_own_inputs():
    captured = jnp.arange(3.0)
    seen = program(lambda a, b, c: (a + b, jnp.sin(c), 5, captured, b), 1.0, 2.0, 3.0)
    a, b, c = seen.inputs
    assert [output.inputs for output in seen.outputs] == [(a, b), (c,), (), (), (b,)]
    assert [output.frozen for output in seen.outputs] == [False, False, True, True, False]
    assert int(seen.outputs[2].constant) == 5
    np.testing.assert_array_equal(seen.outputs[3].constant, captured)


def test_an_output_computed_from_constants_alone_is_frozen():
    captured = jnp.arange(3.0)
    [output] = program(lambda x: jnp.sin(captured), 1.0).outputs
    assert output.frozen
    assert output.constant is None  # computed anew each time, from what never changes


def test_constants_inside_loops_are_found():
    class Decay:
        rate = 0.25

    decay = Decay()

    def run(x):
        return jax.lax.scan(lambda carry, _: (carry * decay.rate, None), x, None, length=3)[0]

    seen = program(run, jnp.float32(1), hidden={"self.rate": decay.rate})
    assert [(constant.text, constant.origin) for constant in seen.baked] == [("0.25:f32[]", "self.rate")]
    assert seen.outputs[0].inputs == seen.inputs


def test_a_captured_array_is_named_by_identity_before_equality():
    first, second = jnp.zeros(3), jnp.zeros(3)
    hidden = {"self.first": first, "self.second": second}
    assert [constant.origin for constant in program(lambda: second + 1, hidden=hidden).baked] == ["self.second"]
    assert [constant.origin for constant in program(lambda: first + 1, hidden=hidden).baked] == ["self.first"]


def test_an_equal_copy_is_named_where_nothing_is_identical():
    captured = jnp.arange(3.0)
    hidden = {"self.mean": np.arange(3.0), "self.other": np.ones(3)}  # float64, as NumPy has it
    assert [constant.origin for constant in program(lambda: captured + 1, hidden=hidden).baked] == ["self.mean"]


def test_origins_have_the_path_inside_their_container():
    weight = jnp.arange(2.0)
    hidden = {"self.params": {"layers": [jnp.ones(2), weight]}}
    assert [c.origin for c in program(lambda: weight * 2, hidden=hidden).baked] == ["self.params['layers'][1]"]


@pytest.mark.parametrize(
    ("leaf", "baked"),
    [
        (1, True),
        (np.int64(1), True),
        (2, False),
        (1.5, False),  # cut to a whole number it would be 1
        (1.0, False),
        (2**40 + 1, False),
        (2**100, False),
        (float("nan"), False),
        (1e300, False),
        (np.ones(3, int), False),
        ("1", False),
        (None, False),
    ],
)
def test_only_a_value_that_could_have_become_the_constant_is_its_origin(leaf, baked):
    seen = program(lambda n: n + 1, 0, hidden={"self.leaf": leaf})
    assert [constant.text for constant in seen.constants] == ["1:i32[]"]
    assert bool(seen.baked) is baked


@pytest.mark.parametrize("rate", [0.005, 0.1, 1 / 3, 1e-30, 2])
def test_a_rate_is_found_although_it_was_rounded_to_float32(rate):
    seen = program(lambda x: x * rate, jnp.float32(1), hidden={"self.rate": rate})
    assert [constant.origin for constant in seen.baked] == ["self.rate"]
    assert seen.baked[0].text in seen.text


def test_huge_hidden_numbers_are_no_trouble():
    hidden = {"self.big": 1e300, "self.not_a_number": float("nan"), "self.whole": 10**400}
    assert program(lambda x: x * 0.5, jnp.float32(1), hidden=hidden).baked == ()


def test_a_hidden_tracer_is_left_out():
    leaked = []
    jax.jit(lambda x: leaked.append(x) or x)(1.0)
    assert isinstance(leaked[0], jax.core.Tracer)
    assert program(lambda: 1, hidden={"self.leaked": leaked[0]}).baked == ()


def test_a_captured_random_key_is_named_and_said():
    key, other = jax.random.key(0), jax.random.key(0)
    hidden = {"self.n": 3, "self.other": other, "self.key": key}
    seen = program(lambda: jax.random.normal(key), hidden=hidden)
    [baked] = [constant for constant in seen.baked if constant.value is key]
    assert baked.origin == "self.key"
    assert "key<fry>[]" in baked.text
    assert "keeps a random key in its place" in " ".join(kept.in_words(seen))


def test_a_random_key_that_is_nowhere_to_be_found_has_no_origin():
    key = jax.random.key(0)
    assert program(lambda: jax.random.normal(key), hidden={"self.n": 3, "self.key": jax.random.key(1)}).baked == ()


def test_a_frozen_key_can_be_said():
    key = jax.random.key(0)
    assert "always a random key" in kept.in_words(program(lambda: key))[-1]


def test_functions_that_the_program_shares_are_not_taken_for_it():
    seen = program(jnp.var, jnp.ones((4, 3)))
    assert seen.text.startswith("let")  # or JAX prints it differently now, and this test says nothing
    [name] = seen.inputs
    assert name.endswith(":f32[4,3]")
    assert seen.outputs[0].inputs == (name,)


def test_captured_arrays_keep_their_names_behind_shared_functions():
    data = jnp.arange(12.0).reshape(4, 3)
    seen = program(lambda x: jnp.var(data) + x, jnp.float32(0), hidden={"self.data": data})
    [baked] = seen.baked
    assert (baked.text.split(":")[1], baked.origin) == ("f32[4,3]", "self.data")
    assert [name.split(":")[1] for name in seen.inputs] == ["f32[]"]


def test_reading_runs_no_python_of_the_function():
    impure = Counter()
    count = jax.jit(impure.count)
    count()
    for _ in range(3):
        kept.read(count.trace().jaxpr, {"self.n": impure.n})
    assert impure.n == 1


# --- in words ---------------------------------------------------------------------------------------------


def test_the_impure_counter_in_words():
    words = kept.in_words(program(Counter().count, hidden={"self.n": 1}))
    assert len(words) == 3
    assert "no argument" in words[0]
    assert "`self.n`" in words[1]
    assert "keeps 1" in words[1]
    assert "always 1" in words[2]


def test_the_pure_counter_in_words():
    seen = program(CounterV2().count, 0)
    words = kept.in_words(seen, state=1)
    assert len(words) == 2
    assert words[0].startswith("One argument comes in: the state")
    assert f"`{seen.inputs[0]}`" in words[0]
    assert "Two values go out, the new state among them" in words[1]


def test_state_and_data_are_told_apart():
    seen = program(lambda w, b, x: (w + x, b + x), 1.0, 2.0, 3.0)
    state, rest, out = kept.in_words(seen, state=2)
    assert all(f"`{name}`" in state for name in seen.inputs[:2])
    assert seen.inputs[2] not in state
    assert f"`{seen.inputs[2]}`" in rest
    assert "the new state, computed" in out


def test_without_state_none_is_spoken_of():
    words = " ".join(kept.in_words(program(lambda a, b, c, d, e: a + b, *range(5))))
    assert words.startswith("Five arguments come in")
    assert "One value goes out, computed" in words
    assert "state" not in words


def test_an_array_is_said_by_its_shape_and_a_float_shortly():
    data = jnp.zeros((128, 1))
    hidden = {"self.data": data, "self.rate": 0.1}
    words = " ".join(kept.in_words(program(lambda x: data * 0.1 + x, jnp.float32(1), hidden=hidden)))
    assert "`self.data` was read once, while tracing: the program keeps an array of shape (128, 1)" in words
    assert "keeps 0.1 in its place" in words
