"""The strategy lesson in Chromium: the linked code by mouse, key and finger, and the stage."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def lights(me, side: str, *lines: str) -> None:
    """These lines are lit on one side, and no other."""
    expect(me.page.locator(f'[data-side={side}] [data-lit="true"] .text')).to_have_text(list(lines))


def test_the_stage_of_the_counter(visitor):
    me = visitor("strategy").step(2)
    me.tapes(plain="1, 2", broken="1, 1", fixed="1, 2")
    me.address("/strategy?step=2")
    expect(me.part("broken_program").locator("mark.baked")).to_have_text("1:i32[]")
    expect(me.part("fixed_program").locator("mark.argument")).to_have_text("a:i32[]")


@pytest.mark.parametrize("pair", ["counter", "running mean", "trainer", "batch normalisation"])
def test_the_stage_fits_a_screen_and_does_not_move(visitor, pair):
    me = visitor(f"strategy?pair={pair}")
    before = me.boxes("controls", "plain", "broken", "fixed")
    me.step()
    for old, new in zip(before, me.boxes("controls", "plain", "broken", "fixed"), strict=True):
        assert new == pytest.approx(old, abs=1)
    assert max(box["y"] + box["height"] for box in before) - before[0]["y"] <= 900


def test_the_mouse_lights_the_match_while_it_points(visitor):
    me = visitor("strategy")
    me.page.locator("[data-side=broken]").get_by_text("def count").hover()
    lights(me, "broken", "def count(self) -> int:")
    lights(me, "fixed", "def count(state):")
    me.page.mouse.move(0, 0)
    lights(me, "broken")
    lights(me, "fixed")


def test_a_choice_stays_and_the_keyboard_is_enough(visitor):
    me = visitor("strategy")
    me.page.locator(".linked .chip").first.focus()
    for _ in range(3):
        me.page.keyboard.press("ArrowRight")
    me.page.keyboard.press("Enter")
    lights(me, "broken", "self.n = 0")
    lights(me, "fixed", "return Count(n=0)")
    pressed = me.page.locator('.linked .chip[aria-pressed="true"]')
    expect(pressed).to_have_text(re.compile(r"^\s*4\s*n starts\s*$"))
    expect(me.page.locator(".linked .told")).to_contain_text("its first value")
    me.page.keyboard.press("Escape")
    expect(pressed).to_have_count(0)
    me.at(0)  # the arrows stayed with the numbers


def test_every_number_stands_on_both_sides(visitor):
    me = visitor("strategy?pair=batch normalisation")
    expect(me.page.locator(".linked .chip b").nth(10)).to_be_attached()
    chips = me.page.locator(".linked .chip b").all_inner_texts()
    for side in ("broken", "fixed"):
        assert set(me.page.locator(f"[data-side={side}] [data-tag]").all_inner_texts()) == set(chips)


def test_another_class_brings_its_own_links(visitor):
    me = visitor("strategy")
    me.page.locator(".linked .chip").first.click()
    me.page.locator(".st-key-strategy_pair input").click()
    me.page.keyboard.type("trainer")
    me.page.keyboard.press("Enter")
    expect(me.page.locator("[data-side=broken] h3", has_text="Trainer")).to_be_visible()
    expect(me.page.locator('.linked .chip[aria-pressed="true"]')).to_have_count(0)
    me.address("pair=trainer")


def test_a_finger_on_a_phone_sees_both_lines_at_once(visitor):
    me = visitor("strategy", width=390, height=844, has_touch=True)
    me.page.locator("[data-side=broken]").get_by_text("def count").tap()
    told = me.page.locator(".linked .told")
    expect(told).to_contain_text("def count(self) -> int:")
    expect(told).to_contain_text("def count(state):")
    assert told.bounding_box()["y"] < 844
    small = me.page.locator(".linked .chip").evaluate_all(
        "all => all.filter(e => e.getBoundingClientRect().height < 44 || e.getBoundingClientRect().width < 44).length"
    )
    assert small == 0
    me.nothing_scrolls_sideways()


def test_equal_refused_and_the_exercise(visitor):
    me = visitor("strategy").click("run_all")
    expect(me.page.get_by_text("✓ grad equal")).to_be_visible(timeout=120_000)
    me.over().click("refuse")
    expect(me.page.get_by_text("nothing said so").first).to_be_visible()
    me.shows("broken_side_refusal", "Give it a first value in __init__.")
    me.over().click("try_all")
    expect(me.page.get_by_text("traced anew").first).to_be_visible(timeout=120_000)
    expect(me.page.get_by_text("same trace", exact=True)).to_have_count(3)
