"""Layers with a memory: batch normalisation.

`layer` holds the pure layer and the class it replaces, `programs` what is on the
stage, `training` a step that learns, `streams` the runs over many batches,
`closed_form` what those come to on average, and `tries` the experiments.
"""

from statecore.batchnorm.closed_form import Expected, batches_to_forget, expected
from statecore.batchnorm.layer import (
    EPSILON,
    MOMENTUM,
    BatchNorm,
    Params,
    State,
    Stats,
    apply,
    follow,
    init,
)
from statecore.batchnorm.programs import (
    broken,
    by_turns,
    call,
    call_dropping_state,
    call_with_state,
    fixed,
    plain,
    stage_inputs,
)
from statecore.batchnorm.streams import (
    BATCHES,
    DATA_MEAN,
    DATA_VAR,
    STEPS,
    Frozen,
    History,
    make_batch,
    run,
    run_frozen,
)
from statecore.batchnorm.training import loss, update

__all__ = [
    "BATCHES",
    "DATA_MEAN",
    "DATA_VAR",
    "EPSILON",
    "MOMENTUM",
    "STEPS",
    "BatchNorm",
    "Expected",
    "Frozen",
    "History",
    "Params",
    "State",
    "Stats",
    "apply",
    "batches_to_forget",
    "broken",
    "by_turns",
    "call",
    "call_dropping_state",
    "call_with_state",
    "expected",
    "fixed",
    "follow",
    "init",
    "loss",
    "make_batch",
    "plain",
    "run",
    "run_frozen",
    "stage_inputs",
    "update",
]
