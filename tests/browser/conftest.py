"""A server of the app and a Chromium to visit it with."""

import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect, sync_playwright

ROOT = Path(__file__).parents[2]
ARGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where the browser is; without one, CI fails and a laptop skips."""
    names = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    found = next((path for name in names if name and (path := shutil.which(name))), None)
    if found is None:
        message = "no Chromium found: install it, or name it in the environment variable CHROMIUM"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return found


@contextmanager
def serving(port: int) -> Iterator[str]:
    """The app on a port of this machine, until the block ends."""
    options = ["--server.port", str(port), "--server.headless", "true"]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        try:
            _wait_for(f"http://127.0.0.1:{port}/_stcore/health", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.communicate(timeout=30)


@pytest.fixture
def serve():
    """For a test that starts and stops a server of its own."""
    return serving


@pytest.fixture
def person():
    """For a test that makes its visitors itself."""
    return Visitor


@pytest.fixture(scope="session")
def free_port():
    """Find a port that nobody listens on."""

    def find() -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return probe.getsockname()[1]

    return find


@pytest.fixture(scope="session")
def server(free_port) -> Iterator[str]:
    """The app, once for all tests."""
    with serving(free_port()) as url:
        yield url


def _wait_for(url: str, process: subprocess.Popen) -> None:
    end, pause = time.monotonic() + 60, threading.Event()
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                if answer.read() == b"ok":
                    return
        except OSError:
            pause.wait(0.1)
    raise RuntimeError(f"the app did not start: exit code {process.poll()}")


@pytest.fixture(scope="session")
def browser(chromium):
    expect.set_options(timeout=30_000)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=ARGS)
        yield opened
        opened.close()


# where some parts of the page are, once two frames in a row agree on it; until then null
AT_REST = """keys => {
    const scrolled = document.querySelector('[data-testid=stMain]').scrollTop;
    const loading = document.fonts.status !== 'loaded' || document.querySelector('[data-testid=stSkeleton]');
    const all = keys.map(key => {
        const box = document.querySelector(`.st-key-${key}`)?.getBoundingClientRect();
        return box?.height ? { x: box.x, y: box.y + scrolled, width: box.width, height: box.height } : null;
    });
    const now = JSON.stringify(all), same = now === window.boxesBefore;
    window.boxesBefore = now;
    return same && !loading && all.every(Boolean) ? all : null;
}"""
# whether the player, which is in a shadow tree, shows a step after this one
PAST = """step => [...document.querySelectorAll('*')].some(node => {
    const shown = node.shadowRoot?.querySelector('[data-panel="fixed"] [data-readout="step"]');
    return shown && Number(shown.textContent) > step;
})"""


class Visitor:
    """One person with a browser window of their own.

    Nothing here waits for a time: each thing that is done waits for what it changes on the page.
    """

    def __init__(self, context, server: str) -> None:
        self.page, self.server, self.trouble, self.socket = context.new_page(), server, [], None
        self.page.on("pageerror", lambda error: self.trouble.append(f"script error: {error}"))
        self.page.on("console", self._console)
        self.page.on("request", self._request)
        self.page.on("websocket", self._websocket)

    def _console(self, message) -> None:
        # Streamlit's client looks for its base path once: a 404 there is normal
        if message.type == "error" and "/_stcore/" not in message.location.get("url", ""):
            self.trouble.append(f"console: {message.text}")

    def _request(self, request) -> None:
        if request.url.startswith(("http", "ws")) and self.server.partition("//")[2] not in request.url:
            self.trouble.append(f"asks another host: {request.url}")

    def _websocket(self, socket) -> None:
        self.socket = socket

    def open(self, path: str) -> "Visitor":
        self.page.goto(f"{self.server}/{path}")
        expect(self.part("way")).to_be_visible(timeout=120_000)  # the end of the page
        return self.over()

    def over(self) -> "Visitor":
        """Wait for the end of the script's run. What was done last has to be on the page by now: it is in that run."""
        running = self.page.get_by_test_id("stApp")
        expect(running).to_have_attribute("data-test-script-state", "notRunning", timeout=120_000)
        return self

    def part(self, key: str) -> Locator:
        """The container of this key."""
        return self.page.locator(f".st-key-{key}")

    def click(self, key: str) -> "Visitor":
        """Press a button; whoever presses it expects what comes of it."""
        self.part(key).locator("button").first.click()
        return self

    # --- the stage

    def at(self, call: int) -> "Visitor":
        """Wait until the stage is at this call, and the run that brought it there is over."""
        expect(self.part("controls").locator(f'[data-call="{call}"]')).to_have_text(f"call {call}")
        return self.over()

    def step(self, times: int = 1) -> "Visitor":
        """Press Step so often, each time at the call that the press before led to."""
        for _ in range(times):
            self._move("step", 1)
        return self

    def back(self) -> "Visitor":
        return self._move("back", -1)

    def _move(self, key: str, by: int) -> "Visitor":
        call = int(self.part("controls").locator("[data-call]").get_attribute("data-call"))
        return self.click(key).at(call + by)

    def tapes(self, **outputs: str | re.Pattern) -> None:
        """Each panel shows these outputs."""
        for panel, output in outputs.items():
            expect(self.part(f"{panel}_tape")).to_have_text(output)

    def tape(self, panel: str) -> str:
        return self.part(f"{panel}_tape").inner_text().strip()

    def lit(self, panel: str, part: str = "code") -> Locator:
        """The lines of a panel that are lit."""
        return self.part(f"{panel}_{part}").locator('[data-ran="true"]')

    def lights(self, **counts: int) -> None:
        """Of each panel's code, so many lines are lit."""
        for panel, count in counts.items():
            expect(self.lit(panel)).to_have_count(count)

    def shortcut(self, key: str) -> "Visitor":
        """Press a key. The browser hears it once the button is painted, with its shortcut on it."""
        self.boxes("step")
        self.page.keyboard.press(key)
        return self

    # --- words

    def shows(self, key: str, text: str) -> None:
        """The container of this key has this text in it."""
        expect(self.part(key)).to_contain_text(text)

    def text(self, key: str) -> str:
        return self.part(key).inner_text().strip()

    def guess(self, text: str) -> "Visitor":
        """Predict this."""
        self.part("predict").locator("button").get_by_text(text, exact=True).click()
        self.shows("reply", f"You say {text}")
        return self.over()

    def experiment(self, title: str) -> "Visitor":
        """Choose an experiment: its code is shown."""
        code = self.part("experiment_code")
        before = code.inner_text()
        self.page.get_by_test_id("stButtonGroup").get_by_text(title, exact=True).click()
        expect(code).not_to_have_text(before, use_inner_text=True)
        return self.over()

    def address(self, part: str) -> "Visitor":
        """The address has this in it."""
        expect(self.page).to_have_url(re.compile(re.escape(part)))
        return self

    # --- the player

    def action(self, name: str) -> Locator:
        return self.page.locator(f'[data-action="{name}"]')

    def readout(self, panel: str, name: str) -> Locator:
        return self.page.locator(f'[data-panel="{panel}"] [data-readout="{name}"]')

    def number(self, panel: str, name: str) -> float:
        return float(self.readout(panel, name).inner_text().replace("−", "-"))

    def player_step(self) -> int:
        return int(self.readout("fixed", "step").inner_text())

    def player_at(self, step: int) -> None:
        """The player shows this step."""
        expect(self.readout("fixed", "step")).to_have_text(str(step))

    def plays_past(self, step: int) -> None:
        """Wait until the player shows a later step."""
        self.page.wait_for_function(PAST, arg=step, polling=50)

    def at_rest(self, step: int) -> "Visitor":
        """Wait until the server has heard that the player rests at this step."""
        expect(self.part("rest").locator(f'[data-step="{step}"]')).to_have_count(1)
        return self.over()

    # --- the layout

    def boxes(self, *keys: str) -> list[dict]:
        """Where these are, once they have come to rest; a page that never does fails the test."""
        return self.over().page.wait_for_function(AT_REST, arg=list(keys), timeout=30_000).json_value()

    def nothing_scrolls_sideways(self) -> None:
        self.page.wait_for_function(
            "() => { const m = document.querySelector('[data-testid=stMain]'); return m.scrollWidth <= m.clientWidth }"
        )


@pytest.fixture
def visitor(browser, server):
    """Make visitors; at the end none of them may have seen trouble."""
    made = []

    def arrive(path: str = "", width: int = 1440, height: int = 900, **options) -> Visitor:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        made.append((context, Visitor(context, server)))
        return made[-1][1].open(path)

    yield arrive
    for context, someone in made:
        context.close()
        assert not someone.trouble
