import collections
import dataclasses
import inspect
import pathlib
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from statecore import libraries
from statecore.libraries import by_hand, network, race, tries, watching

pytestmark = pytest.mark.promotes_ranks

ROOT = pathlib.Path(__file__).parents[2]
OTHERS = [name for name in libraries.LIBRARIES if name != "by_hand"]
RTOL = 2e-3
"""The libraries order their sums differently; over 100 steps of a deep network rounding grows to a few 1e-4."""


@pytest.fixture(scope="module")
def start():
    return network.init(), network.make_data()


@pytest.fixture(scope="module")
def runs(start):
    """Train by each library once for each number of steps."""
    kept = {}

    def run(name, steps):
        if name != "by_hand":
            pytest.importorskip(libraries.LIBRARIES[name].package)
        if (name, steps) not in kept:
            kept[name, steps] = libraries.load(name).train(*start, steps)
        return kept[name, steps]

    return run


def test_the_data_are_two_moons(start):
    _, data = start
    assert data.x.shape == (network.POINTS, 2)
    assert set(np.asarray(data.y).tolist()) == {0, 1}
    clean = network.make_data(noise=0.0)
    centre = np.where(np.asarray(clean.y)[:, None] > 0, [1, 0.5], [0, 0])
    np.testing.assert_allclose(np.linalg.norm(clean.x - centre, axis=1), 1, rtol=1e-5)
    assert not np.array_equal(network.make_data(seed=1).x, data.x)


def test_the_first_params_have_he_variance(start):
    params, _ = start
    assert [block.weight.shape for block in params.blocks] == [(n, network.WIDTH) for n in network.SIZES[:-1]]
    later = np.stack([block.weight for block in params.blocks[1:]])
    assert later.std() == pytest.approx(np.sqrt(2 / network.WIDTH), rel=0.05)


