"""Any method made pure: equal to itself, and refused where it would not be."""

import inspect

import jax
import numpy as np
import pytest

from statecore import lockstep
from statecore.functional.state import names_of
from statecore.strategy.counters import FORMS, trial
from statecore.strategy.links import Part, links
from statecore.strategy.pairs import PAIRS, BatchNorm, programs
from statecore.strategy.refusals import REFUSALS, outcome
from statecore.strategy.runs import in_grad, in_scan, runs

by_name = {pair.name: pair for pair in PAIRS}
every_pair = pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)
every_refusal = pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.name)


# --- the classes of the lesson


@every_pair
def test_a_class_goes_through_every_transformation_unchanged(pair):
    found = runs(pair)
    assert [run.name for run in found] == ["jit", "scan", "vmap", "grad"]
    for run in found:
        assert jax.tree.leaves(run.expected)
        assert run.equal, f"{run.name}: {run.difference}"


@every_pair
def test_a_run_that_forgets_its_state_is_seen_to_differ(pair):
    run = runs(pair)[0]
    outputs, state = run.expected
    wrong = (outputs, jax.tree.map(lambda leaf: leaf + 1, state))
    assert not type(run)(run.name, run.what, run.expected, wrong, run.shown).equal


@every_pair
def test_the_functions_by_hand_do_what_the_class_does(pair):
    lanes = {name: lockstep.go(lockstep.start(program), 4) for name, program in programs(pair).items()}
    for k in range(4):
        for name in ("fixed", "by_hand"):
            np.testing.assert_allclose(lanes[name].outputs[k], lanes["plain"].outputs[k], rtol=2e-5, atol=2e-6)
    by_hand, fixed = (lanes[name].moment.state for name in ("by_hand", "fixed"))
    for name in names_of(fixed):
        leaves = (jax.tree.leaves(getattr(state, name)) for state in (fixed, by_hand))
        for mine, its in zip(*leaves, strict=True):
            np.testing.assert_allclose(mine, its, rtol=2e-5, atol=2e-6)


@every_pair
def test_the_jitted_method_loses_its_memory(pair):
    lanes = {name: lockstep.go(lockstep.start(program), 3) for name, program in programs(pair).items()}
    broken, fixed = lanes["broken"], lanes["fixed"]
    same = all(np.allclose(old, new) for old, new in zip(broken.outputs, fixed.outputs, strict=True))
    # batch normalisation in training gives the right outputs; what it remembers is lost all the same
    assert same is (pair.cls is BatchNorm)
    leaves = jax.tree.leaves(broken.moment.after)
    assert leaves
    assert broken.moment.after == {"self.n": 1} or any(isinstance(leaf, jax.core.Tracer) for leaf in leaves)


@every_pair
def test_the_lines_of_the_class_light_up_when_the_pure_function_is_traced(pair):
    lane = lockstep.step(lockstep.start(programs(pair)["fixed"]))
    source, first = inspect.getsourcelines(getattr(pair.cls, pair.method))
    body = {(inspect.getsourcefile(pair.cls), first + step) for step in range(1, len(source))}
    assert body & lane.moment.seen.ran
    assert not body & lockstep.step(lane).moment.seen.ran


def test_the_running_mean_is_the_mean_and_its_gradient_a_share_each():
    pair = by_name["running mean"]
    (values,) = pair.inputs()
    outputs, _ = in_scan(pair.fresh(), (values,), pair.calls)
    np.testing.assert_allclose(outputs, np.cumsum(values) / np.arange(1, pair.calls + 1), rtol=1e-6)
    (grad,) = in_grad(pair.fresh(), pair.score, None, None, (values,), pair.calls)
    np.testing.assert_allclose(grad, np.full(pair.calls, 1 / pair.calls), rtol=1e-6)


