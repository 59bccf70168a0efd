import functools
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from statecore.counter import Counter, CounterV2
from statecore.lines import executed_lines
from statecore.observation import body_of, hidden_state, observe
from statecore.origins import Origin
from statecore.printing import Printer
from tests.helpers import body_lines, compilations


def calls_it(function, *args):
    value = function(*args)
    return value


def doubled():
    """A fresh function each time, so that no trace is shared between tests."""

    def double(x):
        two = 2
        return x * two

    return double


def test_a_plain_call():
    double = doubled()
    seen = observe(double, 3)
    assert (seen.value, seen.error, seen.traced, seen.kept) == (6, None, False, None)
    assert seen.ran == body_lines(double)


def test_only_lines_that_really_ran():
    def branch(x):
        if x > 0:
            return 1
        x = -1
        return x

    positive, negative = observe(branch, 1), observe(branch, -1)
    assert (positive.value, negative.value) == (1, -1)
    first = branch.__code__.co_firstlineno
    lines = [{line - first for _, line in seen.ran} for seen in (positive, negative)]
    assert lines == [{1, 2}, {1, 3, 4}]


def test_jit_runs_the_body_on_the_first_call_only():
    double = doubled()
    fast = jax.jit(double)
    first, second = observe(fast, jnp.float32(3)), observe(fast, jnp.float32(4))
    assert (float(first.value), float(second.value)) == (6, 8)
    assert (first.traced, second.traced) == (True, False)
    assert first.ran == body_lines(double)
    assert second.ran == frozenset()
    assert first.kept == second.kept


def test_a_new_shape_traces_again():
    fast = jax.jit(doubled())
    assert [observe(fast, jnp.ones(size)).traced for size in (2, 2, 3, 3, 2)] == [True, False, True, False, False]


@pytest.mark.parametrize("transform", [jax.vmap, jax.grad])
def test_other_transformations_run_the_body_on_every_call(transform):
    function = transform(doubled())
    for x in (1.0, 2.0):
        seen = observe(function, jnp.full(3, x) if transform is jax.vmap else x)
        assert seen.error is None
        assert seen.traced
        assert seen.kept is None  # there is no program to read without jit


def test_the_calling_line_is_observed_too():
    fast = jax.jit(doubled())
    first, second = (observe(fast, 1.0, caller=calls_it) for _ in range(2))
    assert first.called == second.called == body_lines(calls_it)
    assert first.ran == body_lines(fast)
    assert second.ran == frozenset()  # no Python of the program ran
    assert (first.runs, second.runs) == (1, 0)
    assert not second.traced


def test_watched_functions_are_observed_and_no_others():
    def helper(x):
        return x + 1

    def other(x):
        return x - 1

    def body(x):
        return other(helper(x))

    seen = observe(body, 1, watch=(helper,))
    assert seen.ran == body_lines(body) | body_lines(helper)


def test_functions_defined_inside_are_part_of_the_body():
    def body(x):
        def inner(y):
            return y + 1

        return inner(x)

    first = body.__code__.co_firstlineno
    assert {line - first for _, line in observe(body, 1).ran} == {1, 2, 4}


def test_the_program_is_read_with_its_hidden_state():
    class Scaled:
        def __init__(self):
            self.scale = jnp.arange(3.0)

        def apply(self, x):
            return x * self.scale

    for seen in [observe(jax.jit(Scaled().apply), jnp.ones(3)) for _ in range(2)]:
        assert [constant.origin.name for constant in seen.kept.baked] == ["self.scale"]
        assert len(seen.kept.inputs) == 1


def test_state_written_by_the_call_is_named_too():
    """0 was read, and the 1 that is kept was written while tracing."""
    seen = observe(jax.jit(Counter().count))
    found = [(constant.text, constant.origin) for constant in seen.kept.baked]
    assert found == [("1:i32[]", Origin("self.n", written=True, first=0))]


def test_observing_does_not_move_a_counter():
    impure = Counter()
    count = jax.jit(impure.count)
    for _ in range(3):
        seen = observe(count)
        assert int(seen.value) == 1
        assert impure.n == 1
    assert observe(impure.count).value == 2
    assert impure.n == 2


def test_observing_does_not_compile_twice():
    count = jax.jit(CounterV2().count)
    with compilations() as heard:
        observe(count, jnp.int32(0))
    assert heard.count("count") == 1
    assert heard.count("jit(count)") == 2  # lowered once, compiled once
    with compilations() as heard:
        observe(count, jnp.int32(1))
    assert heard == []


def test_an_observed_call_gives_what_the_call_gives():
    x = jnp.linspace(-2, 2, 101)

    def body(x):
        return jnp.sin(x) * jnp.exp(-x), x.sum()

    for observed, called in zip(observe(jax.jit(body), x).value, jax.jit(body)(x), strict=True):
        np.testing.assert_array_equal(observed, called)


