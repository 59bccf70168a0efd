"""What was observed, in sentences: each says what is known, and no more."""

import jax
import jax.numpy as jnp

from statecore.counter import Counter, CounterV2
from statecore.observation import observe
from stateui import words


def told(function, *args, state=0) -> list[str]:
    seen = observe(jax.jit(function), *args)
    assert seen.error is None, seen.error
    return words.program(seen.kept, state)


class Model:
    def __init__(self):
        self.rate, self.same = 0.1, 3.0
        self.data = jnp.zeros((128, 1))
        self.key = jax.random.key(0)

    def scaled(self, x):
        return self.data * self.rate + x

    def random(self):
        return self.key

    def unsure(self, x):
        str(self.same)
        return x * (1.5 + 1.5 * x.ndim)

    def later(self, x):
        self.rate = 0.5
        return x * self.rate


def test_the_impure_counter_in_words():
    assert told(Counter().count) == [
        "Nothing comes in: the program has no argument.",
        "`self.n` was read while tracing when it was 0, and then set to 1. The program keeps 1 in its place.",
        "What goes out is always 1: no argument reaches it.",
    ]


def test_the_pure_counter_in_words():
    assert told(CounterV2().count, 0, state=1) == [
        "One argument comes in: the state, `a:i32[]`.",
        "Two values go out, the new state among them, computed from what came in.",
    ]


def test_state_and_data_are_told_apart():
    state, rest, out = told(lambda w, b, x: (w + x, b + x), 1.0, 2.0, 3.0, state=2)
    assert state == "Two arguments come in: the state, `a:f32[]`, `b:f32[]`."
    assert rest == "One argument comes in, `c:f32[]`."
    assert out == "Two values go out, the new state, computed from what came in."


def test_a_state_that_goes_out_as_it_came_in_is_not_called_new():
    assert "the state among them, which goes out as it came in" in told(lambda key, x: (x + 1, key), 1, 2, state=1)[-1]


def test_without_state_none_is_spoken_of():
    [comes, goes] = told(lambda a, b, c, d, e: a + b, *range(5))
    assert comes.startswith("Five arguments come in")
    assert goes == "One value goes out, computed from what came in."


def test_an_array_is_said_by_its_shape_and_a_float_shortly():
    found = told(Model().scaled, jnp.float32(1))
    array = "The program keeps an array of shape (128, 1) in its place."
    assert f"`self.data` was read once, while tracing. {array}" in found
    assert "`self.rate` was read once, while tracing. The program keeps 0.1 in its place." in found


def test_a_key_is_not_printed():
    found = told(Model().random)
    assert "`self.key` was read once, while tracing. The program keeps a random key in its place." in found
    assert found[-1].startswith("What goes out is always a random key")


def test_what_is_not_certain_is_said_as_such():
    found = told(Model().unsure, jnp.ones(3))
    assert "The program keeps 3. That may be a value that was read while tracing: `self.same`." in found


def test_what_was_written_first_has_no_earlier_value():
    assert "`self.rate` was read while tracing. The program keeps 0.5 in its place." in told(Model().later, 1.0)


def test_one_sentence_for_a_variable_that_changed_while_tracing():
    class Loop:
        k = 2.0

        def run(self, x):
            for _ in range(2):
                x = x * self.k
                self.k += 1
            return x

    about = [sentence for sentence in told(Loop().run, 1.0) if "self.k" in sentence]
    assert len(about) == 1
    assert "2 and 3" in about[0]
