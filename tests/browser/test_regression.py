"""The regression lesson: the player, forks, and what the server hears."""

import itertools
import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

# every step that the player shows, from now on
SEE = """shown => {
    window.seen = [Number(shown.textContent)];
    new MutationObserver(() => {
        const step = Number(shown.textContent);
        if (step !== window.seen.at(-1)) window.seen.push(step);
    }).observe(shown, { childList: true, characterData: true, subtree: true });
}"""


@pytest.fixture
def me(visitor):
    return visitor("regression")


def test_play_pause_and_rest(me):
    me.action("play").click()
    me.plays_past(50)
    me.action("play").click()
    expect(me.action("play")).to_have_attribute("aria-label", "Play")
    step = me.player_step()
    assert 50 < step < 1000
    me.at_rest(step)
    me.address(f"step={step}")
    for name in ("weight", "bias"):
        expect(me.readout("broken", name)).to_have_text("JitTracer(float32[])")
    assert me.number("fixed", "loss") < me.number("broken", "loss")


def test_the_server_hears_nothing_while_it_plays(me):
    sent = []
    me.socket.on("framesent", lambda frame: sent.append(frame))  # Playwright marks the function that it is given
    me.action("play").click()
    me.plays_past(30)
    sent.clear()
    me.plays_past(300)
    assert not sent
    with me.socket.expect_event("framesent"):
        me.action("play").click()
    assert sent


def test_scrub_step_back_and_ends(me):
    me.action("step").click()
    me.action("step").click()
    me.player_at(2)
    me.action("back").click()
    me.player_at(1)
    me.page.locator(".scrub").fill("640")
    me.player_at(640)
    me.at_rest(640)
    me.action("reset").click()
    me.player_at(0)


def test_the_keyboard_alone_is_enough_and_the_player_keeps_its_keys(me):
    me.page.locator(".player").focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft"):
        me.page.keyboard.press(key)
    me.player_at(1)
    me.at_rest(1)
    me.at(0)  # the stage below has arrow shortcuts of its own
    me.page.keyboard.press("End")
    me.player_at(1000)
    me.page.keyboard.press("Home")
    me.player_at(0)
    me.page.keyboard.press("Space")
    me.plays_past(10)
    me.page.keyboard.press("Space")
    expect(me.action("play")).to_have_attribute("aria-label", "Play")


def test_turning_the_rate_while_it_plays_forks_there_and_plays_on(me):
    me.action("play").click()
    me.plays_past(50)
    me.page.locator("#rate").fill("900")
    forked = me.player_step()
    me.address(f"forks={forked}%3A")
    me.plays_past(forked)  # it plays on without a click
    me.action("play").click()
    expect(me.action("play")).to_have_attribute("aria-label", "Play")
    me.at_rest(me.player_step())
    me.address(f"forks={forked}%3A")
    me.click("replay").shows("branches", "the same bits")


def test_a_late_reply_to_an_older_fork_is_dropped(me):
    me.page.locator(".scrub").fill("300")
    me.at_rest(300)
    shown = me.page.locator(".fork output")
    for value in ("500", "600", "700"):
        with me.socket.expect_event("framesent"):  # each is asked for before the next is chosen
            me.page.locator("#rate").fill(value)
    last = shown.inner_text()
    me.address(f"forks=300%3A{last}&").over()
    expect(shown).to_have_text(last)
    me.player_at(300)


def test_a_history_is_small_on_the_wire(visitor):
    me, received = visitor(), []
    me.page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: received.append(frame)))
    me.open("regression")
    history = max(len(frame) for frame in received)
    assert 16_000 < history < 64_000


def test_divergence_is_named_and_the_chart_stays(visitor):
    me = visitor("regression?learning_rate=2.5&step=900")
    expect(me.page.get_by_test_id("stAlert")).to_contain_text("2/λmax")
    expect(me.readout("fixed", "loss")).to_have_text(re.compile("^(inf|nan)$"))
    expect(me.page.locator("canvas")).to_have_count(4)


def test_the_params_of_the_broken_trainer_looked_at_three_ways(me):
    me.step(2).lights(broken=0, fixed=0)
    for told in ("prints JitTracer(float32[])", "ConcretizationTypeError", "UnexpectedTracerError"):
        expect(me.page.get_by_test_id("stMain")).to_contain_text(told)
    losses = me.tape("broken").split(", ")
    assert len(losses) == 2
    assert losses[0] == losses[1]


def test_the_prediction_is_judged_at_the_first_rest(me):
    me.guess("stay flat").action("step").click()
    me.shows("reply", "You said stay flat, and the machine says")


def test_a_long_run_can_be_cancelled_and_loses_nothing(me):
    me.page.locator(".scrub").fill("250")
    me.at_rest(250)
    me.page.locator(".st-key-regression_points input").click()
    me.page.get_by_role("option", name="1,000,000").click()
    me.page.locator(".st-key-cancel button").click(timeout=60_000)
    expect(me.part("regression_points").locator("input")).to_have_value("128")
    me.over().player_at(250)


def test_two_visitors_train_apart(visitor):
    first, second = visitor("regression?seed=1"), visitor("regression?seed=2")
    assert first.number("fixed", "weight") != second.number("fixed", "weight")
    first.action("step").click()
    first.at_rest(1)
    second.player_at(0)


def test_motion_is_reduced_for_who_asks_for_it(visitor):
    me = visitor("regression", reduced_motion="reduce")
    me.readout("fixed", "step").evaluate(SEE)
    me.action("play").click()
    me.page.wait_for_function("() => window.seen.length >= 5")
    me.action("play").click()
    seen = me.page.evaluate("window.seen.slice(0, 5)")
    # two still pictures a second, at 100 steps a second: at least 50 steps lie between them
    assert min(after - before for before, after in itertools.pairwise(seen)) >= 50
