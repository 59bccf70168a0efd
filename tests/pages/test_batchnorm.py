"""The batch normalisation page as Streamlit runs it."""

import re
from functools import partial

import jax
import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from statecore import batchnorm
from stateui.figures import batchnorm as figures
from tests.pages import helpers
from tests.pages.helpers import experiments, html_of, lanes, raised, result, step

opened = partial(helpers.opened, "batchnorm")
LINE = re.compile(r'<div class="line" data-ran="(true|false)">(.*?)</div>', re.DOTALL)


def stream(app: AppTest):
    return app.session_state["batchnorm:visit"].stream


def test_trained_first_the_broken_layer_raises_and_the_prediction_is_judged():
    app = step(opened(), 2)
    assert [isinstance(each, Exception) for each in lanes(app, "batchnorm_calls")["broken"].tape] == [False, True]
    assert any("The machine says **an error**" in each.value for each in app.markdown)
    assert any("ended in an error, so there is no program" in each.value for each in app.markdown)
    assert any("Call 2 was to **evaluate**" in each.value for each in app.markdown)
    tapes = html_of(app, '<output class="tape">')
    assert "UnexpectedTracerError" in tapes[0]
    assert tapes[1] == tapes[2]  # the fixed layer gives what plain Python gives
    assert "0.000 ± 1.000" in tapes[1]


def test_evaluated_first_the_evaluation_is_frozen():
    app = opened(order="evaluate", calls_step="3")
    assert [isinstance(each, Exception) for each in lanes(app, "batchnorm_calls")["broken"].tape] == [False] * 3
    outputs = [np.asarray(lane.tape[2]).mean() for lane in lanes(app, "batchnorm_calls").values()]
    assert outputs[0] != pytest.approx(outputs[1], abs=0.1)
    baked = [constant.origin.name for constant in lanes(app, "batchnorm_calls")["broken"].kept.baked]
    assert "self.mean" in baked


def test_the_pure_function_below_the_layer_is_lit_branch_by_branch():
    app = opened()
    app.button(key="step").click().run()
    *_, fixed = html_of(app, "What is called")
    lines = [(ran == "true", re.sub("<[^>]+>", "", text)) for ran, text in LINE.findall(fixed)]
    lit = {text.strip() for ran, text in lines if ran}
    dark = {text.strip() for ran, text in lines if not ran}
    assert "state = follow(state, mean, var, len(x)," in lit
    assert "mean, var = state" in dark


def test_the_player_shows_the_run_of_the_settings():
    app = opened(batch="8", momentum="0.8", unbiased="True", steps="50", seed="7", mean="-1", var="2")
    expected = batchnorm.run(jax.random.key(7), -1.0, 2.0, 8, 50, 0.8, 1)
    np.testing.assert_array_equal(stream(app).threaded.mean, expected.mean)
    assert set(stream(app).frozen.eval_mean) == {stream(app).frozen.eval_mean[0]}


def test_momentum_changes_the_layer_but_not_the_stream():
    app = opened(steps="50")
    before = stream(app)
    app.slider(key="batchnorm_momentum").set_value(0.5).run()
    after = stream(app)
    assert after.frozen is before.frozen
    np.testing.assert_array_equal(after.threaded.batch_mean[1:], before.threaded.batch_mean[1:])
    assert not np.array_equal(after.threaded.mean, before.threaded.mean)
    assert any("Each batch keeps 0.5 of the past" in each.value for each in app.markdown)


def test_what_a_small_batch_shows_of_the_variance_is_said_and_can_be_fixed():
    app = opened(batch="2", steps="50", step="50")
    assert any("shows on average 0.5 of the variance" in each.value for each in app.markdown)
    app.toggle(key="batchnorm_unbiased").set_value(True).run()
    assert any("right on average whatever the batch size" in each.value for each in app.markdown)


@pytest.mark.parametrize(
    ("setting", "text"),
    [("order", "x"), ("batch", "3"), ("momentum", "1"), ("unbiased", "1"), ("steps", "7"), ("mean", "nan"),
     ("var", "0"), ("seed", "-1"), ("step", "x"), ("calls_step", "1001")],
)  # fmt: skip
def test_a_bad_setting_gives_the_default_and_a_note(setting, text):
    app = opened(**{setting: text})
    assert not app.exception
    assert any(f"asks for {setting} = " in note.value.replace("\\", "") for note in app.info)
    assert len(stream(app).threaded) == 201


def test_a_step_past_the_end_is_the_last_step_with_a_note():
    app = opened(step="900")
    assert any("Step 900 is past the end" in note.value for note in app.info)
    assert app.session_state["batchnorm_step"] == 200


def test_every_experiment_runs_and_shows_its_result():
    app = opened(steps="50")
    titles = experiments(app, "batchnorm")
    assert len(titles) >= 6
    results = {title: result(app, "batchnorm", title) for title in titles}
    assert not any(map(raised, results.values()))
    assert results["Drop the statistics"] == "mean [0], var [1]"
    assert results["Keep them"] != results["Drop the statistics"]
    assert results["A batch of two"] == "x: [−1, 1], 100 x + 5: [−1, 1]"
    for library in ("Beside Flax", "Beside Equinox"):
        if library in results:
            numbers = [part.partition("[")[2].rstrip("]") for part in results[library].split("mean")[1:]]
            assert len(numbers) == 2
            assert numbers[0].split("]")[0] == numbers[1].split("]")[0]


def test_the_picture_names_errors_and_modes():
    tapes = {"plain": [np.ones((2, 1))], "broken": [ValueError("x")], "fixed": []}
    figure = figures.outputs_by_call(tapes, train_first=False)
    assert [list(trace.y) for trace in figure.data] == [[1.0], [], []]
    assert any("error" in annotation.text for annotation in figure.layout.annotations)
    assert figure.layout.xaxis.ticktext[:2] == ("1<br>evaluate", "2<br>train")
    assert figures.told(tapes, False).endswith(
        "plain: evaluate 1.000 ± 0.000; broken: evaluate ValueError; fixed: no call yet"
    )


def test_two_visitors_do_not_mix():
    first, second = opened(steps="50", seed="1"), opened(steps="50", seed="2")
    first.button(key="step").click().run()
    assert lanes(first, "batchnorm_calls")["broken"].calls == 1
    assert lanes(second, "batchnorm_calls")["broken"].calls == 0
    second.button(key="step").click().run()
    assert all(lane.moment.seen.traced for lane in lanes(second, "batchnorm_calls").values())
    assert not np.array_equal(stream(first).threaded.mean, stream(second).threaded.mean)
