"""The lesson on Refs: a counter that is seen, what is refused, and what it costs."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


@pytest.fixture
def me(visitor):
    return visitor("refs")


def test_three_steps_and_the_prediction(me):
    me.guess("1, 1, 1").step(3).tapes(broken="1, 1, 1", ref="1, 2, 3", fixed="1, 2, 3")
    me.lights(ref=0)
    me.shows("predict", "You said 1, 1, 1, the machine says 1, 2, 3")
    me.back().tapes(ref="1, 2")


@pytest.mark.parametrize("program", ["call", "reset", "scan"])
def test_the_stage_fits_the_screen(visitor, program):
    me = visitor(f"refs?program={program}&step=1")
    stage, *panels = me.boxes("stage", "broken", "ref", "fixed")
    assert stage["height"] <= 900
    heights = [panel["height"] for panel in panels]
    assert max(heights) - min(heights) < 1


def test_the_compiled_program_marks_what_shares_a_buffer(me):
    me.click("compile")
    expect(me.part("compiled").locator('mark[data-role="alias"]')).to_have_count(2)
    me.shows("compiled", "share one buffer")


def test_a_refusal_is_real(me):
    before = me.text("broken_side_refusal")
    me.page.get_by_text("passed twice", exact=True).click()
    expect(me.part("broken_side_refusal")).not_to_have_text(before, use_inner_text=True)
    me.over().click("run_both").shows("broken_outcome", "ValueError")
    expect(me.part("fixed_outcome")).to_have_text("gives 6")


def test_a_measurement_shows_its_progress_and_can_be_cancelled(me):
    me.click("measure").click("cancel")
    expect(me.part("cancel")).to_have_count(0)
    me.over().shows("cost_words", "Nothing measured yet")
    me.click("measure")
    expect(me.page.get_by_text("A call with a Ref took")).to_be_visible(timeout=120_000)
