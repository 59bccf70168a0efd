"""The purity lesson in Chromium, as a learner goes through the catalogue."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def choose(me, text: str):
    """Choose it in a row of choices: the stage is at call 0 of something else."""
    chosen = me.part("purity_choice").get_by_role("radio", name=text, exact=True)
    chosen.click()
    expect(chosen).to_be_checked()
    return me.at(0)


def test_a_learner_predicts_steps_and_sees_what_was_left_behind(visitor):
    me = visitor("purity")
    choose(me, "An array on self")
    expect(me.part("broken")).to_contain_text("An array on self: broken")
    me.over().guess("what plain Python gives").step().lights(broken=3, fixed=4)
    me.step(2).lights(broken=1, fixed=2)
    me.tapes(broken="1, 1, 1", fixed="1, 2, 3", broken_plain="1, 2, 3")
    me.shows("broken_after", "UnexpectedTracerError")
    me.shows("predict", "the machine says the first answer, again and again")
    expect(me.part("broken_program").locator("mark.baked").first).to_be_attached()
    me.address("/purity?entry=self_array&step=3")
    me.page.get_by_text("UnexpectedTracerError, in full").click()
    expect(me.page.get_by_test_id("stPopoverBody").get_by_text("leaked").first).to_be_visible()


def test_a_link_leads_to_an_entry_under_a_transformation(visitor):
    me = visitor("purity?entry=list_append&transformation=vmap&step=2")
    me.at(2).tapes(broken="[1, 4, 9], [1, 4, 9]")
    expect(me.part("broken")).to_contain_text("jax.vmap(broken) its body ran 1, 1 times", use_inner_text=True)
    choose(me, "grad").step(3).tapes(broken="2, 4, 6")
    me.address("transformation=grad")


def test_the_stage_does_not_move_and_fits_a_screen(visitor):
    me = visitor("purity?entry=self_number")
    keys = ("step", "broken", "fixed")
    before = me.boxes(*keys)
    after = me.step(3).back().boxes(*keys)
    assert before == after
    assert max(box["y"] + box["height"] for box in after) - after[0]["y"] <= 900


def test_the_arrow_keys_walk_and_the_checker_answers(visitor):
    me = visitor("purity?entry=clock")
    for key, calls in (("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1)):
        me.shortcut(key).at(calls)
    me.click("check").shows("broken_check", "freezes a value")
    me.shows("fixed_check", "No impurity showed")


def test_the_whole_catalogue_is_played_with_progress_and_opens_an_entry(visitor):
    me = visitor("purity")
    me.click("play_all").click("cancel")
    expect(me.part("cancel")).to_have_count(0)
    expect(me.over().page.get_by_text("not played yet").first).to_be_attached()
    me.click("play_all")
    expect(me.page.get_by_text("19 of 19 played")).to_be_visible(timeout=120_000)
    expect(me.over().page.get_by_text("not played yet")).to_have_count(0)
    me.click("open_iterator").shows("broken", "An iterator: broken")
    expect(me.part("purity_choice")).to_be_in_viewport()
