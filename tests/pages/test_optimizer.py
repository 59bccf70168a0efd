"""The optimizer page as Streamlit runs it."""

from functools import partial

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from statecore import optimizer
from stateui import show
from stateui import trees as on_screen
from stateui.figures import optimizer as figures
from stateui.visits import Forks
from tests.pages import helpers
from tests.pages.helpers import experiments, html_of, raised, result

opened = partial(helpers.opened, "optimizer")


def shown(app: AppTest):
    return app.session_state["optimizer:visit"].runs


def count(app: AppTest):
    return shown(app).threaded.states.opt_state[0].count


def test_the_runs_on_the_page_are_those_of_the_settings():
    app = opened(learning_rate="0.05", steps="100", seed="7")
    runs = shown(app)
    expected = optimizer.run(optimizer.START, runs.data, 0.05, 100)
    np.testing.assert_array_equal(runs.threaded.loss, expected.loss)
    forgetful = optimizer.run(optimizer.START, runs.data, 0.05, 100, forget=True)
    np.testing.assert_array_equal(runs.forgetful.loss, forgetful.loss)
    assert list(runs.race) == ["SGD", "momentum", "Adam"]


def test_a_fork_in_the_address_is_run_on_all_sides():
    runs = shown(opened(forks="40:0.02", step="60"))
    np.testing.assert_array_equal(
        runs.threaded.loss, optimizer.run_through(((0, 0.1), (40, 0.02)), runs.data, 300).loss
    )
    slow = np.abs(np.diff(runs.forgetful.states.params.weight))
    assert slow[:40].max() == pytest.approx(0.1, rel=1e-3)
    assert slow[41:].max() == pytest.approx(0.02, rel=1e-3)


def test_a_fork_without_the_optimizer_s_state_begins_to_count_again():
    app = opened(forks="40:0.1", keep="False", step="50")
    assert count(app)[50] == 10
    app.toggle(key="optimizer_keep").set_value(True).run()
    assert count(app)[50] == 50


def test_the_trees_show_every_leaf_as_it_is_at_the_step():
    app = opened(step="120")
    trees = html_of(app, "state tree")
    assert [tree.count("float32[]") + tree.count("int32[]") for tree in trees] == [2, 4, 7]
    assert "nothing" in trees[0]
    adam = shown(app).threaded[120]
    for row in on_screen.describe(adam):
        assert show.value(row.value) in trees[2]
    assert ">120<" in trees[2]


def test_forgetting_is_judged_by_the_run():
    app = opened(step="5").run()
    assert any("The machine says **almost right**" in each.value for each in app.markdown)


def test_by_hand_and_optax_differ_by_rounding():
    (table,) = html_of(opened(), "largest difference")
    differences = [float(cell.split("</td>")[0].replace("−", "-")) for cell in table.split("<td>")[3:][1::2]]
    assert len(differences) == 7
    assert max(differences) < 1e-3


def test_divergence_of_one_optimizer_is_named():
    app = opened(learning_rate="0.5")
    assert any("SGD left the numbers" in note.value and "2/λmax" in note.value for note in app.warning)


@pytest.mark.parametrize(
    ("setting", "text"),
    [("learning_rate", "2"), ("steps", "7"), ("offset", "-1"), ("noise", "nan"), ("keep", "perhaps"), ("forks", "1:9"),
     ("step", "x"), ("seed", "-1")],
)  # fmt: skip
def test_a_bad_setting_gives_the_default_and_a_note(setting, text):
    app = opened(**{setting: text})
    assert not app.exception
    assert any(f"asks for {setting} = " in note.value for note in app.info)
    assert len(shown(app).threaded) == 301


def test_a_step_past_the_end_is_the_last_step_with_a_note():
    app = opened(step="2000")
    assert any("Step 2,000 is past the end" in note.value for note in app.info)
    assert app.session_state["optimizer_step"] == 300


def test_every_experiment_runs_and_shows_its_result():
    app = opened()
    titles = experiments(app, "optimizer")
    assert len(titles) == 9
    results = {title: result(app, "optimizer", title) for title in titles}
    assert not any(map(raised, results.values()))
    losses = results["State on self"].split(", ")
    assert len(losses) == 3
    assert len(set(losses)) == 1
    assert len(set(results["Without jit"].split(", "))) == 3
    assert "Tracer" in results["What is left on self"]
    assert results["Momentum without memory"] == "0"
    assert results["Twice from one state"] == "True"
    fast, slow = (float(part.split(" ")[-1].replace("−", "-")) for part in results["The rate as state"].split(", "))
    assert fast == pytest.approx(10 * slow, rel=1e-2)


def test_every_target_is_measured():
    app = opened()
    for target in (1.0, 0.1, 0.01, 0.001):
        app.session_state["optimizer_target"] = target
        app.run()
        assert not app.exception


def test_the_picture_of_the_cost_puts_never_above_every_number():
    figure = figures.cost((0.1, 1.0), {"broken": [10, None], "fixed": [0, 300]}, 300)
    broken, fixed = figure.data
    assert list(broken.y) == [10, 750]
    assert list(fixed.y) == [1, 300]
    assert "not within 300 steps at 1" in figures.told((0.1, 1.0), {"broken": [10, None]}, 300)


def test_a_tree_names_each_branch_once():
    html = on_screen.tree(optimizer.init(optimizer.START))
    assert [html.count(f"─ {name}<") for name in ("params", "opt_state", "[0]", "mu", "nu", "weight")] == [
        1,
        1,
        1,
        1,
        1,
        3,
    ]


def test_forks_are_written_the_way_they_are_read():
    forks = Forks(last=100, low=0.1, high=1.0, most=2)
    assert forks.pairs("5:0.5,7:1,9:1") == [(5, 0.5), (7, 1.0)]
    assert forks.setting.parse("5:0.50,") == "5:0.5"
    with pytest.raises(ValueError, match="200"):
        forks.pairs("200:0.5")


def test_two_visitors_do_not_mix():
    first, second = opened(seed="1"), opened(seed="2")
    assert shown(first).data is not shown(second).data
    assert not np.array_equal(shown(first).threaded.loss, shown(second).threaded.loss)
