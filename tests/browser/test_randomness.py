"""The randomness lesson in Chromium."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("mistake", ["numpy", "self", "reuse"])
def test_three_calls_and_a_stage_that_fits_and_stays(visitor, mistake):
    me = visitor(f"randomness?mistake={mistake}")
    before = me.boxes("controls", "broken", "fixed")
    me.step(3)
    for old, new in zip(before, me.boxes("controls", "broken", "fixed"), strict=True):
        assert new == pytest.approx(old, abs=1)
    assert max(box["y"] + box["height"] for box in before) - before[0]["y"] <= 900
    expect(me.part("fixed_tape")).to_have_text(re.compile(r"^[^,]+(, [^,]+){2}$"))
    broken, fixed = (me.tape(panel).split(", ") for panel in ("broken", "fixed"))
    assert (len(broken), len(set(broken)), len(set(fixed))) == (3, 1, 3)


def test_numpys_number_is_baked_into_the_program(visitor):
    me = visitor("randomness").step(2)
    me.shows("broken_program", "no argument")
    expect(me.part("fixed_program").locator("mark.argument").first).to_contain_text("key<fry>[]")
    me.address("?step=2")


def test_the_tree_is_drawn_and_reuse_is_said_in_words(visitor):
    me = visitor("randomness").click("grow")
    picture = me.page.locator(".st-key-tree_picture")
    expect(picture.locator(".js-plotly-plot")).to_be_visible(timeout=120_000)
    me.over().page.locator(".st-key-trees").get_by_text("one key for all", exact=True).click()
    expect(picture.get_by_text("used 8×")).to_be_visible()
    expect(picture).to_contain_text("✗ used again")
    expect(picture.locator("[role=figure]").first).to_have_attribute("aria-label", re.compile("used again"))


def test_clouds_and_the_documentations_start(visitor):
    me = visitor("randomness").click("draw")
    expect(me.part("fixed_cloud_picture").locator(".js-plotly-plot")).to_be_visible(timeout=120_000)
    me.over().click("start_both")
    expect(me.page.get_by_text("weight == xs[0], bias == noise[0]")).to_be_visible(timeout=120_000)
    me.shows("broken_side_start", "KeyReuseError")
    me.shows("fixed_side_start", "nothing to say")
    expect(me.part("broken_starts").locator(".js-plotly-plot")).to_be_visible()


def test_an_experiment_raises_the_real_error(visitor):
    me = visitor("randomness").experiment("Checked").click("run")
    me.shows("experiment_result", "KeyReuseError")
