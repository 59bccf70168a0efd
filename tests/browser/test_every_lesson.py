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
    page = visitor(PAGES[lesson.name], width=390, height=844).page
    page.wait_for_function(
        "() => { const m = document.querySelector('[data-testid=stMain]'); return m.scrollWidth <= m.clientWidth }"
    )
