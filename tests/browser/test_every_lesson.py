"""What holds for every page: it opens, fits a phone, and its first button works."""

import pytest
from playwright.sync_api import expect

from stateui.course import LESSONS

pytestmark = pytest.mark.browser

PAGES = {lesson.name: ("" if lesson.name == "home" else lesson.name) for lesson in LESSONS}
every_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)


def test_the_course_has_pages():
    assert len(PAGES) >= 11


@pytest.mark.smoke
@every_lesson
def test_the_page_opens_and_its_first_button_works(visitor, lesson):
    """The visitor itself reports errors of the console and requests to other hosts when the test ends."""
    page = visitor(PAGES[lesson.name]).page
    expect(page.get_by_role("heading", level=1)).to_have_text(lesson.title)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    runs = page.get_by_test_id("stApp")
    expect(runs).to_have_attribute("data-test-script-state", "notRunning", timeout=60_000)
    before = page.get_by_test_id("stMain").inner_text()
    page.locator('[data-testid="stBaseButton-primary"]').first.click()
    page.wait_for_function("before => document.querySelector('[data-testid=stMain]').innerText !== before", arg=before)
    expect(runs).to_have_attribute("data-test-script-state", "notRunning", timeout=120_000)
    expect(page.get_by_test_id("stException")).to_have_count(0)


@every_lesson
def test_nothing_is_wider_than_a_phone(visitor, lesson):
    visitor(PAGES[lesson.name], width=390, height=844).nothing_scrolls_sideways()


# pages in full use: the address, and each button to press with what then appears
IN_USE = {
    "batchnorm?step=50&calls_step=2": {},
    "optimizer?step=120&forks=60%3A0.3": {},
    "purity?step=3": {},
    "purity?entry=print_line&transformation=vmap&step=3": {},
    "purity?entry=python_if&step=3": {},
    "randomness?mistake=self&step=2": {"grow": ".st-key-tree_picture .js-plotly-plot"},
    "refs?step=2": {"compile": ".st-key-compiled mark", "run_both": ".st-key-fixed_outcome :text('gives')"},
    "transformations?step=1": {"train_all": ".player", "learn_rate": ".st-key-loss_by_rate .scatterlayer"},
    "libraries?steps=30&library=by_hand": {"train_hand": ".player"},
}


@pytest.mark.parametrize("address", IN_USE)
def test_a_page_in_full_use_fits_a_phone(visitor, address):
    me = visitor(address, width=390, height=844)
    for key, appears in IN_USE[address].items():
        expect(me.click(key).page.locator(appears).first).to_be_attached(timeout=120_000)
        me.over()
    broken, fixed = me.boxes("broken", "fixed")
    assert fixed["y"] >= broken["y"] + broken["height"]
    me.nothing_scrolls_sideways()
    rows = me.page.locator("[data-testid=stButtonGroup] > div")
    assert all(rows.evaluate_all("all => all.map(row => row.scrollWidth <= row.clientWidth)"))
    buttons = me.part("controls").locator("button")
    assert min(buttons.evaluate_all("all => all.map(each => each.offsetHeight)")) >= 40
