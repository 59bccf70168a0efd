"""The lesson on libraries, as a learner does it."""

import pytest

from statecore import libraries

pytestmark = pytest.mark.browser

needs_all = pytest.mark.skipif(not all(map(libraries.installed, libraries.LIBRARIES)), reason="needs all libraries")


def test_a_learner_predicts_trains_both_and_sees_the_test_loss_tell(visitor):
    me = visitor("libraries?steps=30")
    me.page.get_by_test_id("stButtonGroup").get_by_text("neither").first.click()
    me.settle()
    assert (me.lit("broken"), me.lit("fixed")) == (0, 0)
    before = me.boxes("train_hand", "broken", "fixed", "broken_program")
    me.click("train_hand")
    me.action("play").wait_for(timeout=120_000)
    after = me.boxes("train_hand", "broken", "fixed", "broken_program")
    for was, now in zip(before[:3], after[:3], strict=True):
        assert was["x"] == now["x"]
        assert was["height"] == now["height"]
        assert now["y"] - after[0]["y"] == was["y"] - before[0]["y"]
    player = me.page.locator(".player").bounding_box()
    assert player["y"] + player["height"] - after[0]["y"] <= 900
    assert "You said neither, the machine says the test loss" in me.text("predict")
    me.action("step").click()
    me.page.locator('.st-key-fixed_code [data-ran="true"]').first.wait_for()
    assert (me.lit("broken"), me.lit("fixed")) == (9, 9)
    me.action("step").click()
    me.page.locator('.st-key-fixed_code [data-ran="true"]').first.wait_for(state="detached")
    assert (me.lit("broken"), me.lit("fixed")) == (0, 0)
    me.page.locator(".player").press("End")
    me.settle()
    assert (me.step(), me.readout("broken", "running")) == (30, "0.000")
    assert float(me.readout("broken", "test")) > 5 * float(me.readout("fixed", "test"))
    assert float(me.readout("broken", "loss")) == pytest.approx(float(me.readout("fixed", "loss")), rel=0.01)
    assert me.page.url.endswith("/libraries?step=30&steps=30")
    assert "24 returned as they came in" in me.text("broken_program")
    assert "24 computed" in me.text("fixed_program")


@needs_all
def test_all_are_trained_and_one_is_looked_into(visitor):
    me = visitor("libraries?steps=30")
    me.click("train_all")
    rows = me.page.locator(".results tbody tr")
    assert rows.count() == 4
    assert "—" not in me.page.locator(".results tbody").inner_text()
    for title, found in (
        ("Flax NNX", "traces=5"),
        ("Equinox", "ValueError: Attempted to use old state"),
        ("Haiku", "gives 0"),
    ):
        me.page.locator(".st-key-libraries_library").get_by_text(title, exact=True).click()
        me.settle()
        me.page.get_by_role("heading", name=f"The trap: {title}").wait_for()
        me.click("run_trap")
        assert found in me.text("broken_trap")
        assert me.lit("broken_trap"[:-5], "trap") > 1
    assert me.page.locator('[role=figure][aria-label*="statistic"]').count() == 1


def test_the_whole_programs_can_be_read(visitor):
    me = visitor("libraries?steps=30").click("train_hand")
    me.page.get_by_text("Show the whole programs").click()
    me.settle()
    assert "let" in me.page.locator(".st-key-fixed_program .jaxpr").inner_text()


def test_nonsense_in_the_address_is_named_and_replaced(visitor):
    me = visitor("libraries?library=torch")
    assert "which is not one of by_hand, flax, equinox, haiku" in me.page.get_by_test_id("stAlert").inner_text()


def test_nothing_is_wider_than_a_phone(visitor):
    me = visitor("libraries?steps=30&library=by_hand", width=390, height=844).click("train_hand").click("train_by_hand")
    wide = me.page.evaluate(
        "() => { const m = document.querySelector('[data-testid=stMain]'); return m.scrollWidth - m.clientWidth }"
    )
    assert wide <= 0
    broken, fixed = me.boxes("broken", "fixed")
    assert fixed["y"] >= broken["y"] + broken["height"]
    for key in ("train_hand", "train_all", "run"):
        assert me.page.locator(f".st-key-{key} button").first.bounding_box()["height"] >= 40
