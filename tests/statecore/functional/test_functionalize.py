"""Any method made pure: equal to itself, and refused where it would not be."""

import threading
from functools import cached_property, partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from statecore.counter import Counter
from statecore.functional import CannotFunctionalize, functionalize, unguarded
from statecore.functional.state import names_of
from statecore.strategy.pairs import PAIRS
from statecore.strategy.refusals import REFUSALS

by_name = {pair.name: pair for pair in PAIRS}
every_pair = pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)
every_refusal = pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.name)


# --- functionalize


def test_a_counter_counts_under_jit_and_the_object_is_only_read():
    counter = Counter()
    pure, state = functionalize(counter.count)
    step = jax.jit(pure)
    values, current = [], state
    for _ in range(3):
        value, current = step(current)
        values.append(int(value))
    assert values == [1, 2, 3]
    assert (counter.n, state.n, int(current.n)) == (0, 0, 3)


def test_a_moved_value_does_not_trace_again():
    traces = 0

    class Counted(Counter):
        def count(self):
            nonlocal traces
            traces += 1
            return super().count()

    pure, state = functionalize(Counted().count)
    step = jax.jit(pure)
    assert [int(step(state.replace(n=n))[0]) for n in (0, 5, 41)] == [1, 6, 42]
    assert traces == 1


def test_the_old_state_keeps_its_lists_and_arrays():
    class Totals:
        def __init__(self):
            self.totals = [0, 0]
            self.array = np.zeros(2, np.float32)

        def add(self, x):
            self.totals[0] += x
            self.array += x
            return self.totals

    totals = Totals()
    pure, state = functionalize(totals.add)
    output, after = pure(state, 3)
    output[0] = 100
    assert (state.totals, after.totals, totals.totals) == ([0, 0], [3, 0], [0, 0])
    np.testing.assert_array_equal(after.array, [3, 3])
    np.testing.assert_array_equal(totals.array, [0, 0])


def test_a_numpy_array_cannot_be_changed_in_place():
    class InPlace:
        def __init__(self):
            self.array = np.zeros(2, np.float32)

        def add(self):
            self.array[0] += 1

    pure, state = functionalize(InPlace().add)
    with pytest.raises(CannotFunctionalize, match=r"self\.array = self\.array\.at"):
        pure(state)


def test_what_python_allows_goes_through():
    class Base:
        unit = "metres"

        def __init__(self):
            self._n = 0
            self.name = "counter"
            self.scale = {"by": 2.0}
            self.activate = jax.nn.relu
            self.partial = partial(jnp.add, 1)

        @property
        def n(self):
            return self._n

        @n.setter
        def n(self, value):
            self._n = value

    class Child(Base):
        def __setattr__(self, name, value):
            super().__setattr__(name, value)

        def count(self, by=1):
            self.n += by
            return self.activate(self.partial(self.n * self.scale["by"]))

    method = Child().count
    pure, state = functionalize(method)
    step, values = jax.jit(pure), []
    for _ in range(3):
        value, state = step(state, by=2)
        values.append(float(value))
    assert values == [float(method(by=2)) for _ in range(3)] == [5.0, 9.0, 13.0]
    assert set(names_of(state)) == {"_n", "scale"}


def test_static_attributes_stay_python_values():
    class Repeated:
        def __init__(self):
            self.n, self.times, self.training = 0, 3, True

        def count(self):
            if self.training:
                for _ in range(self.times):
                    self.n += 1
            return self.n

    pure, state = functionalize(Repeated().count, static=("times", "training"))
    value, after = jax.jit(pure)(state)
    assert int(value) == 3
    assert names_of(after) == ("n",)
    with pytest.raises(CannotFunctionalize, match="not an attribute"):
        functionalize(Repeated().count, static=("time",))


def test_later_changes_of_the_object_do_not_reach_the_function():
    class Nested:
        def __init__(self):
            self.settings = {"name": "x", "by": 1}
            self.n = 0

        def count(self):
            self.n += self.settings["by"]
            return self.n

    nested = Nested()
    pure, state = functionalize(nested.count)
    nested.settings["by"] = 100
    assert pure(state)[0] == 1


def test_many_threads_get_their_own_answers():
    pure, state = functionalize(Counter().count)
    step, found = jax.jit(pure), {}

    def work(n):
        found[n] = [int(step(state.replace(n=n))[0]) for _ in range(20)]

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {n: [n + 1] * 20 for n in range(8)}


# --- refusals


def test_a_class_attribute_gets_its_value_back():
    (refusal,) = [refusal for refusal in REFUSALS if "class" in refusal.name]
    method = refusal.refused()
    pure, state = functionalize(method)
    with pytest.raises(CannotFunctionalize):
        jax.jit(pure)(state)
    assert type(method.__self__).n == 0


def made(**attributes):
    class Made(Counter):
        later = None

        def __init__(self):
            super().__init__()
            vars(self).update(attributes)

    return Made()


def holds_self_in(wrap):
    counter = Counter()
    counter.held = wrap(counter)
    return counter.count


def shared(first, second):
    return made(a=first, b=second).count


LIST: list[int] = [1]


