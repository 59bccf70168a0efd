"""The transformations lesson as Streamlit runs it."""

from functools import partial

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from statecore import transformations as tf
from tests.pages import helpers
from tests.pages.helpers import experiments, html_of, lanes, result, step

opened = partial(helpers.opened, "transformations")
DEAR = ("measure", "train_all", "draw_curve", "learn_rate")


def said(app: AppTest) -> str:
    return "\n".join(each.value for each in app.markdown)


def test_nothing_dear_runs_until_it_is_asked_for(monkeypatch):
    def never(*args, **kwargs):
        raise AssertionError("ran on page load")

    for name in ("timings", "learn_together", "rate_curve", "learn_rate", "make_data"):
        monkeypatch.setattr(tf, name, never)
    app = opened()
    assert not app.exception
    assert all(app.button(key=key) for key in DEAR)


def test_the_carry_is_refused_in_full_and_the_fixed_one_goes_on():
    app = step(opened(), 2)
    called = lanes(app, "transformations")
    assert [type(each) for each in called["broken"].tape] == [TypeError, TypeError]
    assert int(called["fixed"].moment.state.count) == 8
    (error,) = html_of(app, 'aria-label="the error"')
    assert '<mark class="baked">int32[]</mark>' in error
    assert '<mark class="argument">float32[]</mark>' in error
    assert any("no program" in each.value for each in app.markdown)
    # above the table stands the error, which names both types
    broken, fixed = (each.partition("<table")[2] for each in html_of(app, "State, before → after"))
    assert "0\u00a0int32" in broken
    assert "float32" not in broken
    assert "float32" in fixed


def test_the_first_call_lights_the_step_and_the_second_only_the_caller():
    app = opened()

    def lit() -> list[int]:
        return [body.count('data-ran="true"') for body in html_of(app, ">What is called<")]

    app.button(key="step").click().run()
    assert lit() == [3, 3]
    app.button(key="step").click().run()
    assert lit() == [3, 0]  # what raises is traced again at every call


def test_the_measurement_judges_the_prediction(monkeypatch):
    real = tf.timings
    monkeypatch.setattr(tf, "timings", lambda params, data: real(params, data, seconds=0.05))
    app = opened()
    app.button(key="measure").click().run()
    assert not app.exception
    timings = app.session_state["transformations:timings"][128]
    assert list(timings) == [variant.name for variant in tf.VARIANTS]
    speed = {name: timing.steps_per_second for name, timing in timings.items()}
    assert "The machine says" in said(app)
    assert "On 128 points a step took plain Python" in said(app)
    quicker = max(("plain Python", "jitted step, Python loop"), key=speed.__getitem__)
    assert f"{'the jitted step' if 'jitted' in quicker else quicker} is" in said(app)


def test_many_learners_are_trained_when_asked_for():
    app = opened(learners="16", highest_rate="1.0", steps="100", at="40")
    app.button(key="train_all").click().run()
    assert not app.exception
    assert "the smallest of the 16 losses is" in said(app)
    assert 'data-step="40"' in said(app)
    assert "where learning diverges" in said(app)


def test_the_slope_agrees_with_two_more_runs_and_the_rate_is_learned():
    app = opened(learning_rate="0.05", run_steps="10")
    app.button(key="learn_rate").click().run()
    assert not app.exception
    found = {each.label: float(each.value.replace("−", "-")) for each in app.metric}
    assert found["slope, by grad"] < 0
    np.testing.assert_allclose(found["slope, by grad"], found["slope, by two more runs"], rtol=0.02)
    assert found["rate learned"] > app.session_state["transformations_learning_rate"]


def test_an_address_leads_to_an_exact_moment():
    app = opened(step="2", learning_rate="0.021", points="16")
    assert {lane.calls for lane in lanes(app, "transformations").values()} == {2}
    assert app.session_state["transformations_points"] == 16
    assert app.session_state["transformations_learning_rate"] == pytest.approx(0.02, rel=0.1)


@pytest.mark.parametrize(
    ("setting", "text"),
    [("step", "-1"), ("seed", "x"), ("learners", "5"), ("steps", "7"), ("highest_rate", "9"), ("learning_rate", "nan"),
     ("learning_rate", "5"), ("run_steps", "0"), ("points", "3"), ("at", "1e9")],
)  # fmt: skip
def test_a_bad_setting_gives_the_default_and_a_note(setting, text):
    app = opened(**{setting: text})
    assert not app.exception
    assert any(f"asks for {setting} = " in note.value for note in app.info)


def test_every_experiment_runs_and_shows_its_result():
    app = opened()
    titles = experiments(app, "transformations")
    assert len(titles) == 10
    told = {title: result(app, "transformations", title) for title in titles}
    errors = [title for title in titles if "Error" in told[title]]
    assert errors == ["…and once more", "A carry that grows", "A key that comes later"]
    assert "UnexpectedTracerError" in told["…and once more"]
