"""The randomness lesson in Chromium."""

import pytest

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("mistake", ["numpy", "self", "reuse"])
def test_three_calls_and_a_stage_that_fits_and_stays(visitor, mistake):
    me = visitor(f"randomness?mistake={mistake}")
    before = me.boxes("controls", "broken", "fixed")
    me.click("step", times=3)
    me.at_call(3)
    for old, new in zip(before, me.boxes("controls", "broken", "fixed"), strict=True):
        assert new == pytest.approx(old, abs=1)
    assert max(box["y"] + box["height"] for box in before) - before[0]["y"] <= 900
    broken, fixed = (me.tape(panel).split(", ") for panel in ("broken", "fixed"))
    assert (len(broken), len(set(broken)), len(set(fixed))) == (3, 1, 3)


def test_numpys_number_is_baked_into_the_program(visitor):
    me = visitor("randomness").click("step", times=2)
    me.at_call(2)
    kept = me.page.locator(".st-key-broken_program")
    assert "no argument" in kept.inner_text()
    assert "key<fry>[]" in me.page.locator(".st-key-fixed_program mark.argument").first.inner_text()
    assert "?step=2" in me.page.url


def test_the_tree_is_drawn_and_reuse_is_said_in_words(visitor):
    me = visitor("randomness").click("grow")
    picture = me.page.locator(".st-key-tree_picture")
    picture.locator(".js-plotly-plot").wait_for(timeout=90_000)
    me.page.locator(".st-key-trees").get_by_text("one key for all", exact=True).click()
    picture.get_by_text("used 8×").wait_for(timeout=30_000)
    assert "✗ used again" in picture.inner_text()
    assert "used again" in picture.locator("[role=figure]").first.get_attribute("aria-label")


def test_clouds_and_the_documentations_start(visitor):
    me = visitor("randomness").click("draw")
    me.page.locator(".st-key-fixed_cloud_picture .js-plotly-plot").wait_for(timeout=90_000)
    me.click("start_both")
    me.page.get_by_text("weight == xs[0], bias == noise[0]").wait_for(timeout=90_000)
    assert "KeyReuseError" in me.text("broken_side_start")
    assert "nothing to say" in me.text("fixed_side_start")
    me.page.locator(".st-key-broken_starts .js-plotly-plot").wait_for(timeout=30_000)


def test_an_experiment_raises_the_real_error(visitor):
    me = visitor("randomness")
    me.page.get_by_text("Checked", exact=True).click()
    me.settle()
    me.click("run")
    me.page.locator(".st-key-experiment_result").get_by_text("KeyReuseError").wait_for(timeout=30_000)


def test_nothing_is_wider_than_a_phone(visitor):
    me = visitor("randomness?mistake=self&step=2", width=390, height=844)
    me.click("grow")
    me.page.locator(".st-key-tree_picture .js-plotly-plot").wait_for(timeout=90_000)
    wide = me.page.evaluate(
        "() => { const m = document.querySelector('[data-testid=stMain]'); return m.scrollWidth - m.clientWidth }"
    )
    assert wide <= 0
    rows = me.page.locator("[data-testid=stButtonGroup] > div").evaluate_all("all => all.map(row => row.scrollWidth - row.clientWidth)")
    assert max(rows) <= 0