@pytest.mark.parametrize(
    ("method", "attribute"),
    [
        (lambda: holds_self_in(lambda me: me.count), "self.held"),
        (lambda: holds_self_in(lambda me: jax.jit(me.count)), "self.held"),
        (lambda: holds_self_in(lambda me: partial(print, me)), "self.held"),
        (lambda: holds_self_in(lambda me: [made(parent=me)]), "self.held[0].parent"),
        (lambda: holds_self_in(lambda me: lambda x=me: x), "self.held"),
        (lambda: shared([LIST], LIST), "self.b"),
        (lambda: shared({"x": LIST}, ["text", LIST]), "self.b[1]"),
        (lambda: shared(LIST, lambda numbers=LIST: numbers), "self.b (default)"),
        (lambda: made(file=iter([1])).count, "self.file"),
        (lambda: made(lock=threading.Lock()).count, "self.lock"),
        (lambda: made(ref=jax.new_ref(jnp.int32(0))).count, "self.ref"),
        (lambda: made(rng=[np.random.RandomState(0)]).count, "self.rng[0]"),
    ],
)
def test_hidden_ties_are_found_before_anything_runs(method, attribute):
    with pytest.raises(CannotFunctionalize) as raised:
        functionalize(method())
    assert raised.value.attribute == attribute


@pytest.mark.parametrize(
    ("write", "attribute"),
    [
        (lambda me: me.words.append("b"), "self.words"),
        (lambda me: me.table.update(a=2), "self.table['a']"),
        (lambda me: me.chosen.add("b"), "self.chosen"),
        (lambda me: setattr(me.child, "n", 1), "self.child.n"),
        (lambda me: setattr(me, "child", Counter()), "self.child"),
        (lambda me: setattr(me, "n", "one"), "self.n"),
        (lambda me: setattr(me, "n", [1, 2]), "self.n"),
        (lambda me: delattr(me, "n"), "self.n"),
        (lambda me: setattr(me, "pair", [me.numbers, me.numbers]), "self.pair[0]"),
        (lambda me: setattr(type(me), "shared", 1), "Written.shared"),
        (lambda me: type(me).log.append(1), "Written.log"),
        (lambda me: me.counted[0](), "self.counted[0]"),
    ],
)
def test_what_is_written_beside_the_state_is_found(write, attribute):
    box = [0]

    class Written:
        log: list = []  # noqa: RUF012 - the mistake on trial

        def __init__(self):
            self.n = 0
            self.words, self.table, self.chosen = ["a"], {"a": 1, "b": "text"}, {"a"}
            self.child = Counter()
            self.numbers, self.pair = [1], [[1], [1]]
            self.counted = [lambda: box.append(1)]

        def run(self):
            write(self)

    pure, state = functionalize(Written().run)
    with pytest.raises(CannotFunctionalize) as raised:
        jax.jit(pure)(state)
    assert raised.value.attribute == attribute
    assert not hasattr(Written, "shared")


def test_a_static_attribute_that_is_written_is_refused():
    pure, state = functionalize(Counter().count, static=("n",))
    with pytest.raises(CannotFunctionalize, match="Take it out of static"):
        pure(state)


def test_a_python_if_inside_scan_names_its_attribute():
    (refusal,) = [refusal for refusal in REFUSALS if "Python if" in refusal.name]
    pure, state = functionalize(refusal.refused())
    with pytest.raises(CannotFunctionalize, match=r"self\.n is state that the method writes.*jnp\.where") as raised:
        jax.lax.scan(lambda state, _: pure(state)[::-1], state, None, length=3)
    assert isinstance(raised.value.__cause__, jax.errors.TracerBoolConversionError)


def test_a_python_if_on_an_argument_is_left_to_jax():
    class Branches(Counter):
        def add(self, x):
            return self.count() if x else 0

    pure, state = functionalize(Branches().add)
    with pytest.raises(jax.errors.TracerBoolConversionError):
        jax.jit(pure)(state, 1)


class NotForUs:
    @classmethod
    def of_class(cls):
        return 1

    def later(self):
        yield 1

    @partial(jax.jit, static_argnums=0)
    def jitted(self):
        return 1

    def me(self):
        return self

    @cached_property
    def kept(self):
        return 1


@pytest.mark.parametrize(
    ("method", "message"),
    [
        (lambda: print, "not a method"),
        (lambda: [].append, "not a method"),
        (lambda: jax.jit(Counter().count), "jitted already"),
        (lambda: NotForUs.of_class, "class method"),
        (lambda: NotForUs().later, "yield"),
        (lambda: NotForUs().jitted, "decorator"),
        (lambda: type("L", (list,), {"add": lambda self: 1})().add, "is a list"),
    ],
)
def test_what_is_no_method_with_attributes_is_refused(method, message):
    with pytest.raises(CannotFunctionalize, match=message):
        functionalize(method())


def test_a_method_that_returns_self_is_refused():
    pure, state = functionalize(NotForUs().me)
    with pytest.raises(CannotFunctionalize, match="returned"):
        pure(state)


def test_the_bare_idea_is_silently_wrong_where_the_guard_speaks():
    (refusal,) = [refusal for refusal in REFUSALS if "share" in refusal.name]
    pure, state = unguarded(refusal.refused())
    assert pure(state)[0] == 0


