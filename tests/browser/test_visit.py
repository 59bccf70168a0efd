"""When the server starts anew, the page says that the visit was lost, and shows what its address says."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_a_restart_of_the_server_is_told_and_the_address_brings_the_moment_back(browser, serve, person, free_port):
    port = free_port()
    with browser.new_context() as context:
        with serve(port) as url:
            me = person(context, url).open("counter").step(3)
            me.tapes(fixed="1, 2, 3")
        with serve(port):
            notice = me.page.locator(".st-key-visit [role=alert]")
            expect(notice).to_be_visible(timeout=60_000)
            expect(notice).to_contain_text("started anew")
            me.at(3).tapes(fixed="1, 2, 3")
