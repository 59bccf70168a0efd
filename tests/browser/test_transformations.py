"""The transformations lesson: measured, refused, many at once, and differentiated."""

import pytest

pytestmark = pytest.mark.browser


@pytest.fixture
def me(visitor):
    return visitor("transformations")


def test_the_machine_is_measured_and_the_prediction_judged(me):
    me.page.get_by_text("plain Python", exact=True).first.click()
    me.settle()
    me.page.locator(".st-key-measure button").click()
    me.page.locator(".st-key-cancel button").wait_for()
    me.page.locator(".st-key-speed_controls").get_by_text("Measuring on this machine").wait_for()
    me.page.get_by_text("On 128 points a step took").wait_for(timeout=60_000)
    me.settle()
    assert "You said plain Python" in me.text("predict")
    assert "went into calling: with the loop inside" in me.text("speed_words")
    assert me.page.locator(".st-key-speeds .bars .point").count() == 6


def test_a_measurement_can_be_cancelled(me):
    me.page.locator(".st-key-measure button").click()
    me.page.locator(".st-key-cancel button").click()
    me.settle()
    assert me.page.locator(".st-key-cancel button").count() == 0
    assert "Nothing measured yet" in me.text("speed_words")


def test_scan_refuses_the_carry_and_the_page_says_all_of_it(me):
    me.click("step")
    me.at_call(1)
    assert me.tape("broken") == "TypeError"
    assert me.tape("fixed").startswith("[4, ")
    assert me.lit("fixed") > 0
    me.click("step")
    me.at_call(2)
    assert me.lit("fixed") == 0
    assert "state.mean" in me.text("carry_error")
    assert "step=2" in me.page.url
    box = me.page.locator(".st-key-stage").bounding_box()
    assert box["height"] <= 900


def test_learners_play_in_the_browser_and_rest(me):
    me.click("train_all")
    me.page.locator(".player").wait_for()
    me.action("step").click()
    me.page.locator(".scrub").fill("30")
    me.page.locator('.st-key-learners_rest [data-step="30"]').wait_for()
    assert me.step() == 30
    assert "at=30" in me.page.url
    assert float(me.readout("all", "loss")) < float(me.readout("all", "slowest"))


def test_the_rate_is_learned_by_gradient(me):
    me.click("learn_rate")
    me.page.locator(".st-key-loss_by_rate .scatterlayer").wait_for()
    slopes = me.text("slopes")
    assert "slope, by grad" in slopes
    assert "—" not in slopes
    me.page.get_by_text("steps of gradient descent took the rate from").wait_for()


def test_on_a_phone_nothing_scrolls_sideways(visitor):
    me = visitor("transformations?step=1", width=390, height=844)
    for key in ("train_all", "learn_rate"):
        me.click(key)
    wide = me.page.evaluate("() => { const m = document.querySelector('[data-testid=stMain]'); return m.scrollWidth - m.clientWidth; }")
    assert wide <= 1
