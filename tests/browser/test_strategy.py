"""The strategy lesson in Chromium: the linked code by mouse, key and finger, and the stage."""

import pytest

pytestmark = pytest.mark.browser


def lit(me, side: str) -> list[str]:
    """The lines that are lit on one side, without their numbers."""
    return [line.strip() for line in me.page.locator(f'[data-side={side}] [data-lit="true"] .text').all_inner_texts()]


def test_the_stage_of_the_counter(visitor):
    me = visitor("strategy").click("step", times=2)
    assert [me.tape(panel) for panel in ("plain", "broken", "fixed")] == ["1, 2", "1, 1", "1, 2"]
    assert me.page.url.endswith("/strategy?step=2")
    assert me.page.locator(".st-key-broken_program mark.baked").inner_text() == "1:i32[]"
    assert me.page.locator(".st-key-fixed_program mark.argument").inner_text() == "a:i32[]"


@pytest.mark.parametrize("pair", ["counter", "running mean", "trainer", "batch normalisation"])
def test_the_stage_fits_a_screen_and_does_not_move(visitor, pair):
    me = visitor(f"strategy?pair={pair}")
    before = me.boxes("controls", "plain", "broken", "fixed")
    me.click("step")
    me.at_call(1)
    for old, new in zip(before, me.boxes("controls", "plain", "broken", "fixed"), strict=True):
        assert new == pytest.approx(old, abs=1)
    assert max(box["y"] + box["height"] for box in before) - before[0]["y"] <= 900


def test_the_mouse_lights_the_match_while_it_points(visitor):
    me = visitor("strategy")
    me.page.locator("[data-side=broken]").get_by_text("def count").hover()
    assert lit(me, "broken") == ["def count(self) -> int:"]
    assert lit(me, "fixed") == ["def count(state):"]
    me.page.mouse.move(0, 0)
    assert lit(me, "broken") == lit(me, "fixed") == []


def test_a_choice_stays_and_the_keyboard_is_enough(visitor):
    me = visitor("strategy")
    me.page.locator(".linked .chip").first.focus()
    for _ in range(3):
        me.page.keyboard.press("ArrowRight")
    me.page.keyboard.press("Enter")
    assert "call 0" in me.text("controls")  # the arrows stayed with the numbers
    assert lit(me, "broken") == ["self.n = 0"]
    assert lit(me, "fixed") == ["return Count(n=0)"]
    assert me.page.locator('.linked .chip[aria-pressed="true"]').inner_text().split() == ["4", "n", "starts"]
    assert "its first value" in me.page.locator(".linked .told").inner_text()
    me.page.keyboard.press("Escape")
    assert me.page.locator('.linked .chip[aria-pressed="true"]').count() == 0


def test_every_number_stands_on_both_sides(visitor):
    me = visitor("strategy?pair=batch normalisation")
    chips = me.page.locator(".linked .chip b").all_inner_texts()
    assert len(chips) > 10
    for side in ("broken", "fixed"):
        assert set(me.page.locator(f"[data-side={side}] [data-tag]").all_inner_texts()) == set(chips)


def test_another_class_brings_its_own_links(visitor):
    me = visitor("strategy")
    me.page.locator(".linked .chip").first.click()
    me.page.locator(".st-key-strategy_pair input").click()
    me.page.keyboard.type("trainer")
    me.page.keyboard.press("Enter")
    me.settle()
    me.page.locator("[data-side=broken] h3", has_text="Trainer").wait_for()
    assert me.page.locator('.linked .chip[aria-pressed="true"]').count() == 0
    assert "pair=trainer" in me.page.url


def test_a_finger_on_a_phone_sees_both_lines_at_once(visitor):
    me = visitor("strategy", width=390, height=844, has_touch=True)
    me.page.locator("[data-side=broken]").get_by_text("def count").tap()
    told = me.page.locator(".linked .told")
    assert "def count(self) -> int:" in told.inner_text()
    assert "def count(state):" in told.inner_text()
    assert told.bounding_box()["y"] < 844
    small = me.page.locator(".linked .chip").evaluate_all(
        "all => all.filter(e => e.getBoundingClientRect().height < 44 || e.getBoundingClientRect().width < 44).length"
    )
    assert small == 0
    wide = me.page.evaluate(
        "() => { const m = document.querySelector('[data-testid=stMain]'); return m.scrollWidth - m.clientWidth }"
    )
    assert wide <= 0


def test_equal_refused_and_the_exercise(visitor):
    me = visitor("strategy").click("run_all")
    me.page.get_by_text("✓ grad equal").wait_for(timeout=60_000)
    me.click("refuse")
    me.page.get_by_text("nothing said so").first.wait_for()
    assert "Give it a first value in __init__." in me.text("broken_side_refusal")
    me.click("try_all")
    me.page.get_by_text("traced anew").first.wait_for(timeout=60_000)
    assert me.page.get_by_text("same trace", exact=True).count() == 3