def test_how_often_the_body_ran():
    def body(x):
        return x + 1

    assert observe(body, 1).runs == 1
    assert observe(lambda: [body(k) for k in range(3)]).runs == 1
    assert observe(body, 1, caller=lambda function, x: [function(x) for _ in range(3)]).runs == 3
    assert observe(jax.jit(body), 1).runs == 1


def test_what_is_printed_through_the_namespace_is_kept():
    space = {"print": Printer()}
    exec("def body(x):\n    print('x is', 1, sep='=')\n    return x", space)
    function = jax.jit(space["body"])
    first, second = observe(function, 1.0), observe(function, 1.0)
    assert first.printed == ("x is=1",)
    assert second.printed == ()


class Callable:
    def __call__(self, x):
        return x * 2


@pytest.mark.parametrize("make", [Callable, lambda: functools.partial(Callable(), 1.0)])
def test_the_body_of_an_object_that_is_called_is_its_method(make):
    assert body_of(make()).__func__ is Callable.__call__
    seen = observe(jax.jit(make()), *([] if isinstance(make(), functools.partial) else [1.0]))
    assert (float(seen.value), seen.runs, seen.traced) == (2.0, 1, True)
    assert seen.ran == body_lines(Callable.__call__)


def test_the_program_is_that_of_the_context_of_the_call():
    """Read in the context of the test, a program of 64 bits would be another one, and its body would run again."""
    counter = Counter()

    def caller(function, x):
        with jax.enable_x64(True):
            return function(x)

    def body(x):
        counter.count()
        return x * 2

    seen = observe(jax.jit(body), 1.0, caller=caller)
    assert (seen.runs, counter.n) == (1, 1)
    assert [name.split(":")[1] for name in seen.kept.inputs] == ["f64[]"]


def test_keywords_static_arguments_donation_and_refs():
    power = jax.jit(lambda x, n, *, by=1: x**n * by, static_argnums=1)
    assert float(observe(power, jnp.float32(3), 2, by=2.0).value) == 18
    donated = observe(jax.jit(lambda x: x + 1, donate_argnums=0), jnp.arange(3.0))
    assert donated.error is None
    assert len(donated.kept.inputs) == 1
    ref = jax.new_ref(jnp.int32(0))

    def count():
        ref[...] += 1
        return ref[...]

    function = jax.jit(count)
    seen = [observe(function) for _ in range(2)]
    assert [int(each.value) for each in seen] == [1, 2]
    assert seen[0].kept.baked == ()
    assert len(seen[0].kept.inputs) == 1


def test_a_trace_attribute_of_another_kind_is_left_alone():
    class Traced:
        def __call__(self):
            return 1

        def trace(self):
            raise AssertionError("nobody asked")

    seen = observe(Traced())
    assert (seen.value, seen.kept) == (1, None)


def test_recursion_and_generators_are_followed():
    def numbers(x):
        k = x * 2
        yield k
        yield k + 1

    def body(x, depth=3):
        return sum(numbers(x)) if depth == 0 else body(x + 1, depth - 1)

    with jax.checking_leaks():
        seen = observe(jax.jit(body, static_argnums=1), 1.0)
    assert seen.error is None
    assert float(seen.value) == 17
    assert seen.runs == 4


# --- exceptions -------------------------------------------------------------------------------------------


def test_an_exception_is_an_outcome():
    def fails(x):
        before = x
        raise ValueError(f"no {before}")

    seen = observe(fails, 3)
    assert isinstance(seen.error, ValueError)
    assert str(seen.error) == "no 3"
    assert (seen.value, seen.kept) == (None, None)
    assert seen.ran == body_lines(fails)


def test_an_exception_while_tracing():
    def positive(x):
        if x > 0:
            return x
        return -x

    fast = jax.jit(positive)
    for _ in range(2):  # nothing was cached: it is traced, and fails, again
        seen = observe(fast, 1.0)
        assert isinstance(seen.error, jax.errors.TracerBoolConversionError)
        assert seen.traced
        assert seen.kept is None
        first = positive.__code__.co_firstlineno
        assert {line - first for _, line in seen.ran} == {1}


class Leaky:
    """Keeps a traced value on self: the next trace meets it."""

    def __init__(self):
        self.total = jnp.float32(0)

    def add(self, x):
        self.total = self.total + x.sum()
        return self.total

    def read(self):
        return self.total + 1


