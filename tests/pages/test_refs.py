"""The lesson on Refs as Streamlit runs it."""

from functools import partial

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from statecore.refs import compiled, cost, programs, threads
from statecore.refs.refusals import REFUSALS
from tests.pages import helpers
from tests.pages.helpers import ROOT, html_of

opened = partial(helpers.opened, "refs")


def said(app: AppTest) -> str:
    return "\n".join(each.value for each in app.markdown)


def numbers(app: AppTest) -> dict[str, list]:
    return {key: [np.asarray(value).tolist() for value in lane.tape] for key, lane in app.session_state["refs:lanes"].items()}


def test_nothing_dear_runs_until_it_is_asked_for(monkeypatch):
    def never(*args, **kwargs):
        raise AssertionError("ran on page load")

    monkeypatch.setattr(compiled, "read", never)
    monkeypatch.setattr(cost, "measure", never)
    monkeypatch.setattr(threads, "race", never)
    app = opened()
    assert not app.exception


def test_the_ref_counts_and_the_prediction_is_judged():
    app = opened()
    for _ in range(3):
        app.button(key="step").click().run()
    assert numbers(app) == {"broken": [1, 1, 1], "ref": [1, 2, 3], "fixed": [1, 2, 3]}
    assert "The machine says **1, 2, 3**" in said(app)
    assert any("a:Ref{i32[]}" in body and "argument" in body for body in html_of(app, "jaxpr"))


def test_the_other_programs_start_over():
    app = opened()
    app.button(key="step").click().run()
    app.segmented_control(key="refs_program").set_value("reset").run()
    assert numbers(app) == {"broken": [], "ref": [], "fixed": []}
    for _ in range(programs.RESET_BEFORE):
        app.button(key="step").click().run()
    assert numbers(app) == {"broken": [1, 1, 1, 1], "ref": [1, 2, 3, 1], "fixed": [1, 2, 3, 1]}
    app.segmented_control(key="refs_program").set_value("scan").run()
    app.button(key="step").click().run()
    assert numbers(app) == {"broken": [[1] * 5], "ref": [[1, 2, 3, 4, 5]], "fixed": [[1, 2, 3, 4, 5]]}
    assert not app.exception


def test_back_shows_a_call_again_and_makes_none():
    app = opened()
    for key in ("step", "step", "back"):
        app.button(key=key).click().run()
    assert numbers(app) == {"broken": [1], "ref": [1], "fixed": [1]}
    assert {len(lane.moments) for lane in app.session_state["refs:lanes"].values()} == {3}


def test_an_address_leads_to_an_exact_call():
    app = opened(program="scan", step="2")
    assert numbers(app)["ref"] == [[1, 2, 3, 4, 5], [6, 7, 8, 9, 10]]


@pytest.mark.parametrize(("setting", "text"), [("step", "1001"), ("step", "x"), ("program", "jump")])
def test_a_bad_setting_gives_the_default_and_a_note(setting, text):
    app = opened(**{setting: text})
    assert not app.exception
    assert any(f"asks for {setting} = " in note.value for note in app.info)


def test_the_compiled_program_shows_the_ref_as_an_argument_and_a_result():
    app = opened()
    app.button(key="compile").click().run()
    assert not app.exception
    assert "Argument 0 and result 1 share one buffer" in said(app)
    ref, explicit, donated = html_of(app, "func.func public @main")
    for listing in (ref, donated):
        assert 'data-role="argument"' in listing
        assert 'data-role="alias"' in listing
        assert 'data-role="result"' in listing
    assert "<mark" not in explicit
    app.segmented_control(key="form").set_value("HLO").run()
    assert len(html_of(app, "input_output_alias={")) == 2
    app.segmented_control(key="form").set_value("jaxpr").run()
    assert any('data-role="write"' in body for body in html_of(app, "Ref{i32[]}"))


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.title)
def test_every_refusal_is_run_with_its_fix(refusal):
    app = opened()
    app.session_state["refusal"] = refusal.title
    app.run()
    app.button(key="run_both").click().run()
    assert not app.exception
    assert refusal.why in said(app)
    broken, fixed = app.session_state["refs:refusals"][refusal.title].values()
    assert broken[0].error is not None
    assert fixed[0].error is None
    shown = html_of(app, type(broken[0].error).__name__)
    assert shown
    assert str(ROOT) not in "".join(shown)


def test_purity_is_put_to_the_test():
    app = opened()
    app.button(key="put_through").click().run()
    outside, inside = html_of(app, "state through")
    assert outside.count('data-kind="error"') == 2
    assert inside.count('data-kind="error"') == 0
    assert "[11.0, 13.0, 16.0, 20.0]" in outside
    assert inside.count("[1.0, 3.0, 6.0, 10.0]") >= 3


def test_the_cost_is_measured_when_asked_for(monkeypatch):
    real = cost.measure
    monkeypatch.setattr(cost, "measure", lambda **_: real(calls=50, batches=2))
    app = opened()
    app.button(key="measure").click().run()
    assert not app.exception
    found = app.session_state["refs:cost"]
    assert list(found) == ["explicit call", "Ref call", "explicit scan", "Ref scan"]
    assert "A call with a Ref took" in said(app)


def test_with_the_lock_every_call_counts():
    app = opened()
    app.button(key="race_locked").click().run()
    assert "With the lock: 400 calls, counted **400**, no error." in said(app)


def test_every_experiment_runs_and_shows_its_result():
    app = opened()
    told = []
    for title in ("Write from outside", "…and hidden state", "Replace the Ref", "An old Ref", "An old state"):
        app.session_state["refs_experiment"] = title
        app.run()
        app.button(key="run").click().run()
        assert not app.exception
        told.append(html_of(app, '<output class="tape">')[-1].removeprefix('<output class="tape">').removesuffix("</output>"))
    assert told == ["1, 2, 101", "1, 1, 1", "1, 2, 3", "1", "0"]


def test_two_visitors_do_not_share_a_ref():
    first, second = opened(), opened()
    for _ in range(2):
        first.button(key="step").click().run()
    second.button(key="step").click().run()
    assert numbers(first)["ref"] == [1, 2]
    assert numbers(second)["ref"] == [1]
