"""The purity lesson as Streamlit runs it."""

from functools import partial

import pytest
from streamlit.testing.v1 import AppTest

from statecore.checker import CANNOT_SEE
from statecore.purity import tries
from statecore.purity.entries import ENTRIES, entry
from stateui import show, source
from stateui.parts.purity import GROUPS
from tests.pages import helpers
from tests.pages.helpers import html_of, result, step

opened = partial(helpers.opened, "purity")
WAYS = [(each.name, how) for each in ENTRIES for how in each.transformations]


def tapes(app: AppTest) -> list[str]:
    """The outputs of broken and fixed, each plain and then transformed."""
    return [body.partition(">")[2].partition("<")[0].strip() for body in html_of(app, '<output class="tape ')]


def code(app: AppTest) -> list[str]:
    return html_of(app, 'aria-label="the code of ')[:2]


def test_every_entry_is_in_one_group():
    names = [name for group in GROUPS.values() for name in group]
    assert sorted(names) == sorted(each.name for each in ENTRIES)


def test_three_steps_on_a_number_on_self():
    app = opened()
    assert tapes(app) == ["", "", "", ""]
    step(app)
    assert tapes(app) == ["10", "10", "10", "10"]
    assert [body.count('data-ran="true"') for body in code(app)] == [3, 4]
    step(app, 2)
    assert tapes(app) == ["10, 20, 30", "10, 10, 10", "10, 20, 30", "10, 20, 30"]
    assert [body.count('data-ran="true"') for body in code(app)] == [1, 2]
    assert any("<b>1, 0, 0</b> times" in body for body in html_of(app, "jax.jit(broken)"))
    assert any("the first answer, again and again" in each.value for each in app.markdown)
    assert any("jax/issues/5595" in each.value for each in app.markdown)


@pytest.mark.parametrize(("name", "how"), WAYS)
def test_every_entry_plays_to_its_end_under_every_transformation(name, how):
    app = opened(entry=name, transformation=how, step="3")
    assert not app.exception
    assert not app.info
    assert all(tape.count(",") >= 2 for tape in tapes(app))
    met = any(each.value.startswith("People met it here") for each in app.markdown)
    assert met == (entry(name).issue is not None)


def test_what_is_left_behind_shows_after_every_call():
    app = opened(entry="self_array")
    assert not html_of(app, "UnexpectedTracerError")
    step(app)
    assert ">2</output>" in html_of(app, "after jax.jit(fixed)")[0]
    step(app, 2)
    assert "UnexpectedTracerError" in html_of(app, "after jax.jit(broken)")[0]
    assert ">4</output>" in html_of(app, "after jax.jit(fixed)")[0]
    assert any("leaked" in block.value.lower() for block in app.code)


def test_printed_lines_come_to_the_visitor_s_own_log():
    app = step(opened(entry="print_line"), 3)
    broken, fixed = html_of(app, 'class="aside log"')
    assert broken.count("x is ") == 4
    assert "Tracer" in broken
    assert fixed.count("x is ") == 6
    assert "Tracer" not in fixed
    assert html_of(app, "fixed_in_a_script")
    assert not html_of(opened(entry="print_line"), "x is 1.0")


def test_a_refusal_shows_its_error_and_keeps_no_program():
    app = step(opened(entry="python_if"))
    assert html_of(app, 'data-kind="error" tabindex="0">TracerBoolConversionError: ')
    assert any(each.value.startswith("No program:") for each in app.markdown)


def test_a_batch_runs_the_body_once():
    app = step(opened(entry="self_number", transformation="vmap"), 3)
    assert any("<b>3, 3, 3</b> times" in body for body in html_of(app, "broken in a Python loop"))
    assert any("<b>1, 1, 1</b> times" in body for body in html_of(app, "jax.vmap(broken)"))


def test_both_fixes_of_the_python_if_can_be_chosen():
    app = step(opened(entry="python_if", fix="fixed_cond"), 3)
    assert "lax" in code(app)[1]
    assert tapes(app)[2:] == ["1, 2, 30", "1, 2, 30"]


def test_a_back_and_a_reset():
    app = step(opened(), 2)
    app.button(key="back").click().run()
    assert tapes(app)[1] == "10"
    before = app.session_state["purity:lanes"]
    assert len(before["broken"].moments) == 3
    app.button(key="reset").click().run()
    assert len(app.session_state["purity:lanes"]["broken"].moments) == 1
    step(app)
    assert app.session_state["purity:lanes"]["broken"].made is not before["broken"].made


