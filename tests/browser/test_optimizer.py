"""The optimizer lesson, as a learner does it."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_a_learner_predicts_plays_and_sees_who_settles(visitor):
    me = visitor("optimizer").guess("no learning")
    me.action("play").click()
    me.shows("reply", "You said no learning, the machine says")
    me.at_rest(300)
    assert me.number("fixed", "loss") < me.number("broken", "loss")
    me.address("step=300")
    trees = me.part("trees").locator("table")
    expect(trees).to_have_count(3)
    expect(trees.nth(2)).to_contain_text("300")


def test_the_trees_follow_the_cursor(visitor):
    me = visitor("optimizer")
    for step in (40, 90):
        me.page.locator(".scrub").fill(str(step))
        me.at_rest(step)
        adam = me.page.locator(".st-key-trees table").nth(2)
        expect(adam.locator("tr", has_text="count").locator("td").first).to_have_text(str(step))


def test_turning_the_rate_forks_every_run_and_plays_on(visitor):
    me = visitor("optimizer")
    me.action("play").click()
    me.plays_past(20)
    me.page.locator("#rate").fill("400")
    forked = me.player_step()
    expect(me.page.get_by_text("before the rate was changed")).to_be_visible()
    me.plays_past(forked)
    me.address(f"forks={forked}%3A").over()
    me.click("restart")
    expect(me.page).not_to_have_url(re.compile("forks"))
    me.player_at(0)


def test_call_by_call_both_are_traced_once_and_the_stage_stays(visitor):
    me = visitor("optimizer")
    keys = ("step", "broken", "fixed")
    before = me.boxes(*keys)
    me.step()
    for panel in ("broken", "fixed"):
        expect(me.lit(panel).nth(5)).to_be_attached()  # six lines or more
    me.step(2).lights(broken=0, fixed=0)
    after = me.boxes(*keys)
    assert [box["height"] for box in before] == [box["height"] for box in after]
    assert max(box["y"] + box["height"] for box in after) - after[0]["y"] <= 900
    first, *_, last = me.tape("fixed").split(", ")
    assert float(last) < float(first)
    arguments = [me.part(f"{panel}_program").locator("mark.argument") for panel in ("broken", "fixed")]
    expect(arguments[1].nth(arguments[0].count())).to_be_attached()  # the fixed one takes more


def test_what_forgetting_costs_is_measured_for_the_target_chosen(visitor):
    me = visitor("optimizer")
    chart = me.page.locator('.st-key-optimizer_cost [aria-label*="Steps to the target"]').first
    near = chart.get_attribute("aria-label", timeout=60_000)
    me.page.get_by_text("within 0.001", exact=True).click()
    me.page.locator(f'.st-key-optimizer_cost [aria-label="{near}"]').first.wait_for(state="detached", timeout=60_000)
    exact = chart.get_attribute("aria-label", timeout=60_000)
    assert exact.count("not within") > near.count("not within")
