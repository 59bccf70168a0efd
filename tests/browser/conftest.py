"""A server of the app and a Chromium to visit it with."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ARGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A browser on a busy machine may miss a beat: what fails here is tried once more, and the report says so."""
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.flaky(reruns=1))


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
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                if answer.read() == b"ok":
                    return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"the app did not start: exit code {process.poll()}")


@pytest.fixture(scope="session")
def browser(chromium):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=ARGS)
        yield opened
        opened.close()


class Visitor:
    """One person with a browser window of their own."""

    def __init__(self, context, server: str) -> None:
        self.page, self.server, self.trouble = context.new_page(), server, []
        self.page.on("pageerror", lambda error: self.trouble.append(f"script error: {error}"))
        self.page.on("console", self._console)
        self.page.on("request", self._request)

    def _console(self, message) -> None:
        # Streamlit's client looks for its base path once: a 404 there is normal
        if message.type == "error" and "/_stcore/" not in message.location.get("url", ""):
            self.trouble.append(f"console: {message.text}")

    def _request(self, request) -> None:
        if request.url.startswith(("http", "ws")) and self.server.partition("//")[2] not in request.url:
            self.trouble.append(f"asks another host: {request.url}")

    def open(self, path: str) -> "Visitor":
        self.page.goto(f"{self.server}/{path}")
        self.page.locator(".st-key-way").wait_for(timeout=120_000)  # the end of the page
        return self.settle()

    def settle(self) -> "Visitor":
        """Wait until what was just done has reached the server, and the page shows the answer."""
        self.page.wait_for_timeout(200)
        self.page.wait_for_function(
            """() => document.querySelector('[data-testid=stApp]')?.getAttribute('data-test-script-state') === 'notRunning'
            && document.querySelector('[data-testid=stMainBlockContainer]')?.innerText.trim().length > 0""",
            timeout=120_000,
        )
        self.page.wait_for_timeout(300)
        return self

    def click(self, key: str, times: int = 1) -> "Visitor":
        for _ in range(times):
            self.page.locator(f".st-key-{key} button").first.click()
            self.settle()
        return self

    def at_call(self, call: int) -> "Visitor":
        """Wait until the stage says that it is at this call."""
        self.page.locator(f'.st-key-controls [data-call="{call}"]').wait_for(timeout=30_000)
        return self.settle()

    def at_rest(self, step: int) -> "Visitor":
        """Wait until the server has heard that the player rests at this step."""
        self.page.locator(f'.st-key-rest [data-step="{step}"]').wait_for(timeout=30_000)
        return self.settle()

    def boxes(self, *keys: str) -> list[dict]:
        """Where these are, once they are where they will be."""
        before, now = None, [{}]
        for _ in range(20):
            now = [self.page.locator(f".st-key-{key}").first.bounding_box() for key in keys]
            if now == before:
                break
            before = now
            self.page.wait_for_timeout(400)
        return now

    def text(self, key: str) -> str:
        return self.page.locator(f".st-key-{key}").inner_text().strip()

    def tape(self, panel: str) -> str:
        return self.page.locator(f".st-key-{panel}_tape").inner_text().strip()

    def lit(self, panel: str, part: str = "code") -> int:
        return self.page.locator(f'.st-key-{panel}_{part} [data-ran="true"]').count()

    def action(self, name: str):
        return self.page.locator(f'[data-action="{name}"]')

    def readout(self, panel: str, name: str) -> str:
        return self.page.locator(f'[data-panel="{panel}"] [data-readout="{name}"]').inner_text()

    def step(self) -> int:
        return int(self.readout("fixed", "step"))


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
