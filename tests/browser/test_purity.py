"""The purity lesson in Chromium, as a learner goes through the catalogue."""

import pytest

pytestmark = pytest.mark.browser


def choose(me, text: str):
    me.page.locator(".st-key-purity_choice button").get_by_text(text, exact=True).click()
    return me.settle()


def arrived(visitor, path: str, **size):
    """A visitor who sees the controls, not Streamlit's placeholders for them."""
    me = visitor(path, **size)
    for key in ("purity_choice", "step", "play_all"):
        me.page.locator(f".st-key-{key} button").first.wait_for(timeout=30_000)
    return me.settle()


def overflow(me) -> int:
    return me.page.evaluate(
        "() => { const m = document.querySelector('[data-testid=stMain]'); return m.scrollWidth - m.clientWidth }"
    )


def test_a_learner_predicts_steps_and_sees_what_was_left_behind(visitor):
    me = arrived(visitor, "purity")
    choose(me, "An array on self")
    me.page.locator(".st-key-predict button").get_by_text("what plain Python gives").click()
    me.settle().click("step")
    assert (me.lit("broken"), me.lit("fixed")) == (3, 4)
    me.click("step", times=2)
    assert (me.lit("broken"), me.lit("fixed")) == (1, 2)
    assert (me.tape("broken"), me.tape("fixed")) == ("1, 1, 1", "1, 2, 3")
    assert me.tape("broken_plain") == "1, 2, 3"
    assert "call 3" in me.text("controls")
    assert "UnexpectedTracerError" in me.text("broken_after")
    assert "the machine says the first answer, again and again" in me.text("predict")
    assert me.page.locator(".st-key-broken_program mark.baked").count() >= 1
    assert me.page.url.endswith("/purity?entry=self_array&step=3")
    me.page.get_by_text("UnexpectedTracerError, in full").click()
    me.page.get_by_test_id("stPopoverBody").get_by_text("leaked").first.wait_for(timeout=30_000)


def test_a_link_leads_to_an_entry_under_a_transformation(visitor):
    me = arrived(visitor, "purity?entry=list_append&transformation=vmap&step=2")
    assert me.tape("broken") == "[1, 4, 9], [1, 4, 9]"
    assert "jax.vmap(broken) its body ran 1, 1 times" in " ".join(me.text("broken").split())
    choose(me, "grad")
    me.at_call(0)
    me.click("step", times=3).at_call(3)
    assert me.tape("broken") == "2, 4, 6"
    assert "transformation=grad" in me.page.url


def test_the_stage_does_not_move_and_fits_a_screen(visitor):
    me = arrived(visitor, "purity?entry=self_number")
    keys = ("step", "broken", "fixed")
    before = [me.page.locator(f".st-key-{key}").bounding_box() for key in keys]
    me.click("step", times=3).click("back")
    after = [me.page.locator(f".st-key-{key}").bounding_box() for key in keys]
    assert before == after
    assert max(box["y"] + box["height"] for box in after) - after[0]["y"] <= 900


def test_the_arrow_keys_walk_and_the_checker_answers(visitor):
    me = arrived(visitor, "purity?entry=clock")
    for key, calls in (("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1)):
        me.page.keyboard.press(key)
        me.at_call(calls)
    me.click("check")
    assert "freezes a value" in me.text("broken_check")
    assert "No impurity showed" in me.text("fixed_check")


def test_the_whole_catalogue_is_played_with_progress_and_opens_an_entry(visitor):
    me = arrived(visitor, "purity")
    me.page.locator(".st-key-play_all button").click()
    me.page.locator(".st-key-cancel button").click(timeout=30_000)
    me.settle()
    assert me.page.get_by_text("not played yet").count() > 0
    me.click("play_all")
    me.page.get_by_text("19 of 19 played").wait_for(timeout=120_000)
    me.settle()
    assert me.page.get_by_text("not played yet").count() == 0
    me.click("open_iterator")
    assert me.page.locator(".st-key-purity_choice").bounding_box()["y"] < 300
    assert "An iterator: broken" in me.text("broken")


@pytest.mark.parametrize(
    "query", ["?step=3", "?entry=print_line&transformation=vmap&step=3", "?entry=python_if&step=3"]
)
def test_nothing_is_wider_than_a_phone(visitor, query):
    me = arrived(visitor, f"purity{query}", width=390, height=844)
    assert overflow(me) <= 0
    assert all(
        box["height"] >= 44
        for button in me.page.locator(".st-key-purity_choice button, .st-key-controls button").all()
        if (box := button.bounding_box())
    )
