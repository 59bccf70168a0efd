"""The batch normalisation lesson, as a learner does it."""

import pytest

pytestmark = pytest.mark.browser


def test_a_learner_trains_and_evaluates_and_meets_the_leak(visitor):
    me = visitor("batchnorm")
    me.page.get_by_text("the right output", exact=True).click()
    me.settle()
    before = [me.page.locator(f".st-key-{key}").bounding_box() for key in ("step", "broken", "fixed")]
    me.click("step")
    assert me.lit("broken") > 4
    assert me.lit("fixed") > 4
    me.click("step")
    assert me.tape("broken") == "0.000 ± 1.000, UnexpectedTracerError"
    assert me.tape("fixed") == me.tape("plain")
    assert "You said the right output, the machine says an error" in me.text("predict")
    after = [me.page.locator(f".st-key-{key}").bounding_box() for key in ("step", "broken", "fixed")]
    assert [box["height"] for box in before] == [box["height"] for box in after]
    assert max(box["y"] + box["height"] for box in after) - after[0]["y"] <= 900
    me.click("step")
    assert me.lit("fixed") == 0  # both programs were traced by now


def test_evaluated_first_it_never_raises_and_is_frozen(visitor):
    me = visitor("batchnorm").click("step")
    me.page.get_by_text("evaluate first, then train").click()
    me.settle()
    assert "call 0" in me.text("controls")
    me.click("step", times=3)
    assert "Error" not in me.tape("broken")
    assert me.tape("fixed") == me.tape("plain")
    assert me.tape("broken") != me.tape("plain")
    assert "order=evaluate" in me.page.url
    assert "calls_step=3" in me.page.url
    assert me.page.locator(".st-key-broken_program mark.baked").count() >= 4


def test_the_stream_is_played_and_the_statistics_close_in(visitor):
    me = visitor("batchnorm")
    me.action("play").click()
    me.at_rest(200)
    assert (me.readout("broken", "mean"), me.readout("broken", "var")) == ("0.000", "1.000")
    assert float(me.readout("fixed", "mean")) == pytest.approx(3, abs=0.6)
    assert float(me.readout("fixed", "var")) == pytest.approx(4, abs=1.5)
    assert abs(float(me.readout("fixed", "eval_mean").replace("−", "-"))) < 0.5
    assert me.readout("broken", "eval_mean") != me.readout("fixed", "eval_mean")
    assert "step=200" in me.page.url


def test_momentum_is_turned_and_the_page_says_what_it_means(visitor):
    me = visitor("batchnorm?step=120")
    mean = me.readout("fixed", "mean")
    thumb = me.page.locator(".st-key-batchnorm_momentum input[type=range]")
    thumb.focus()
    for _ in range(5):
        me.page.keyboard.press("ArrowLeft")
    me.page.get_by_text("Each batch keeps 0.85 of the past").wait_for(timeout=20_000)
    me.settle()
    assert me.readout("fixed", "mean") != mean
    assert me.step() == 120
    assert "momentum=0.85" in me.page.url


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_phone_shows_it_all_and_nothing_scrolls_sideways(visitor, theme):
    me = visitor("batchnorm?step=50", width=390, height=844, color_scheme=theme)
    me.click("step", times=2)
    wide = me.page.evaluate(
        "() => { const m = document.querySelector('[data-testid=stMain]'); return m.scrollWidth - m.clientWidth }"
    )
    assert wide <= 0
    boxes = [me.page.locator(f".st-key-{panel}").bounding_box() for panel in ("broken", "fixed")]
    assert boxes[1]["y"] > boxes[0]["y"]