def test_another_group_starts_at_its_first_entry_and_at_call_0():
    app = step(opened(transformation="grad"), 3)
    app.session_state["purity_guess"] = "other answers"
    app.run()
    group = next(each for each in app.get("button_group") if each.label == "Where it hides")
    group.set_value("In the world").run()
    assert app.session_state["purity_entry"] == "print_line"
    assert app.session_state["purity_transformation"] == "grad"
    assert app.session_state["purity_guess"] is None
    assert tapes(app) == ["", "", "", ""]


@pytest.mark.parametrize(
    ("setting", "text"),
    [("entry", "nothing"), ("transformation", "pmap"), ("fix", "x"), ("step", "4"), ("step", "-1"), ("step", "one")],
)
def test_a_bad_setting_gives_the_default_and_a_note(setting, text):
    app = opened(**{setting: text})
    assert not app.exception
    assert any(f"asks for {setting} = " in note.value for note in app.info)
    assert tapes(app) == ["", "", "", ""]


def test_a_transformation_that_an_entry_is_not_shown_with_is_named():
    app = opened(entry="clock", transformation="vmap", step="1")
    assert any("not shown with transformation = vmap: using jit" in note.value for note in app.info)
    assert app.session_state["purity_transformation"] == "jit"


def test_the_checker_is_asked_on_a_button_and_says_what_it_cannot_see():
    app = opened()
    assert all(any(blind in each.value for each in app.markdown) for blind in CANNOT_SEE)
    assert len(html_of(app, "Not asked yet")) == 2
    app.button(key="check").click().run()
    assert "freezes a value" in html_of(app, '<ul class="report">')[0]
    assert html_of(app, "No impurity showed in 3 calls")
    app = opened(entry="global_read")
    app.button(key="check").click().run()
    assert html_of(app, "It cannot see this impurity: nobody changes the global")
    assert html_of(app, "bakes a value in")


def test_the_whole_catalogue_is_played_on_a_button():
    app = opened()
    assert len(html_of(app, "not played yet")) == len(ENTRIES)
    app.button(key="play_all").click().run()
    assert not app.exception
    assert not html_of(app, "not played yet")
    rows = app.session_state["purity:rows"]
    caught = sum(not (row.report.pure and row.report.traceable) for row in rows.values())
    assert caught == len([each for each in ENTRIES if not each.unseen])
    assert any(f"{caught} caught by the checker" in each.value for each in app.markdown)
    app.button(key="open_clock").click().run()
    assert app.session_state["purity_entry"] == "clock"
    assert not html_of(app, "not played yet")


EXPERIMENTS = {
    tries.retraced: "20, 20, 30, 20",
    tries.rows_of_a_batch: "1",
    tries.calls_of_a_gradient: "5, 1",
    tries.static_argument: "2",
    tries.nobody_changed_it: "no impurity showed: True, bakes a value in: True, jit: 20, 20",
}


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda each: each.__name__)
def test_an_experiment_does_what_the_page_says(experiment):
    assert show.value(experiment()) == EXPERIMENTS[experiment]
    assert source.height(experiment) < 20


def test_the_two_checkers_catch_the_leak():
    assert "leaks a tracer" in tries.in_a_test()
    with pytest.raises(Exception, match=r"(?i)leak|index"):
        tries.caught_in_the_act()


# on the page: the whole result, or how its text begins
SHOWN = {
    "A thaw": EXPERIMENTS[tries.retraced],
    "A thousand rows": EXPERIMENTS[tries.rows_of_a_batch],
    "Five slopes": EXPERIMENTS[tries.calls_of_a_gradient],
    "An if that works": EXPERIMENTS[tries.static_argument],
    "Past the checker": EXPERIMENTS[tries.nobody_changed_it],
}
BEGINS = {"In your tests": "in_a_test", "Caught in the act": "Exception: Leaked trace"}


def test_every_experiment_shows_its_result_on_the_page():
    app = opened()
    shown = {title: result(app, "purity", title) for title in helpers.experiments(app, "purity")}
    beginnings = {title: shown.pop(title, "") for title in BEGINS}
    assert shown == SHOWN
    assert all(beginnings[title].startswith(text) for title, text in BEGINS.items())
    assert "is not pure" in beginnings["In your tests"]


def test_two_visitors_do_not_mix():
    first, second = opened(entry="print_line"), opened(entry="print_line")
    step(first, 2)
    step(second)
    first_log, second_log = (html_of(each, 'class="aside log"')[1] for each in (first, second))
    assert (first_log.count("x is "), second_log.count("x is ")) == (4, 2)
