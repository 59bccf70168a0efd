"""A counter that keeps its state to itself, and one that is handed its state.

Source: "Stateful computations" in the JAX documentation. `programs` holds the counters
as they are called on the stage, `tries` what happens when you poke at them.
"""

from statecore.counter.programs import (
    PROGRAMS,
    Counter,
    CounterState,
    CounterV2,
    broken,
    call,
    call_with_state,
    fixed,
    plain,
    scan_count,
)

__all__ = [
    "PROGRAMS",
    "Counter",
    "CounterState",
    "CounterV2",
    "broken",
    "call",
    "call_with_state",
    "fixed",
    "plain",
    "scan_count",
]
