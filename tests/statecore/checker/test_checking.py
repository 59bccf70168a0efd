"""What a report says, what `assert_pure` fails on, and what `check` takes."""

import threading
from concurrent.futures import ThreadPoolExecutor

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from statecore.checker import BAKES, CALLS, CANNOT_SEE, FAILS, KEY_USED_TWICE, KINDS, VERDICTS, assert_pure, check
from statecore.checker.checking import check as check_itself


def double(x):
    return 2 * x


def relu(x):
    return x if x > 0 else 0.0


def paired(key):
    return jax.random.normal(key) - jax.random.normal(key)


class Model:
    def __init__(self):
        self.w, self.unread, self.calls = 2.0, 2.0, 0
        self.table = jnp.arange(3.0)
        self.layers = 2

    def scale(self, x):
        return x * self.w

    def look_up(self, x):
        return (x * self.table).sum()

    def deep(self, x):
        for _ in range(self.layers):
            x = jnp.sin(x)
        return x

    def count(self, x):
        self.calls += 1
        return x * self.calls

    @jax.jit
    def jitted(self, x):
        return x * self.w


class TestVerdicts:
    def test_nothing_at_all(self):
        report = check(double, 1.5)
        assert report.clean
        assert report.pure
        assert report.traceable
        assert str(report) == f"double: no impurity showed in {CALLS} calls."
        assert list(report.outcomes) == [3.0] * CALLS
        assert report.cannot_see == CANNOT_SEE

    def test_not_pure(self):
        report = check(Model().count, 10.0)
        assert not report.pure
        assert report.traceable
        assert report.verdicts == {"not pure"}
        changed = next(each for each in report.findings if each.kind == "changes")
        assert (changed.names, changed.before, changed.after) == (("self.calls",), "0", "3")
        frozen = next(each for each in report.findings if each.kind == "freezes")
        assert (frozen.call, frozen.outcomes) == (2, ("10", "20"))
        assert str(report).startswith("Model.count is not pure.\n- differs from call to call: ")

    def test_not_traceable_is_not_impure(self):
        report = check(relu, 1.0)
        assert report.pure
        assert not report.traceable
        (finding,) = report.findings
        assert isinstance(finding.error, jax.errors.TracerBoolConversionError)
        assert "is not pure" not in str(report)
        with pytest.raises(AssertionError, match="not traceable"):
            assert_pure(relu, 1.0)
        assert_pure(relu, 1.0, fail_on=("not pure",))

    def test_jit_on_a_method_reports_the_error_that_its_caller_gets(self):
        model = Model()
        with pytest.raises(TypeError) as raised:
            model.jitted(1.0)
        (finding,) = check(model.jitted, 1.0).findings
        assert type(finding.error) is TypeError
        assert str(finding.error).partition("\n")[0].partition(" at 0x")[0] in str(raised.value)

    def test_a_key_used_twice_can_be_allowed(self):
        report = check(paired, jax.random.key(0))
        assert report.verdicts == {KEY_USED_TWICE}
        assert report.pure
        with pytest.raises(AssertionError, match="used twice"):
            assert_pure(paired, jax.random.key(0))
        assert_pure(paired, jax.random.key(0), fail_on=set(FAILS) - {KEY_USED_TWICE})

    def test_a_function_that_raises_without_jit_alone(self):
        def only_traced(x):
            if not isinstance(x, jax.core.Tracer):
                raise TypeError("give me a tracer")
            return x

        report = check(only_traced, 1.0)
        assert report.kinds == {"raises"}
        with pytest.raises(AssertionError, match="give me a tracer"):
            assert_pure(only_traced, 1.0)

    def test_every_kind_has_a_name_and_a_verdict(self):
        assert KINDS.keys() == VERDICTS.keys()
        assert set(FAILS) | {BAKES} == set(VERDICTS.values())


class TestBakes:
    @pytest.mark.parametrize(("method", "name"), [("scale", "w"), ("look_up", "table"), ("deep", "layers")])
    def test_what_was_read_is_named_and_nothing_else(self, method, name):
        report = check(getattr(Model(), method), 1.0)
        assert [(each.kind, each.names) for each in report.findings] == [("bakes", (f"self.{name}",))]
        assert_pure(getattr(Model(), method), 1.0)
        with pytest.raises(AssertionError, match=f"`self.{name}` was read while tracing"):
            assert_pure(getattr(Model(), method), 1.0, fail_on=(*FAILS, BAKES))

    def test_the_claim_is_true(self):
        model = Model()
        jitted = jax.jit(model.scale)
        before = jitted(1.0)
        model.w = 5.0
        assert jitted(1.0) == before != model.scale(1.0)

    def test_the_attributes_are_as_they_were(self):
        model = Model()
        before = dict(vars(model))
        check(model.deep, 1.0)
        assert vars(model).keys() == before.keys()
        assert all(vars(model)[name] is value for name, value in before.items())


class TestCannotSee:
    """What the list says of random keys is so."""

    @pytest.mark.parametrize(
        "unnoticed",
        [
            lambda: jax.random.normal(jax.random.key(0)) + jax.random.normal(jax.random.key(0)),
            lambda: sum(jax.random.normal(jax.random.fold_in(jax.random.key(0), 1)) for _ in range(2)),
            lambda: jax.random.normal(jax.random.PRNGKey(0)) + jax.random.uniform(jax.random.PRNGKey(0)),
        ],
    )
    def test_what_debug_key_reuse_misses(self, unnoticed):
        assert check(unnoticed).clean

    def test_split_and_fold(self):
        def both(key):
            first, _ = jax.random.split(key)
            return jax.random.normal(first), jax.random.normal(jax.random.fold_in(key, 0))

        assert check(both, jax.random.key(0)).clean

    def test_one_key_handed_to_two_calls_is_noticed(self):
        def draw(key):
            return jax.random.normal(key)

        assert check(lambda key: draw(key) + draw(key), jax.random.key(0)).kinds == {"reuses"}

    def test_it_is_stated_plainly(self):
        said = " ".join(CANNOT_SEE)
        assert all(word in said for word in ("arguments", "printed", "library", "random key", "PRNGKey", "callback"))


class TestRequests:
    def test_what_cannot_be_called_is_refused(self):
        with pytest.raises(TypeError, match="nothing to call: 3 is a int"):
            check(3)

    def test_the_number_of_calls_is_no_argument(self):
        def repeat(x, *, calls):
            return x * calls

        assert check(repeat, 1.0, calls=2).clean

    def test_the_process_is_left_as_it_was(self):
        check(paired, jax.random.key(0))
        assert not jax.config.jax_check_tracer_leaks
        assert not jax.config.jax_debug_key_reuse

    def test_what_interrupts_it_leaves_the_world_as_it_was(self):
        seen = []

        def stop(x):
            seen.append(x)
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            check(stop, 1.0)
        assert seen == []

    def test_the_check_does_not_warm_jit_for_its_caller(self):
        runs = np.zeros(1)

        def f(x):
            runs[0] += 1
            return x

        check(f, 1.0)
        assert runs[0] == 0
        jax.jit(f)(1.0)
        assert runs[0] == 1

    def test_many_at_once_on_one_object(self):
        model, start = Model(), threading.Barrier(4)

        def ask(_):
            start.wait(timeout=30)
            return str(check_itself(model.count, 1.0))

        with ThreadPoolExecutor(4) as askers:
            said = list(askers.map(ask, range(4)))
        assert len(set(said)) == 1
        assert model.calls == 0
