"""State in JAX, made observable: what the lessons teach, usable without them.

From here come the tools: `observe` and `record` say what calls did, `check` and
`assert_pure` what is impure about a function, `functionalize` makes a method pure, and
`no_retrace` says why something compiled again. Each module is an idea of its own; a
folder named like a lesson holds what that lesson runs. Nothing here imports Streamlit or Plotly.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from statecore.checker import assert_pure, check
    from statecore.functional import functionalize
    from statecore.observation import observe
    from statecore.recording import record
    from statecore.retrace import no_retrace

_HOMES = {
    "assert_pure": "statecore.checker",
    "check": "statecore.checker",
    "functionalize": "statecore.functional",
    "no_retrace": "statecore.retrace",
    "observe": "statecore.observation",
    "record": "statecore.recording",
}

__all__ = ["assert_pure", "check", "functionalize", "no_retrace", "observe", "record"]


def __getattr__(name: str) -> Any:
    """Import a tool when it is asked for: a page shows its words before it imports JAX."""
    if name not in _HOMES:
        raise AttributeError(f"module 'statecore' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
