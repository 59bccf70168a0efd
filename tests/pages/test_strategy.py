"""The strategy lesson, as Streamlit runs it."""

from functools import partial

import pytest
from streamlit.testing.v1 import AppTest

from statecore.strategy.pairs import PAIRS
from statecore.strategy.refusals import REFUSALS
from stateui import source
from tests.pages import helpers
from tests.pages.helpers import html_of, lanes, step

opened = partial(helpers.opened, "strategy")


def tapes(app: AppTest) -> dict[str, list]:
    return {key: list(lane.tape) for key, lane in lanes(app, "strategy").items()}


def test_three_steps_on_the_counter():
    app = step(opened(), 3)
    assert {key: [int(value) for value in tape] for key, tape in tapes(app).items()} == {
        "plain": [1, 2, 3], "broken": [1, 1, 1], "fixed": [1, 2, 3],
    }  # fmt: skip
    assert any("The machine says **what plain Python gives**" in each.value for each in app.markdown)


@pytest.mark.parametrize("pair", [pair.name for pair in PAIRS])
@pytest.mark.parametrize("by", ["functionalize", "hand"])
def test_every_class_is_on_the_stage_and_its_pure_form_agrees(pair, by):
    app = step(opened(pair=pair, by=by), 3)
    assert any("The machine says **what plain Python gives**" in each.value for each in app.markdown)


def test_the_untouched_method_is_shown_and_lit_while_it_is_traced():
    app = step(opened(pair="running mean"))

    def lit() -> list[int]:
        return [body.count('data-ran="true"') for body in html_of(app, "What is called")]

    assert all("observe" in body for body in html_of(app, "What is called"))
    assert lit() == [3, 3, 3]
    assert html_of(app, "unguarded")[0].count('data-ran="true"') > 3
    step(app)
    assert lit() == [3, 0, 0]
    assert html_of(app, "unguarded")[0].count('data-ran="true"') == 0


def test_another_class_starts_at_call_0():
    app = step(opened(), 2)
    app.selectbox(key="strategy_pair").set_value("running mean").run()
    assert not app.exception
    assert {len(tape) for tape in tapes(app).values()} == {0}


def test_an_address_leads_to_a_class_and_a_call():
    app = opened(pair="running mean", step="2")
    assert [float(value) for value in tapes(app)["fixed"]] == [3, 2]
    assert [float(value) for value in tapes(app)["broken"]] == [3, 1]


@pytest.mark.parametrize(
    ("setting", "text"), [("pair", "nothing"), ("by", "magic"), ("refusal", "<b>"), ("step", "-1")]
)
def test_a_bad_setting_gives_the_default_and_one_note(setting, text):
    app = opened(**{setting: text})
    assert not app.exception
    assert sum(f"asks for {setting} = " in note.value for note in app.info) == 1
    assert app.session_state["strategy_pair"] == "counter"


@pytest.mark.parametrize("pair", [pair.name for pair in PAIRS])
def test_all_four_transformations_are_equal_to_eager(pair):
    app = opened(pair=pair)
    assert html_of(app, "Not run yet")
    app.button(key="run_all").click().run()
    assert not app.exception
    assert html_of(app, "✓ jit equal · ✓ scan equal · ✓ vmap equal · ✓ grad equal")
    for name in ("jit", "scan", "vmap", "grad"):
        app.session_state["strategy_run"] = name
        app.run()
        assert html_of(app, f"{name}: ")
        assert html_of(app, f"Made pure, under {name}")


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.name)
def test_every_refusal_shows_the_real_error_and_the_mended_class(refusal):
    app = opened(refusal=refusal.name)
    assert html_of(app, source.lit(refusal.shown[0]))
    assert html_of(app, source.lit(refusal.shown[1]))
    app.button(key="refuse").click().run()
    assert not app.exception
    (told,) = html_of(app, "CannotFunctionalize")
    error = app.session_state["strategy:refused"][refusal.name].error
    assert f"<code>{refusal.attribute}</code>" in told
    assert error.attribute == refusal.attribute


def test_what_goes_wrong_silently_is_called_wrong_and_only_that():
    app = opened(refusal="an attribute made on the first call")
    app.button(key="refuse").click().run()
    assert html_of(app, "1, 1, 1 ✗ wrong, and nothing said so")
    app.selectbox(key="strategy_refusal").set_value("a list that grows").run()
    app.button(key="refuse").click().run()
    assert html_of(app, "1, 2, 3 — right this time")


def test_the_forms_of_the_counter_all_count_and_differ_in_what_they_share():
    app = opened()
    app.button(key="try_all").click().run()
    assert not app.exception
    _, trials = app.session_state["strategy:trials:done"]
    assert [trial.jitted for trial in trials] == [[1, 2, 3]] * 5
    assert (len(html_of(app, "same trace")), len(html_of(app, "traced anew"))) == (3, 2)


def test_two_visitors_do_not_mix():
    first, second = step(opened(), 2), step(opened())
    assert (len(tapes(first)["fixed"]), len(tapes(second)["fixed"])) == (2, 1)
    assert lanes(second, "strategy")["fixed"].moment.seen.traced
