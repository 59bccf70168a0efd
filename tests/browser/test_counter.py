"""The counter lesson, as a learner, a teacher with a keyboard and two neighbours do it."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_the_first_screen_of_the_home_page_shows_the_bug_and_the_fix_after_two_presses(visitor):
    me = visitor()
    assert me.boxes("fixed_tape")[0]["y"] < 900
    me.step(2).tapes(broken="1, 1", fixed="1, 2")


def test_a_learner_predicts_steps_and_sees_why(visitor):
    me = visitor("counter").guess("1, 2, 3")
    me.lights(plain=0, broken=0, fixed=0)
    me.step().lights(plain=2, broken=2, fixed=1)
    me.step(2).lights(plain=2, broken=0, fixed=0)
    for panel in ("broken", "fixed"):
        expect(me.lit(panel, "call")).to_have_count(2)
    me.tapes(plain="1, 2, 3", broken="1, 1, 1", fixed="1, 2, 3")
    me.shows("predict", "You said 1, 2, 3, the machine says 1, 1, 1")
    kept, fixed = me.part("broken_program"), me.part("fixed_program")
    expect(kept.locator(".jaxpr")).to_have_text("{ lambda ; . let in (1:i32[],) }")
    expect(kept.locator("mark.baked")).to_have_text("1:i32[]")
    expect(fixed.locator("mark.argument")).to_have_text("a:i32[]")
    expect(me.page).to_have_url(re.compile(r"/counter\?step=3$"))


def test_back_reset_and_a_lit_first_call_again(visitor):
    me = visitor("counter").step(3).back()
    me.tapes(plain="1, 2", broken="1, 1", fixed="1, 2")
    me.click("reset").at(0).tapes(broken="")
    me.step().lights(broken=2)


def test_every_visitor_sees_the_first_call_traced_and_nobody_meets_another(visitor):
    first, second = visitor("counter"), visitor("counter")
    first.step(2)
    second.step()
    first.tapes(fixed="1, 2")
    second.tapes(fixed="1")
    first.lights(broken=0)
    second.lights(broken=2)


def test_the_arrow_keys_step_and_step_back(visitor):
    me = visitor("counter")
    for key, calls in (("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1)):
        me.shortcut(key).at(calls)


def test_twenty_clicks_as_fast_as_the_page_answers_are_twenty_calls(visitor):
    """The clicks come from the page itself, each in the very moment in which the call before is shown."""
    me = visitor("counter").step()
    me.page.evaluate("""() => new Promise((done) => {
        const click = () => document.querySelector('.st-key-step button').click();
        let call = 1;
        const watch = new MutationObserver(() => {
            const shown = Number(document.querySelector('.st-key-controls [data-call]')?.dataset.call ?? -1);
            if (shown !== call + 1) return;
            call = shown;
            if (call < 20) return click();
            watch.disconnect();
            done();
        });
        watch.observe(document.body, { subtree: true, childList: true, attributes: true });
        click();
    })""")
    me.at(20).tapes(fixed=", ".join(str(call) for call in range(1, 21)))


def test_the_stage_does_not_move_when_it_is_used(visitor):
    me = visitor("counter").guess("1, 2, 3")
    before = me.boxes("step", "plain", "broken", "fixed")
    after = me.step(3).back().boxes("step", "plain", "broken", "fixed")
    assert before == after
    assert max(box["y"] + box["height"] for box in after) - after[0]["y"] <= 900


def test_a_link_leads_to_the_moment_and_the_address_has_no_history_of_pauses(visitor):
    me = visitor("counter?step=2").at(2)
    me.tapes(broken="1, 1")
    entries = me.page.evaluate("history.length")
    me.step(2)
    expect(me.page).to_have_url(re.compile(r"step=4$"))
    assert me.page.evaluate("history.length") == entries


def test_nonsense_in_the_address_is_named_and_replaced(visitor):
    me = visitor("counter?step=<b>1</b>&other=1").at(0)
    expect(me.page.get_by_test_id("stAlert")).to_contain_text("which is not a whole number from 0 to 1,000")


def test_an_experiment_shows_its_code_and_its_result(visitor):
    me = visitor("counter").experiment("Wrapper thrown away").click("run")
    expect(me.part("experiment_result")).to_have_text("1, 2, 3")
    expect(me.lit("experiment").nth(4)).to_be_attached()  # five lines or more


def test_the_call_is_announced_to_a_screen_reader(visitor):
    me = visitor("counter").step()
    expect(me.page.locator('[class*="st-key-announcer"] [role=status]')).to_have_text(
        "call 1. Plain Python: 1; jit, state hidden in self: 1; jit, state in, state out: 1"
    )
