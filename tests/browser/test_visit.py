"""When the server starts anew, the page says that the visit was lost, and shows what its address says."""

import pytest

pytestmark = pytest.mark.browser


def test_a_restart_of_the_server_is_told_and_the_address_brings_the_moment_back(browser, serve, person, free_port):
    port = free_port()
    with browser.new_context() as context:
        with serve(port) as url:
            me = person(context, url).open("counter").click("step", times=3)
            assert me.tape("fixed") == "1, 2, 3"
        with serve(port):
            notice = me.page.locator(".st-key-visit [role=alert]")
            notice.wait_for(state="visible", timeout=60_000)
            assert "started anew" in notice.inner_text()
            me.settle()
            assert me.tape("fixed") == "1, 2, 3"
            assert "call 3" in me.text("controls")
