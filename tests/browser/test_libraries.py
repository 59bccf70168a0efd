"""The lesson on libraries, as a learner does it."""

import pytest
from playwright.sync_api import expect

from statecore import libraries

pytestmark = pytest.mark.browser

needs_all = pytest.mark.skipif(not all(map(libraries.installed, libraries.LIBRARIES)), reason="needs all libraries")


def test_a_learner_predicts_trains_both_and_sees_the_test_loss_tell(visitor):
    me = visitor("libraries?steps=30").guess("neither")
    me.lights(broken=0, fixed=0)
    before = me.boxes("train_hand", "broken", "fixed", "broken_program")
    me.click("train_hand")
    expect(me.action("play")).to_be_visible(timeout=120_000)
    after = me.boxes("train_hand", "broken", "fixed", "broken_program")
    for was, now in zip(before[:3], after[:3], strict=True):
        assert was["x"] == now["x"]
        assert was["height"] == now["height"]
        assert now["y"] - after[0]["y"] == was["y"] - before[0]["y"]
    player = me.page.locator(".player").bounding_box()
    assert player["y"] + player["height"] - after[0]["y"] <= 900
    me.shows("predict", "You said neither, the machine says the test loss")
    me.action("step").click()
    me.lights(broken=9, fixed=9)
    me.over().action("step").click()
    me.lights(broken=0, fixed=0)
    me.over().page.locator(".player").press("End")
    me.player_at(30)
    expect(me.readout("broken", "running")).to_have_text("0.000")
    assert me.number("broken", "test") > 5 * me.number("fixed", "test")
    assert me.number("broken", "loss") == pytest.approx(me.number("fixed", "loss"), rel=0.01)
    me.address("/libraries?step=30&steps=30")
    me.shows("broken_program", "24 returned as they came in")
    me.shows("fixed_program", "24 computed")


@needs_all
def test_all_are_trained_and_one_is_looked_into(visitor):
    me = visitor("libraries?steps=30")
    me.click("train_all")
    rows = me.page.locator(".results tbody tr")
    expect(rows).to_have_count(4, timeout=120_000)
    expect(me.page.locator(".results tbody")).not_to_contain_text("—", timeout=120_000)
    me.over()
    for title, found in (
        ("Flax NNX", "traces=5"),
        ("Equinox", "ValueError: Attempted to use old state"),
        ("Haiku", "gives 0"),
    ):
        me.page.locator(".st-key-libraries_library").get_by_text(title, exact=True).click()
        expect(me.page.get_by_role("heading", name=f"The trap: {title}")).to_be_visible()
        me.over().click("run_trap")
        expect(me.part("broken_trap")).to_contain_text(found, timeout=120_000)
        expect(me.lit("broken", "trap").nth(1)).to_be_attached()  # two lines or more
    expect(me.page.locator('[role=figure][aria-label*="statistic"]')).to_have_count(1)


def test_the_whole_programs_can_be_read(visitor):
    me = visitor("libraries?steps=30").click("train_hand")
    expect(me.action("play")).to_be_visible(timeout=120_000)
    me.over().page.get_by_text("Show the whole programs").click()
    expect(me.part("fixed_program").locator(".jaxpr")).to_contain_text("let")
