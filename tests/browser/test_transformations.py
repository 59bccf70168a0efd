"""The transformations lesson: measured, refused, many at once, and differentiated."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


@pytest.fixture
def me(visitor):
    return visitor("transformations")


def test_the_machine_is_measured_and_the_prediction_judged(me):
    me.guess("plain Python").click("measure")
    expect(me.part("cancel")).to_be_visible()
    me.shows("speed_controls", "Measuring on this machine")
    expect(me.part("speed_words")).to_contain_text("On 128 points a step took", timeout=120_000)
    me.over().shows("predict", "You said plain Python")
    me.shows("speed_words", "went into calling: with the loop inside")
    expect(me.part("speeds").locator(".bars .point")).to_have_count(6)


def test_a_measurement_can_be_cancelled(me):
    me.click("measure").click("cancel")
    expect(me.part("cancel")).to_have_count(0)
    me.over().shows("speed_words", "Nothing measured yet")


def test_scan_refuses_the_carry_and_the_page_says_all_of_it(me):
    me.step().tapes(broken="TypeError", fixed=re.compile(r"^\[4, "))
    expect(me.lit("fixed").first).to_be_attached()
    me.step().lights(fixed=0)
    me.shows("carry_error", "state.mean")
    me.address("step=2")
    (box,) = me.boxes("stage")
    assert box["height"] <= 900


def test_learners_play_in_the_browser_and_rest(me):
    me.click("train_all")
    expect(me.page.locator(".player")).to_be_visible(timeout=120_000)
    me.action("step").click()
    me.page.locator(".scrub").fill("30")
    expect(me.part("learners_rest").locator('[data-step="30"]')).to_have_count(1)
    me.player_at(30)
    me.address("at=30")
    assert me.number("all", "loss") < me.number("all", "slowest")


def test_the_rate_is_learned_by_gradient(me):
    me.click("learn_rate")
    expect(me.page.get_by_text("steps of gradient descent took the rate from")).to_be_visible(timeout=120_000)
    expect(me.part("loss_by_rate").locator(".scatterlayer")).to_be_attached()
    me.shows("slopes", "slope, by grad")
    expect(me.part("slopes")).not_to_contain_text("—")
