"""Is a function pure, and can JAX trace it? `check` finds out by calling it; `assert_pure` is the same for a test."""

from statecore.checker.checking import CALLS, FAILS, assert_pure, check
from statecore.checker.report import (
    BAKES,
    CANNOT_SEE,
    KEY_USED_TWICE,
    KINDS,
    NOT_PURE,
    NOT_TRACEABLE,
    RAISES,
    VERDICTS,
    Finding,
    Report,
)

__all__ = [
    "BAKES",
    "CALLS",
    "CANNOT_SEE",
    "FAILS",
    "KEY_USED_TWICE",
    "KINDS",
    "NOT_PURE",
    "NOT_TRACEABLE",
    "RAISES",
    "VERDICTS",
    "Finding",
    "Report",
    "assert_pure",
    "check",
]