def test_batch_norm_by_hand_is_the_formula():
    x = np.random.default_rng(0).normal(size=(50, network.WIDTH)).astype(np.float32)
    block = network.Block(None, jnp.full(network.WIDTH, 2.0), jnp.full(network.WIDTH, 0.5))
    old = by_hand.init_stats()[0]
    y, new = by_hand.batch_norm(block, old, x, train=True)
    expected = 2 * (x - x.mean(0)) / np.sqrt(x.var(0) + network.EPSILON) + 0.5
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(new.mean, 0.1 * x.mean(0), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(new.variance, 0.9 + 0.1 * x.var(0), rtol=1e-5)
    y, same = by_hand.batch_norm(block, old, x, train=False)
    assert same is old
    np.testing.assert_allclose(y, 2 * x / np.sqrt(1 + network.EPSILON) + 0.5, rtol=1e-5)


def test_the_step_by_hand_is_momentum_and_leaves_the_old_state_alone(start):
    params, data = start
    state = by_hand.first_state(params)
    before = jax.tree.map(np.array, state)
    error, new = by_hand.step(state, *data)
    jax.tree.map(np.testing.assert_array_equal, state, before)
    grads = jax.jit(jax.grad(lambda p: by_hand.loss(p, state.stats, *data)[0]))(params)
    # the first step of momentum is plain gradient descent
    expected = params.head.weight - network.LEARNING_RATE * grads.head.weight
    np.testing.assert_allclose(new.params.head.weight, expected, rtol=1e-4, atol=1e-6)
    eager, _ = by_hand.loss(params, state.stats, *data)
    assert float(error) == pytest.approx(float(eager), rel=1e-5)


def test_the_loss_is_cross_entropy():
    logits, y = jnp.array([0.0, 2.0, -1.0]), jnp.array([1.0, 1.0, 0.0])
    p = 1 / (1 + np.exp(-np.asarray(logits)))
    expected = -np.mean(np.log(np.where(np.asarray(y) > 0, p, 1 - p)))
    assert float(network.loss(logits, y)) == pytest.approx(expected, rel=1e-5)
    assert float(network.loss(logits, y)) == pytest.approx(float(optax.sigmoid_binary_cross_entropy(logits, y).mean()))


@pytest.mark.parametrize("name", libraries.LIBRARIES)
def test_each_really_learns(runs, name):
    run = runs(name, 100)
    assert run.losses.shape == (100,)
    assert run.losses.dtype == np.float32
    assert run.losses[-1] < 0.05 < 0.5 < run.losses[0]
    assert run.accuracy == 1
    assert run.test_loss < 0.05


@pytest.mark.parametrize("name", OTHERS)
def test_the_losses_agree_with_those_by_hand(runs, name):
    mine, its = runs("by_hand", 100).losses, runs(name, 100).losses
    np.testing.assert_allclose(its[:10], mine[:10], rtol=1e-5)
    np.testing.assert_allclose(its, mine, rtol=RTOL)


def test_flax_keeps_the_statistics_as_by_hand(runs):
    mine, its = runs("by_hand", 10), runs("flax", 10)
    np.testing.assert_allclose(its.statistics.mean, mine.statistics.mean, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(its.statistics.variance, mine.statistics.variance, rtol=1e-3, atol=1e-4)
    assert its.test_loss == pytest.approx(mine.test_loss, rel=1e-3)


def test_equinox_keeps_the_same_sums_and_divides_them_at_evaluation(start, runs):
    mine, its = runs("by_hand", 10), runs("equinox", 10)
    np.testing.assert_allclose(its.statistics.mean, mine.statistics.mean, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(its.statistics.variance, mine.statistics.variance, rtol=1e-3, atol=1e-4)
    scale = 1 - network.DECAY**10
    assert its.test_loss == pytest.approx(by_hand_test_loss(start, lambda s: s / scale, lambda s: s / scale), rel=1e-3)
    assert abs(its.test_loss - mine.test_loss) > 0.01


def test_haiku_keeps_averages_that_do_not_hold_the_start(start, runs):
    mine, its = runs("by_hand", 10), runs("haiku", 10)
    first_one = network.DECAY**10  # what is left of the variance 1 that it starts with by hand
    scale = 1 - first_one
    np.testing.assert_allclose(its.statistics.mean * scale, mine.statistics.mean, rtol=1e-3, atol=1e-4)
    variance = its.statistics.variance * scale + first_one
    np.testing.assert_allclose(variance, mine.statistics.variance, rtol=1e-3, atol=1e-4)
    expected = by_hand_test_loss(start, lambda s: s / scale, lambda s: (s - first_one) / scale)
    assert its.test_loss == pytest.approx(expected, rel=1e-3)
    assert abs(its.test_loss - mine.test_loss) > 0.01


def by_hand_test_loss(start, mean, variance):
    """The test loss after 10 steps by hand, the running statistics first turned into another convention."""
    params, data = start
    _, state = by_hand.fit(by_hand.step, by_hand.first_state(params), *data, 10)
    stats = tuple(by_hand.Stats(mean(layer.mean), variance(layer.variance)) for layer in state.stats)
    return float(network.loss(by_hand.evaluate(state._replace(stats=stats), data.x), data.y))


def test_after_many_steps_the_conventions_agree(runs):
    expected = runs("by_hand", 100).test_loss
    for name in OTHERS:
        assert runs(name, 100).test_loss == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("name", libraries.LIBRARIES)
def test_every_array_is_listed_with_its_kind(runs, name):
    leaves = runs(name, 10).leaves
    assert len({leaf.path for leaf in leaves}) == len(leaves)
    kinds = collections.Counter(leaf.kind for leaf in leaves)
    params = jax.tree.leaves(network.init())
    assert sum(np.prod(leaf.shape) for leaf in leaves if leaf.kind == "parameter") == sum(a.size for a in params)
    assert kinds["parameter"] == len(params) == 38
    # Haiku keeps the sums and the averages
    assert kinds["statistic"] == 2 * network.BLOCKS * (2 if name == "haiku" else 1)
    counters = {"by_hand": 0, "flax": 0, "equinox": network.BLOCKS, "haiku": 2 * network.BLOCKS}
    assert kinds["counter"] == counters[name]
    assert kinds["optimizer"] == 38 + (name == "flax")


@pytest.mark.parametrize("name", libraries.LIBRARIES)
def test_the_code_on_show_can_be_read(name):
    if name != "by_hand":
        pytest.importorskip(libraries.LIBRARIES[name].package)
    module = libraries.load(name)
    assert module.SHOWN
    for shown in (*module.SHOWN, module.TRAP.broken, module.TRAP.fixed):
        lines = inspect.getsource(shown).splitlines()
        assert max(map(len, lines)) <= 60


def test_a_second_run_traces_nothing_anew(start, monkeypatch):
    """A moved value runs the same program."""
    by_hand.train(*start, 2)
    calls = []
    loss = by_hand.network.loss
    monkeypatch.setattr(by_hand.network, "loss", lambda *args: calls.append(1) or loss(*args))
    by_hand.fit(by_hand.step, by_hand.first_state(network.init(seed=1)), *network.make_data(seed=1), 2)
    assert calls == []


def test_forgotten_statistics_show_in_the_test_loss_alone(start):
    forgot, threaded = by_hand.train(*start, 100, forget=True), by_hand.train(*start, 100)
    np.testing.assert_allclose(forgot.losses, threaded.losses, rtol=RTOL)
    assert forgot.test_loss > 10 * threaded.test_loss
    assert forgot.accuracy < 0.9 < threaded.accuracy
    assert (forgot.statistics.mean == 0).all()
    loss, test_loss = by_hand.TRAP.broken()
    assert (loss, test_loss) == pytest.approx((forgot.losses[-1], forgot.test_loss), rel=1e-3)
    assert by_hand.TRAP.fixed()[1] < 0.05


def test_a_plain_int_in_nnx_compiles_at_every_call():
    pytest.importorskip("flax")
    trap = libraries.load("flax").TRAP
    broken, fixed = trap.broken(), trap.fixed()
    assert broken.values == fixed.values == [1, 2, 3, 4, 5]
    assert (broken.traces, fixed.traces) == (5, 1)


def test_equinox_refuses_an_old_state():
    pytest.importorskip("equinox")
    module = libraries.load("equinox")
    with pytest.raises(ValueError, match="old state"):
        module.TRAP.broken()
    assert module.TRAP.fixed() == [1, 2]
    with pytest.raises(dataclasses.FrozenInstanceError):
        module.written_on_self()


def test_under_jit_equinox_does_not_notice_an_old_state():
    equinox = pytest.importorskip("equinox")
    module = libraries.load("equinox")
    counter, state = equinox.nn.make_with_state(module.Counter)()
    count = equinox.filter_jit(lambda counter, state: counter(state))
    assert [int(count(counter, state)[0]) for _ in range(2)] == [1, 1]


def test_haiku_s_init_gives_the_first_value_of_a_state():
    haiku = pytest.importorskip("haiku")
    made = haiku.transform_with_state(lambda: haiku.set_state("n", jnp.int32(5)))
    assert int(made.init(None)[1]["~"]["n"]) == 5


def test_haikus_state_after_init_is_the_initial_one():
    pytest.importorskip("haiku")
    trap = libraries.load("haiku").TRAP
    assert (trap.broken(), trap.fixed()) == (0, 1)


@pytest.mark.parametrize("name", libraries.LIBRARIES)
def test_a_run_out_of_range_is_refused(start, name):
    if name != "by_hand":
        pytest.importorskip(libraries.LIBRARIES[name].package)
    with pytest.raises(ValueError, match="steps"):
        libraries.load(name).train(*start, -1)


def test_no_steps_give_no_losses(runs):
    assert runs("by_hand", 0).losses.shape == (0,)


@pytest.mark.parametrize("name", OTHERS)
def test_a_missing_library_says_how_to_install_it(monkeypatch, name):
    monkeypatch.setitem(sys.modules, libraries.LIBRARIES[name].package, None)
    assert not libraries.installed(name)
    for ask in (libraries.load, libraries.version):
        with pytest.raises(libraries.MissingLibrary, match="pip install"):
            ask(name)


def test_an_installed_library_has_a_version():
    assert libraries.installed("by_hand")
    assert libraries.version("by_hand") == jax.__version__


def test_the_requirements_file_asks_for_the_same():
    lines = (ROOT / "requirements-libraries.txt").read_text().splitlines()
    assert {libraries.LIBRARIES[name].requirement for name in OTHERS} <= set(lines)


def test_the_package_imports_no_library():
    code = (
        "import sys, statecore.libraries as l; [l.installed(n) for n in l.LIBRARIES]; "
        "print(sorted({'flax', 'equinox', 'haiku', 'jax'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert found.stdout.strip() == "[]"


@pytest.fixture(scope="module")
def both():
    shares, work = [], watching.watch_both(0, 20)
    while True:
        try:
            shares.append(next(work))
        except StopIteration as finished:
            return shares, finished.value


def test_watching_says_how_far_it_is(both):
    shares, _ = both
    assert shares[0] == 0
    assert shares == sorted(shares)
    assert shares[-1] < 1


def test_a_watched_training_is_the_training_itself(start, both):
    _, result = both
    for side, forget in (("broken", True), ("fixed", False)):
        run, watched = by_hand.train(*start, 20, forget=forget), result[side]
        np.testing.assert_array_equal(watched.loss[:20], run.losses)
        columns = (watched.loss, watched.test_loss, watched.accuracy, watched.running_mean, watched.batch_mean)
        assert {len(column) for column in (*columns, watched.ran)} == {21}
        assert watched.test_loss[20] == pytest.approx(run.test_loss, rel=1e-6)
        assert watched.accuracy[20] == pytest.approx(run.accuracy, rel=1e-6)
        assert watched.running_mean[20] == pytest.approx(run.statistics.mean[0, 0])


def test_the_running_mean_closes_in_where_it_is_threaded_alone(both):
    watched = both[1]
    assert (watched["broken"].running_mean == 0).all()
    decayed = watching.network.DECAY * watched["fixed"].running_mean[:-1]
    expected = decayed + (1 - watching.network.DECAY) * watched["fixed"].batch_mean[:-1]
    np.testing.assert_allclose(watched["fixed"].running_mean[1:], expected, rtol=1e-4)


def test_a_step_is_traced_on_its_first_call_alone(both):
    for side, step in watching.STEPS.items():
        first_call, *later = both[1][side].ran
        lines, first = inspect.getsourcelines(step)
        numbers = {line for _, line in first_call}
        assert numbers <= set(range(first, first + len(lines)))
        assert len(numbers) >= 4
        assert later == [frozenset()] * 20


def test_another_visitor_sees_the_trace_as_well(start, both):
    work = watching.watch(by_hand.step, *start, 1)
    while True:
        try:
            next(work)
        except StopIteration as finished:
            again = finished.value
            break
    assert again.ran == both[1]["fixed"].ran[:2]


def test_the_forgetful_program_returns_the_statistics_as_they_came_in(both):
    found = {
        side: {name: (part.computed, part.untouched) for name, part in watched.handed_on.items()}
        for side, watched in both[1].items()
    }
    assert found["broken"] == {"params": (38, 0), "stats": (0, 24), "opt_state": (38, 0)}
    assert found["fixed"] == {"params": (38, 0), "stats": (24, 0), "opt_state": (38, 0)}
    assert "{ lambda" in both[1]["fixed"].kept.text


@pytest.mark.parametrize("steps", [-1, 1001])
def test_watching_out_of_range_is_refused(start, steps):
    with pytest.raises(ValueError, match="steps"):
        next(watching.watch(by_hand.step, *start, steps))


def test_a_race_trains_each_in_turn(start):
    names = [name for name in ("by_hand", "haiku") if libraries.installed(name)]
    shares, work = [], race.race(names, *start, 5)
    while True:
        try:
            shares.append(next(work))
        except StopIteration as finished:
            done = finished.value
            break
    assert shares == [k / len(names) for k in range(len(names))]
    assert list(done) == names
    for timed in done.values():
        assert timed.run.losses.shape == (5,)
        assert timed.ready > 0 < timed.seconds
        assert race.apart(timed.run, done["by_hand"].run) < RTOL


def test_how_far_two_runs_are_apart(runs):
    run = runs("by_hand", 10)
    other = dataclasses.replace(run, losses=run.losses * np.linspace(1, 1.1, 10, dtype=np.float32))
    assert race.apart(other, run) == pytest.approx(0.1, rel=1e-4)
    none = runs("by_hand", 0)
    assert race.apart(none, none) == 0


def test_a_race_with_a_missing_library_says_how_to_install_it(monkeypatch, start):
    monkeypatch.setitem(sys.modules, "equinox", None)
    with pytest.raises(libraries.MissingLibrary, match="pip install"):
        race.train("equinox", *start, 1)


def test_the_wires_by_hand_are_counted():
    assert tries.count_the_wires() == {"params": 38, "stats": 24, "opt_state": 38}


def test_an_nnx_object_comes_apart_into_its_state():
    pytest.importorskip("flax")
    assert tries.take_nnx_apart() == {"params": 38, "stats": 24, "arrays left in the structure": 0}


def test_an_equinox_module_refuses_to_be_written_on():
    pytest.importorskip("equinox")
    with pytest.raises(dataclasses.FrozenInstanceError):
        tries.write_on_an_equinox_module()


def test_haiku_finds_arrays_by_name():
    pytest.importorskip("haiku")
    params, state = tries.ask_haiku_for_names()
    assert params.startswith("dense_")
    assert state.startswith("norm_")


@pytest.mark.parametrize("step", [by_hand.step, by_hand.forgetful_step], ids=["step", "forgetful_step"])
def test_the_whole_state_by_hand_can_be_donated(step, start):
    """Two leaves in one buffer would raise "Attempt to donate the same buffer twice"."""
    params, data = start
    kept, _ = step(by_hand.first_state(params), *data)
    state = by_hand.first_state(jax.tree.map(jnp.copy, params))
    donating = jax.jit(inspect.unwrap(step), donate_argnums=0)
    error, after = donating(state, *data)
    np.testing.assert_allclose(error, kept, rtol=RTOL)
    assert all(leaf.is_deleted() for leaf in jax.tree.leaves(state.stats))
    donating(after, *data)
