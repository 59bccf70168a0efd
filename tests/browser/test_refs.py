"""The lesson on Refs: a counter that is seen, what is refused, and what it costs."""

import pytest

pytestmark = pytest.mark.browser


@pytest.fixture
def me(visitor):
    return visitor("refs")


def test_three_steps_and_the_prediction(me):
    me.page.get_by_text("1, 1, 1", exact=True).first.click()
    me.settle()
    for call in (1, 2, 3):
        me.click("step").at_call(call)
    assert [me.tape(panel) for panel in ("broken", "ref", "fixed")] == ["1, 1, 1", "1, 2, 3", "1, 2, 3"]
    assert me.lit("ref") == 0
    assert "You said 1, 1, 1, the machine says 1, 2, 3" in me.text("predict")
    me.click("back").at_call(2)
    assert me.tape("ref") == "1, 2"


@pytest.mark.parametrize("program", ["call", "reset", "scan"])
def test_the_stage_fits_the_screen(visitor, program):
    me = visitor(f"refs?program={program}&step=1")
    assert me.page.locator(".st-key-stage").bounding_box()["height"] <= 900
    heights = {me.page.locator(f".st-key-{panel}").bounding_box()["height"] for panel in ("broken", "ref", "fixed")}
    assert max(heights) - min(heights) < 1


def test_the_compiled_program_marks_what_shares_a_buffer(me):
    me.click("compile")
    me.page.locator('.st-key-compiled mark[data-role="alias"]').first.wait_for()
    assert me.page.locator('.st-key-compiled mark[data-role="alias"]').count() == 2
    assert "share one buffer" in me.text("compiled")


def test_a_refusal_is_real(me):
    me.page.get_by_text("passed twice", exact=True).click()
    me.settle()
    me.click("run_both")
    assert "ValueError" in me.text("broken_outcome")
    assert me.text("fixed_outcome") == "gives 6"


def test_a_measurement_shows_its_progress_and_can_be_cancelled(me):
    me.page.locator(".st-key-measure button").click()
    me.page.locator(".st-key-cancel button").click()
    me.settle()
    assert "Nothing measured yet" in me.text("cost_words")
    me.page.locator(".st-key-measure button").click()
    me.page.get_by_text("A call with a Ref took").wait_for(timeout=60_000)


def test_on_a_phone_nothing_scrolls_sideways(visitor):
    me = visitor("refs?step=2", width=390, height=844)
    for key in ("compile", "run_both", "put_through"):
        me.click(key)
    wide = me.page.evaluate("() => { const m = document.querySelector('[data-testid=stMain]'); return m.scrollWidth - m.clientWidth; }")
    assert wide <= 1
    assert me.page.locator(".st-key-ref .state th").first.bounding_box()["height"] < 40
