"""The optimizer lesson, as a learner does it."""

import pytest

pytestmark = pytest.mark.browser


def test_a_learner_predicts_plays_and_sees_who_settles(visitor):
    me = visitor("optimizer")
    me.page.get_by_text("no learning", exact=True).click()
    me.settle()
    me.action("play").click()
    me.page.get_by_text("You said no learning, the machine says").wait_for(timeout=20_000)
    me.at_rest(300)
    broken, fixed = (float(me.readout(panel, "loss")) for panel in ("broken", "fixed"))
    assert fixed < broken
    assert "step=300" in me.page.url
    assert me.page.locator(".st-key-trees table").count() == 3
    assert "300" in me.page.locator(".st-key-trees table").nth(2).inner_text()


def test_the_trees_follow_the_cursor(visitor):
    me = visitor("optimizer")
    for step in (40, 90):
        me.page.locator(".scrub").fill(str(step))
        me.at_rest(step)
        adam = me.page.locator(".st-key-trees table").nth(2)
        assert adam.locator("tr", has_text="count").locator("td").first.inner_text() == str(step)


def test_turning_the_rate_forks_every_run_and_plays_on(visitor):
    me = visitor("optimizer")
    me.action("play").click()
    me.page.wait_for_timeout(500)
    me.page.locator("#rate").fill("400")
    forked = me.step()
    me.page.get_by_text("before the rate was changed").wait_for(timeout=20_000)
    me.page.wait_for_timeout(700)
    assert me.step() > forked
    me.settle()
    assert f"forks={forked}%3A" in me.page.url
    me.click("restart")
    assert "forks" not in me.page.url
    assert me.step() == 0


def test_call_by_call_both_are_traced_once_and_the_stage_stays(visitor):
    me = visitor("optimizer")
    keys = ("step", "broken", "fixed")
    before = [me.page.locator(f".st-key-{key}").bounding_box() for key in keys]
    me.click("step")
    assert me.lit("broken") > 5
    assert me.lit("fixed") > 5
    me.click("step", times=2)
    assert (me.lit("broken"), me.lit("fixed")) == (0, 0)
    after = [me.page.locator(f".st-key-{key}").bounding_box() for key in keys]
    assert [box["height"] for box in before] == [box["height"] for box in after]
    assert max(box["y"] + box["height"] for box in after) - after[0]["y"] <= 900
    first, *_, last = me.tape("fixed").split(", ")
    assert float(last) < float(first)
    assert (
        me.page.locator(".st-key-fixed_program mark.argument").count()
        > me.page.locator(".st-key-broken_program mark.argument").count()
    )


def test_what_forgetting_costs_is_measured_for_the_target_chosen(visitor):
    me = visitor("optimizer")
    chart = me.page.locator('.st-key-optimizer_cost [aria-label*="Steps to the target"]').first
    near = chart.get_attribute("aria-label", timeout=60_000)
    me.page.get_by_text("within 0.001", exact=True).click()
    me.page.locator(f'.st-key-optimizer_cost [aria-label="{near}"]').first.wait_for(state="detached", timeout=60_000)
    exact = chart.get_attribute("aria-label", timeout=60_000)
    assert exact.count("not within") > near.count("not within")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_phone_shows_it_all_and_nothing_scrolls_sideways(visitor, theme):
    me = visitor("optimizer?step=120&forks=60%3A0.3", width=390, height=844, color_scheme=theme)
    me.click("step", times=2)
    wide = me.page.evaluate(
        "() => { const m = document.querySelector('[data-testid=stMain]'); return m.scrollWidth - m.clientWidth }"
    )
    assert wide <= 0
    boxes = [me.page.locator(f'[data-panel="{panel}"]').bounding_box() for panel in ("broken", "fixed")]
    assert boxes[1]["y"] > boxes[0]["y"]
