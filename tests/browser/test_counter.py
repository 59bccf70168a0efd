"""The counter lesson, as a learner, a teacher with a keyboard and two neighbours do it."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_the_first_screen_of_the_home_page_shows_the_bug_and_the_fix_after_two_presses(visitor):
    me = visitor()
    assert me.page.locator(".st-key-fixed_tape").bounding_box()["y"] < 900
    me.click("step", times=2)
    assert (me.tape("broken"), me.tape("fixed")) == ("1, 1", "1, 2")


def test_a_learner_predicts_steps_and_sees_why(visitor):
    me = visitor("counter")
    me.page.get_by_test_id("stButtonGroup").get_by_text("1, 2, 3").first.click()
    me.settle()
    assert (me.lit("plain"), me.lit("broken"), me.lit("fixed")) == (0, 0, 0)
    me.click("step")
    assert (me.lit("plain"), me.lit("broken"), me.lit("fixed")) == (2, 2, 1)
    me.click("step", times=2)
    assert (me.lit("plain"), me.lit("broken"), me.lit("fixed")) == (2, 0, 0)
    assert me.lit("broken", "call") == me.lit("fixed", "call") == 2
    assert [me.tape(panel) for panel in ("plain", "broken", "fixed")] == ["1, 2, 3", "1, 1, 1", "1, 2, 3"]
    assert "call 3" in me.text("controls")
    assert "You said 1, 2, 3, the machine says 1, 1, 1" in me.text("predict")
    assert me.page.locator(".st-key-broken_program .jaxpr").inner_text() == "{ lambda ; . let  in (1:i32[],) }"
    assert me.page.locator(".st-key-broken_program mark.baked").inner_text() == "1:i32[]"
    assert me.page.locator(".st-key-fixed_program mark.argument").inner_text() == "a:i32[]"
    assert me.page.url.endswith("/counter?step=3")


def test_back_reset_and_a_lit_first_call_again(visitor):
    me = visitor("counter").click("step", times=3).click("back")
    assert [me.tape(panel) for panel in ("plain", "broken", "fixed")] == ["1, 2", "1, 1", "1, 2"]
    me.click("reset")
    assert "call 0" in me.text("controls")
    assert me.tape("broken") == ""
    me.click("step")
    assert me.lit("broken") == 2


def test_every_visitor_sees_the_first_call_traced_and_nobody_meets_another(visitor):
    first, second = visitor("counter"), visitor("counter")
    first.click("step", times=2)
    second.click("step")
    assert (first.tape("fixed"), second.tape("fixed")) == ("1, 2", "1")
    assert (first.lit("broken"), second.lit("broken")) == (0, 2)


def test_the_arrow_keys_step_and_step_back(visitor):
    me = visitor("counter")
    for key, calls in (("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1)):
        me.page.keyboard.press(key)
        me.at_call(calls)
        assert me.text("controls").endswith(f"call {calls}")


def test_twenty_clicks_as_fast_as_the_page_answers_are_twenty_calls(visitor):
    me = visitor("counter").click("step")
    me.page.evaluate("""async () => {
        const at = () => Number(document.querySelector('.st-key-controls [data-call]')?.dataset.call ?? -1);
        for (let call = 1; call < 20; call++) {
            document.querySelector('.st-key-step button').click();
            for (let k = 0; k < 2000 && at() !== call + 1; k++) await new Promise((done) => setTimeout(done, 10));
        }
    }""")
    me.at_call(20)
    assert me.tape("fixed") == ", ".join(str(call) for call in range(1, 21))


def test_the_stage_does_not_move_when_it_is_used(visitor):
    me = visitor("counter")
    me.page.get_by_test_id("stButtonGroup").get_by_text("1, 2, 3").first.click()
    me.settle()
    before = [me.page.locator(f".st-key-{key}").bounding_box() for key in ("step", "plain", "broken", "fixed")]
    me.click("step", times=3).click("back")
    after = [me.page.locator(f".st-key-{key}").bounding_box() for key in ("step", "plain", "broken", "fixed")]
    assert before == after
    bottom = max(box["y"] + box["height"] for box in after)
    assert bottom - after[0]["y"] <= 900


def test_a_link_leads_to_the_moment_and_the_address_has_no_history_of_pauses(visitor):
    me = visitor("counter?step=2")
    expect(me.page.locator(".st-key-broken_tape")).to_have_text("1, 1")
    entries = me.page.evaluate("history.length")
    me.click("step", times=2)
    expect(me.page).to_have_url(re.compile(r"step=4$"))
    assert me.page.evaluate("history.length") == entries


def test_nonsense_in_the_address_is_named_and_replaced(visitor):
    me = visitor("counter?step=<b>1</b>&other=1")
    assert "which is not a whole number from 0 to 1,000" in me.page.get_by_test_id("stAlert").inner_text()
    assert "call 0" in me.text("controls")


def test_an_experiment_shows_its_code_and_its_result(visitor):
    me = visitor("counter")
    me.page.get_by_text("Wrapper thrown away").click()
    me.settle()
    me.click("run")
    assert me.text("experiment_result") == "1, 2, 3"
    assert me.lit("experiment") > 4


def test_the_call_is_announced_to_a_screen_reader(visitor):
    me = visitor("counter").click("step")
    region = me.page.locator('[class*="st-key-announcer"] [role=status]')
    assert region.text_content() == (
        "call 1. Plain Python: 1; jit, state hidden in self: 1; jit, state in, state out: 1"
    )


@pytest.mark.parametrize("path", ["", "counter?step=2", "regression?step=20"])
def test_nothing_is_wider_than_a_phone(visitor, path):
    me = visitor(path, width=390, height=844)
    wide = me.page.evaluate("() => { const m = document.querySelector('[data-testid=stMain]'); return m.scrollWidth - m.clientWidth }")
    assert wide <= 0
    assert me.page.locator(".st-key-way a").count() >= 1
