"""The regression lesson: the player, forks, and what the server hears."""

import pytest

pytestmark = pytest.mark.browser


@pytest.fixture
def me(visitor):
    return visitor("regression")


def test_play_pause_and_rest(me):
    me.action("play").click()
    me.page.wait_for_timeout(1500)
    me.action("play").click()
    step = me.step()
    assert 50 < step < 1000
    me.at_rest(step)
    assert f"step={step}" in me.page.url
    assert me.readout("broken", "weight") == me.readout("broken", "bias") == "JitTracer(float32[])"
    assert float(me.readout("fixed", "loss")) < float(me.readout("broken", "loss"))


def test_the_server_hears_nothing_while_it_plays(me):
    frames = []
    me.page.on("websocket", lambda socket: socket.on("framesent", lambda frame: frames.append(frame)))
    me.page.reload()
    me.settle()
    me.action("play").click()
    me.page.wait_for_timeout(300)
    heard = len(frames)
    assert heard > 0
    me.page.wait_for_timeout(2000)
    assert len(frames) == heard


def test_scrub_step_back_and_ends(me):
    me.action("step").click()
    me.action("step").click()
    assert me.step() == 2
    me.action("back").click()
    assert me.step() == 1
    me.page.locator(".scrub").fill("640")
    assert me.step() == 640
    me.at_rest(640)
    me.action("reset").click()
    assert me.step() == 0


def test_the_keyboard_alone_is_enough_and_the_player_keeps_its_keys(me):
    me.page.locator(".player").focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft"):
        me.page.keyboard.press(key)
    assert me.step() == 1
    assert "call 0" in me.text("controls")  # the stage below has arrow shortcuts of its own
    me.page.keyboard.press("End")
    assert me.step() == 1000
    me.page.keyboard.press("Home")
    me.page.keyboard.press("Space")
    me.page.wait_for_timeout(700)
    me.page.keyboard.press("Space")
    assert me.step() > 10


def test_turning_the_rate_while_it_plays_forks_there_and_plays_on(me):
    me.action("play").click()
    me.page.wait_for_timeout(800)
    me.page.locator("#rate").fill("900")
    forked = me.step()
    me.page.wait_for_function("() => location.search.includes('forks=')")
    me.page.wait_for_timeout(800)
    assert me.step() > forked  # it plays on without a click
    me.action("play").click()
    me.settle()
    assert f"forks={forked}%3A" in me.page.url
    assert len(set(me.readout("broken", "loss").split())) == 1
    me.click("replay")
    assert "the same bits" in me.text("branches")


def test_a_late_reply_to_an_older_fork_is_dropped(me):
    me.page.locator(".scrub").fill("300")
    me.at_rest(300)
    for value in ("500", "600", "700"):
        me.page.locator("#rate").fill(value)
        me.page.wait_for_timeout(330)
    me.settle()
    me.page.wait_for_timeout(800)
    shown = me.page.locator(".fork output").inner_text()
    assert f"forks=300%3A{shown}&" in me.page.url
    assert me.step() == 300


def test_a_history_is_small_on_the_wire(visitor):
    me, received = visitor(), []
    me.page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: received.append(frame)))
    me.open("regression")
    history = max(len(frame) for frame in received)
    assert 16_000 < history < 64_000


def test_divergence_is_named_and_the_chart_stays(visitor):
    me = visitor("regression?learning_rate=2.5&step=900")
    assert "2/λmax" in me.page.get_by_test_id("stAlert").inner_text()
    assert me.readout("fixed", "loss") in ("inf", "nan")
    assert me.page.locator("canvas").count() == 4


def test_the_params_of_the_broken_trainer_looked_at_three_ways(me):
    me.click("step", times=2)
    assert me.lit("broken") == me.lit("fixed") == 0
    page = me.page.locator("[data-testid=stMain]").inner_text()
    for told in ("prints JitTracer(float32[])", "ConcretizationTypeError", "UnexpectedTracerError"):
        assert told in page
    losses = me.tape("broken").split(", ")
    assert len(losses) == 2
    assert losses[0] == losses[1]


def test_the_prediction_is_judged_at_the_first_rest(me):
    me.page.get_by_text("stay flat", exact=True).click()
    me.settle()
    me.action("step").click()
    me.page.get_by_text("You said stay flat, and the machine says").wait_for()


def test_a_long_run_can_be_cancelled_and_loses_nothing(me):
    me.page.locator(".scrub").fill("250")
    me.at_rest(250)
    me.page.locator(".st-key-regression_points input").click()
    me.page.get_by_role("option", name="1,000,000").click()
    me.page.locator(".st-key-cancel button").click(timeout=60_000)
    me.settle()
    assert me.page.locator(".st-key-regression_points input").input_value() == "128"
    assert me.step() == 250


def test_two_visitors_train_apart(visitor):
    first, second = visitor("regression?seed=1"), visitor("regression?seed=2")
    assert first.readout("fixed", "weight") != second.readout("fixed", "weight")
    first.action("step").click()
    first.at_rest(1)
    assert second.step() == 0


def test_motion_is_reduced_for_who_asks_for_it(visitor):
    me = visitor("regression", reduced_motion="reduce")
    me.page.evaluate("""() => { window.seen = new Set(); }""")
    me.action("play").click()
    seen = set()
    for _ in range(20):
        seen.add(me.step())
        me.page.wait_for_timeout(100)
    assert 2 <= len(seen) <= 7
