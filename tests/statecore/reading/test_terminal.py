"""On a terminal JAX prints jaxprs in colour; what is read is the same as elsewhere."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

pty = pytest.importorskip("pty")  # there is none on Windows
ROOT = Path(__file__).parents[2]

CODE = """
import jax
from statecore.counter import Counter
from statecore.observation import observe
count = jax.jit(Counter().count)
print("coloured" if "\\x1b" in str(jax.make_jaxpr(lambda x: x + 1)(1)) else "plain")
seen = observe(count)
print("read", [c.text for c in seen.kept.constants], "\\x1b" in seen.kept.text)
"""


def printed_on_a_terminal(code: str) -> str:
    ours, its = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color"}
    environment.pop("NO_COLOR", None)
    process = subprocess.Popen([sys.executable, "-c", code], stdout=its, stderr=its, env=environment)
    os.close(its)
    parts: list[bytes] = []
    with contextlib.suppress(OSError):  # raised when the other end is closed
        while part := os.read(ours, 65536):
            parts.append(part)
    os.close(ours)
    process.wait(timeout=60)
    return b"".join(parts).decode()


def test_a_program_is_read_on_a_terminal_too():
    printed = printed_on_a_terminal(CODE)
    assert "coloured" in printed, "JAX prints no colours here: the test would show nothing"
    assert "read ['1:i32[]'] False" in printed