def test_batch_norm_follows_its_formula():
    pair = by_name["batch normalisation"]
    (batches,) = pair.inputs()
    outputs, state = in_scan(pair.fresh(), (batches,), pair.calls)
    mean, var = np.zeros(2), np.ones(2)
    for k, batch in enumerate(np.asarray(batches, np.float64)):
        mean, var = 0.9 * mean + 0.1 * batch.mean(0), 0.9 * var + 0.1 * batch.var(0)
        unit = (batch - batch.mean(0)) / np.sqrt(batch.var(0) + 1e-5)
        np.testing.assert_allclose(outputs[k], unit, rtol=2e-4, atol=1e-5)
    np.testing.assert_allclose(state.mean, mean, rtol=1e-5)
    np.testing.assert_allclose(state.var, var, rtol=1e-5)


def test_the_gradient_with_respect_to_the_learning_rate_is_the_slope():
    pair = by_name["trainer"]
    name, rate = pair.wrt

    def last_loss(rate):
        method = pair.fresh()
        method.__self__.learning_rate = rate
        for k in range(1, pair.calls + 1):
            error = method(*pair.call_inputs(k))
        return float(error)

    slope = (last_loss(rate + 0.01) - last_loss(rate - 0.01)) / 0.02
    grad = in_grad(pair.fresh(), pair.score, name, rate, pair.inputs(), pair.calls)
    assert grad == pytest.approx(slope, rel=0.05)


# --- matching lines


@every_pair
def test_every_line_of_code_has_its_counterpart(pair):
    found = links(pair)
    assert {Part.STATE, Part.INIT, Part.START, Part.STEP, Part.READ, Part.WRITE, Part.OUTPUT} <= {
        link.part for link in found
    }
    of_class = frozenset().union(*(link.of_class for link in found))
    of_functions = frozenset().union(*(link.of_functions for link in found))
    for thing in (pair.cls.__init__, getattr(pair.cls, pair.method)):
        assert code_lines(thing) <= of_class
    for thing in (pair.state, pair.init, pair.step):
        assert code_lines(thing) <= of_functions


@every_pair
def test_linked_lines_name_the_attribute(pair):
    named = [link for link in links(pair) if link.attribute]
    assert {link.attribute for link in named} == set(pair.state._fields)
    for link in named:
        for lines in (link.of_class, link.of_functions):
            assert link.attribute in " ".join(text_of(line) for line in lines)


def test_links_follow_the_source_wherever_it_stands():
    found = {(link.part, link.attribute): link for link in links(by_name["running mean"])}
    read = found[Part.READ, "calls"]
    assert sorted(text_of(line) for line in read.of_class) == [
        "self.calls += 1", "self.mean += (x - self.mean) / self.calls",
    ]
    assert sorted(text_of(line) for line in read.of_functions) == [
        "calls = state.calls + 1", "mean = state.mean + (x - state.mean) / calls",
    ]


def code_lines(thing):
    source, first = inspect.getsourcelines(thing)
    file = inspect.getsourcefile(thing)
    return {(file, first + step) for step, text in enumerate(source) if text.strip()}


def text_of(line):
    file, number = line
    with open(file) as source:
        return source.read().splitlines()[number - 1].strip()


# --- should CounterV2 stay a class?


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_every_form_of_the_counter_counts(form):
    found = trial(form)
    assert found.jitted == found.scanned == [1, 2, 3]
    assert (found.traces, found.leaves) == (1, [3])
    assert found.traced_again is (form.name in ("class without state", "closure over settings"))
# --- refusals


@every_refusal
def test_what_cannot_be_done_is_refused_by_name(refusal):
    found = outcome(refusal)
    assert found.error.attribute == refusal.attribute
    assert str(found.error) == f"{refusal.attribute} {found.error.problem}. {found.error.remedy}"
    assert len(set(found.eager)) > 1
    if "random" not in refusal.name:
        assert found.mended == found.eager


def test_without_the_guard_most_of_them_are_silently_wrong():
    silent = [
        refusal.name for refusal in REFUSALS
        if isinstance(found := outcome(refusal).without_guard, list) and found != outcome(refusal).eager
    ]
    assert len(silent) >= 9