def test_a_leaked_tracer_is_observed_without_harm():
    leaky = Leaky()
    add = jax.jit(leaky.add)
    first, second = observe(add, jnp.ones(2)), observe(add, jnp.ones(2))
    assert isinstance(leaky.total, jax.core.Tracer)
    assert (float(first.value), float(second.value)) == (2, 2)
    assert (first.traced, second.traced) == (True, False)
    assert [constant.origin.name for constant in first.kept.baked] == ["self.total"]
    assert second.kept is first.kept

    met = observe(leaky.read)
    assert isinstance(met.error, jax.errors.UnexpectedTracerError)
    assert met.ran == body_lines(leaky.read)
    retraced = observe(add, jnp.ones(3))
    assert isinstance(retraced.error, jax.errors.UnexpectedTracerError)
    assert retraced.traced
    assert retraced.kept is None


def test_an_interrupt_is_not_swallowed_and_the_tracer_is_put_back():
    def stopped():
        raise KeyboardInterrupt

    found = sys.gettrace()
    with pytest.raises(KeyboardInterrupt):
        observe(stopped)
    assert sys.gettrace() is found


# --- the tracer -------------------------------------------------------------------------------------------


@pytest.fixture
def spy():
    """Another line tracer, such as a debugger's, already there."""

    def on_call(_frame, _event, _arg):
        return None

    found = sys.gettrace()
    sys.settrace(on_call)
    try:
        yield on_call
    finally:
        sys.settrace(found)


def test_the_previous_tracer_is_put_back(spy):
    observe(doubled(), 1)
    assert sys.gettrace() is spy
    with executed_lines(calls_it):
        assert sys.gettrace() is not spy
    assert sys.gettrace() is spy


def test_the_previous_tracer_is_put_back_after_an_exception(spy):
    def fails():
        raise ValueError("no")

    assert isinstance(observe(fails).error, ValueError)
    assert sys.gettrace() is spy
    with pytest.raises(ValueError, match="no"), executed_lines(fails):
        fails()
    assert sys.gettrace() is spy


def test_no_tracer_stays_behind():
    found = sys.gettrace()
    observe(jax.jit(doubled()), 1.0)
    assert sys.gettrace() is found


# --- threads ----------------------------------------------------------------------------------------------


def test_many_threads_observe_at_once_and_get_their_own_lines():
    threads = 16
    together = threading.Barrier(threads)

    def visit(_number):
        def body(x):
            step = x * 2
            return step + 1

        fast = jax.jit(body)
        together.wait(timeout=60)
        seen = [observe(fast, jnp.float32(k), caller=calls_it) for k in range(5)]
        return body_lines(body), seen

    with ThreadPoolExecutor(threads) as pool:
        visits = list(pool.map(visit, range(threads)))
    for body, seen in visits:
        assert [float(each.value) for each in seen] == [2 * k + 1 for k in range(5)]
        assert [each.traced for each in seen] == [True, False, False, False, False]
        assert seen[0].ran == body
        assert not any(each.ran for each in seen[1:])
        assert all(each.called == body_lines(calls_it) for each in seen)


@pytest.mark.parametrize("also_observed", [True, False])
def test_a_thread_sees_nothing_of_what_another_runs(also_observed):
    release = threading.Event()

    def shared(mine):
        if mine:
            release.set()  # now the other thread makes its call, while this one is observed
            return other.result(timeout=60)
        return "other"

    def visit():
        release.wait(timeout=60)
        return observe(shared, False) if also_observed else shared(False)

    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(visit)
        seen = observe(shared, True)
    first = shared.__code__.co_firstlineno
    assert {line - first for _, line in seen.ran} == {1, 2, 3}
    if also_observed:
        assert {line - first for _, line in seen.value.ran} == {1, 4}
    else:
        assert seen.value == "other"


def test_threads_on_one_wrapper_trace_it_once():
    fast = jax.jit(doubled())
    together = threading.Barrier(8)

    def visit(number):
        together.wait(timeout=60)
        return observe(fast, jnp.float32(number))

    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(visit, range(8)))
    assert [float(each.value) for each in seen] == [2.0 * number for number in range(8)]
    assert sum(each.traced for each in seen) == 1


# --- hidden state -----------------------------------------------------------------------------------------


def test_hidden_state_is_that_of_the_method_s_object():
    impure = Counter()
    impure.n = 3
    assert hidden_state(impure.count) == hidden_state(jax.jit(impure.count)) == {"self.n": 3}
    assert hidden_state(doubled()) == {}
    assert hidden_state(np.random.default_rng) == {}
    assert hidden_state([].append) == {}


def test_hidden_state_is_a_copy():
    class Log:
        def __init__(self):
            self.seen = [1]

        def add(self):
            self.seen.append(2)

    log = Log()
    before = hidden_state(log.add)
    log.add()
    assert before == {"self.seen": [1]}
    assert hidden_state(log.add) == {"self.seen": [1, 2]}
