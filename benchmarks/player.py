"""How smoothly the player plays: frames a second and bytes on the wire, in a headless Chromium.

    python -m benchmarks.player         # needs the packages of requirements-dev.txt and a Chromium
"""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parents[1]
ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
SECONDS = 5
COUNT = """async (seconds) => {
  const shown = document.querySelector('.st-key-regression_player [data-testid=stBidiComponentIsolated]').shadowRoot
    .querySelector('.at');
  let frames = 0, changed = 0, last = shown.textContent;
  const end = performance.now() + 1000 * seconds;
  while (performance.now() < end) {
    await new Promise(requestAnimationFrame);
    frames += 1;
    if (shown.textContent !== last) { changed += 1; last = shown.textContent; }
  }
  return [frames / seconds, changed / seconds];
}"""


def main() -> None:
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("no Chromium found: install it, or name it in the environment variable CHROMIUM")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--server.port", str(port), "--server.headless", "true"]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as server, sync_playwright() as playwright:
        try:
            _wait(f"http://127.0.0.1:{port}/_stcore/health")
            page = playwright.chromium.launch(executable_path=chromium, args=ARGS).new_page()
            _measure(page, f"http://127.0.0.1:{port}/regression")
        finally:
            server.terminate()


def _wait(url: str) -> None:
    for _ in range(200):
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except OSError:
            time.sleep(0.2)
    raise TimeoutError(url)


def _measure(page: Page, url: str) -> None:
    received: list[int] = []
    sent: list[int] = []
    page.on("websocket", lambda wire: wire.on("framereceived", lambda frame: received.append(len(frame))))
    page.on("websocket", lambda wire: wire.on("framesent", lambda frame: sent.append(len(frame))))
    page.goto(url)
    page.locator(".st-key-way").wait_for(timeout=120_000)
    page.wait_for_timeout(2000)
    still, _ = page.evaluate(COUNT, SECONDS)
    page.locator("[data-action=play]").click()
    before = len(received), len(sent)
    playing, changed = page.evaluate(COUNT, SECONDS)
    during = len(received) - before[0], len(sent) - before[1]
    print(f"largest message, with 1,000 steps of two histories: {max(received):,} bytes")
    print(f"the browser alone: {still:.1f} frames/s; playing: {playing:.1f}, of which {changed:.1f} show another step")
    print(f"ratio playing / alone: {playing / still:.2f}; messages while playing: {during[0]} in, {during[1]} out")


if __name__ == "__main__":
    main()
