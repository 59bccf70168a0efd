"""The player: gets a whole history once and plays it in the browser, while the server rests.

The page describes what is to be seen as plain data (`spec`); `player.js` draws it.
Histories travel as base64 float32, which also carries inf and NaN.
"""

import base64
from collections.abc import Callable
from dataclasses import asdict
from hashlib import sha1
from pathlib import Path
from typing import Any

import numpy as np
from streamlit.components.v2 import component

from stateui.player.spec import Show


def packed(show: Show) -> dict[str, Any]:
    """The show as the browser gets it. Its `id` changes when the columns or the fork do, never with `step`."""
    columns = {name: _base64(column) for name, column in show.columns.items()}
    digest = sha1(repr((show.steps, show.fork, show.panels, show.views)).encode(), usedforsecurity=False)
    for name, text in columns.items():
        digest.update(f"{name}={text}".encode())
    return {
        "id": digest.hexdigest()[:16],
        "steps": show.steps,
        "step": show.step,
        "columns": columns,
        "panels": [asdict(panel) for panel in show.panels],
        "views": [asdict(view) for view in show.views],
        "fork": asdict(show.fork) if show.fork else None,
    }


def _no_fork() -> None:
    """A player without a fork control never asks for one."""


def player(show: Show, key: str, on_step: Callable[[], None], on_fork: Callable[[], None] = _no_fork) -> Any:
    """Mount the player. Its state, under `key`, has `step` at rest and `fork` once one was asked for."""
    return _component(key=key, data=packed(show) | {"name": key}, on_step_change=on_step, on_fork_change=on_fork)


def _base64(column: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(column, dtype="<f4").tobytes()).decode("ascii")


_HERE = Path(__file__).parent
_component = component(
    "player",
    html=(_HERE / "player.html").read_text(encoding="utf-8"),
    css=(_HERE / "player.css").read_text(encoding="utf-8"),
    js=(_HERE / "player.js").read_text(encoding="utf-8"),
)
