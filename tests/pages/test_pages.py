"""Every page as Streamlit runs it, from `app.py`."""

import inspect

import pytest

from stateui import course
from tests.pages.helpers import ROOT, experiments, html_of, lanes, opened, result, step

PAGES = sorted(path.stem for path in (ROOT / "pages").glob("*.py"))


def test_the_course_and_the_folder_of_pages_agree():
    assert len(PAGES) >= 2
    assert sorted(lesson.name for lesson in course.LESSONS if lesson.name != "home") == PAGES


@pytest.mark.parametrize("name", ["home", *PAGES])
def test_a_page_opens_without_an_error_and_says_what_it_claims(name):
    app = opened(name)
    assert not app.exception
    assert app.title[0].value == course.lesson(name).title
    assert any(course.lesson(name).claim in each.value for each in app.markdown)


@pytest.mark.parametrize("name", PAGES)
def test_a_lesson_asks_first_and_one_click_skips(name):
    app = opened(name)
    assert any("Predict first" in each.value for each in app.markdown)
    app.button(key=f"{name}_guess_skip").click().run()
    assert any("Prediction skipped" in each.value for each in app.markdown)


def test_three_steps_on_the_counter():
    app = step(opened("counter"), 3)
    values = {key: [int(value) for value in lane.tape] for key, lane in lanes(app, "counter").items()}
    assert values == {"plain": [1, 2, 3], "broken": [1, 1, 1], "fixed": [1, 2, 3]}


def test_the_lines_of_the_jitted_method_are_lit_on_call_1_only_and_again_after_a_reset():
    app = opened("counter")

    def lit() -> list[int]:
        methods = html_of(app, "What is called")
        assert len(methods) == 3
        return [body.count('data-ran="true"') for body in methods]

    assert lit() == [0, 0, 0]
    app.button(key="step").click().run()
    assert lit() == [2, 2, 1]
    app.button(key="step").click().run()
    assert lit() == [2, 0, 0]
    app.button(key="reset").click().run()
    assert lit() == [0, 0, 0]
    app.button(key="step").click().run()
    assert lit() == [2, 2, 1]


def test_back_shows_every_panel_a_call_before_and_calls_nothing():
    app = opened("counter")
    for key in ("step", "step", "step", "back"):
        app.button(key=key).click().run()
    shown = lanes(app, "counter")
    assert {key: (lane.calls, len(lane.moments)) for key, lane in shown.items()} == dict.fromkeys(shown, (2, 4))
    assert inspect.unwrap(shown["plain"].made).__self__.n == 3


def test_an_address_leads_to_an_exact_call():
    app = opened("counter", step="3")
    assert {lane.calls for lane in lanes(app, "counter").values()} == {3}


@pytest.mark.parametrize("nonsense", ["-1", "1001", "abc", "nan", "1e9", "9" * 400, "", "<script>alert(1)</script>", "2.5"])
def test_a_bad_step_gives_the_default_and_a_note(nonsense):
    app = opened("counter", step=nonsense)
    assert not app.exception
    assert {lane.calls for lane in lanes(app, "counter").values()} == {0}
    assert any("step" in note.value and "whole number from 0 to 1,000" in note.value for note in app.info)


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        ("seed", "-1"), ("seed", "4294967296"), ("seed", "one"), ("learning_rate", "inf"), ("learning_rate", "nan"),
        ("learning_rate", "-0.1"), ("learning_rate", "1e300"), ("steps", "7"), ("points", "0"), ("points", "10000000"),
        ("noise", "-1"), ("weight", "1e10"), ("bias", "x"), ("step", "-5"), ("forks", "250"), ("forks", "1:nan"),
        ("forks", "99999:0.1"), ("exact", "maybe"),
    ],
)  # fmt: skip
def test_a_bad_setting_of_the_regression_gives_the_default_and_a_note(setting, text):
    app = opened("regression", **{setting: text})
    assert not app.exception
    assert any(f"asks for {setting} = " in note.value for note in app.info)
    assert len(app.session_state["regression:visit"].training.history) == 1001


def test_a_step_past_the_end_is_the_last_step_with_a_note():
    app = opened("regression", step="5000")
    assert any("Step 5,000 is past the end" in note.value for note in app.info)
    assert app.session_state["regression_step"] == 1000


def test_too_many_points_times_steps_is_refused_in_words():
    app = opened("regression", points="1000000", steps="10000")
    assert not app.exception
    assert any("choose fewer points or fewer steps" in note.value for note in app.warning)


def test_the_page_s_own_run_is_one_choice_away():
    app = opened("regression", exact="True")
    history = app.session_state["regression:visit"].training.history
    assert [f"{column[1000]:.7f}" for column in history.states] == ["1.9722791", "-1.0331397"]


def test_a_fork_in_the_address_is_run():
    app = opened("regression", forks="250:0.1,500:0.3", step="400")
    run = app.session_state["regression:visit"].training
    assert run.rates[-1] == ((0, 0.005), (250, 0.1), (500, 0.3))
    assert app.session_state["regression_step"] == 400


def test_a_diverging_run_says_so_and_why():
    app = opened("regression", learning_rate="2.5")
    assert not app.exception
    assert any("diverges" in note.value and "2/λmax" in note.value for note in app.warning)


# what the rules of jit make of each: a trace reads the count once, and every new object, wrapper or shape is traced anew
EXPERIMENTS = {
    "Drop the state": "1, 1, 1",
    "Reset, then call": "1, 1, 1",
    "jit it again": "1, 1",
    "A new object": "1, 1, 8, 8",
    "Wrapper thrown away": "1, 2, 3",
    "Wrapper kept": "1, 1, 1",
    "A new shape": "1, 1, 2, 2, 1",
    "Go on from the past": "2",
    "Only looking": "1, 1, 1",
    "Looking after a call": "1",
}


def test_every_experiment_of_the_counter_shows_what_the_rules_of_jit_say():
    app = opened("counter")
    assert {title: result(app, "counter", title) for title in experiments(app, "counter")} == EXPERIMENTS


def test_two_visitors_do_not_mix():
    first, second = opened("counter"), opened("counter")
    step(first, 2)
    step(second)
    assert [lane.calls for lane in lanes(first, "counter").values()] == [2, 2, 2]
    assert [lane.calls for lane in lanes(second, "counter").values()] == [1, 1, 1]
    assert lanes(second, "counter")["broken"].moment.seen.traced
