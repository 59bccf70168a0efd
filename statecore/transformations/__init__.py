"""Loops, batches and gradients of state: what a pure step can be put through.

The step is `regression.update`, `(params, x, y, learning_rate) -> params`. `loops`
runs it in a Python loop, in `scan` and in `fori_loop`, and `speed` measures them;
`learners` runs many learners with `vmap`; `gradient` puts a whole run inside `grad`,
which gives the slope of the final loss with respect to the learning rate. `programs`
holds the scans on the stage, whose carry must keep its type, and `tries` the
experiments; there `regression.Trainer`, which keeps its params on self, is put
through the same.
"""

from statecore.transformations.gradient import (
    CURVE_POINTS,
    RATE_STEPS,
    RUN_STEPS,
    RateCurve,
    final_loss,
    learn_rate,
    make_data,
    rate_curve,
    rate_step,
    slope_at,
    slope_by_differences,
)
from statecore.transformations.learners import LEARNERS, STEPS, Learners, learn_together, train, train_many
from statecore.transformations.loops import (
    VARIANTS,
    Variant,
    fori_loop,
    numpy_update,
    python_loop,
    python_update,
    scan_loop,
)
from statecore.transformations.programs import (
    PROGRAMS,
    Mean,
    call_with_state,
    mean_step,
    plain,
    scanned,
    start_with_float,
    start_with_ints,
)
from statecore.transformations.speed import Timing, timings

__all__ = [
    "CURVE_POINTS",
    "LEARNERS",
    "PROGRAMS",
    "RATE_STEPS",
    "RUN_STEPS",
    "STEPS",
    "VARIANTS",
    "Learners",
    "Mean",
    "RateCurve",
    "Timing",
    "Variant",
    "call_with_state",
    "final_loss",
    "fori_loop",
    "learn_rate",
    "learn_together",
    "make_data",
    "mean_step",
    "numpy_update",
    "plain",
    "python_loop",
    "python_update",
    "rate_curve",
    "rate_step",
    "scan_loop",
    "scanned",
    "slope_at",
    "slope_by_differences",
    "start_with_float",
    "start_with_ints",
    "timings",
    "train",
    "train_many",
]
