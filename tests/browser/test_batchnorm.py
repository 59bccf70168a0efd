"""The batch normalisation lesson, as a learner does it."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_a_learner_trains_and_evaluates_and_meets_the_leak(visitor):
    me = visitor("batchnorm").guess("the right output")
    before = me.boxes("step", "broken", "fixed")
    me.step()
    for panel in ("broken", "fixed"):
        expect(me.lit(panel).nth(4)).to_be_attached()  # five lines or more
    me.step()
    me.tapes(broken="0.000 ± 1.000, UnexpectedTracerError", fixed=me.tape("plain"))
    me.shows("predict", "You said the right output, the machine says an error")
    after = me.boxes("step", "broken", "fixed")
    assert [box["height"] for box in before] == [box["height"] for box in after]
    assert max(box["y"] + box["height"] for box in after) - after[0]["y"] <= 900
    me.step()
    me.lights(fixed=0)  # both programs were traced by now


def test_evaluated_first_it_never_raises_and_is_frozen(visitor):
    me = visitor("batchnorm").step()
    me.page.get_by_text("evaluate first, then train").click()
    me.at(0).step(3)
    plain = me.tape("plain")
    me.tapes(fixed=plain)
    assert plain.count(",") == 2
    assert me.tape("broken").count(",") == 2
    assert "Error" not in me.tape("broken")
    assert me.tape("broken") != plain
    me.address("order=evaluate")
    me.address("calls_step=3")
    expect(me.part("broken_program").locator("mark.baked").nth(3)).to_be_attached()


def test_the_stream_is_played_and_the_statistics_close_in(visitor):
    me = visitor("batchnorm")
    me.action("play").click()
    me.at_rest(200)
    expect(me.readout("broken", "mean")).to_have_text("0.000")
    expect(me.readout("broken", "var")).to_have_text("1.000")
    assert me.number("fixed", "mean") == pytest.approx(3, abs=0.6)
    assert me.number("fixed", "var") == pytest.approx(4, abs=1.5)
    assert abs(me.number("fixed", "eval_mean")) < 0.5
    assert me.number("broken", "eval_mean") != me.number("fixed", "eval_mean")
    me.address("step=200")


def test_momentum_is_turned_and_the_page_says_what_it_means(visitor):
    me = visitor("batchnorm?step=120")
    me.player_at(120)
    mean = me.readout("fixed", "mean").inner_text()
    me.part("batchnorm_momentum").locator("input[type=range]").focus()
    for _ in range(5):
        me.page.keyboard.press("ArrowLeft")
    expect(me.page.get_by_text("Each batch keeps 0.85 of the past")).to_be_visible()
    expect(me.readout("fixed", "mean")).not_to_have_text(mean)
    me.player_at(120)
    me.address("momentum=0.85")
