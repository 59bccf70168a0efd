"""Linear regression: learning is threading params.

`programs` holds the trainer that keeps its params on self beside the JAX page's
pure `update`, `keys` what the page draws its data and params from, `runs` whole
runs of `update`, `hidden` the jitted trainer really called, `sides` both under one
cursor, and `leaked` three looks at what the trainer left on self. The model and
what is known of it are in `statecore.line`.
"""

from statecore.line import LEARNING_RATE, Data, Params, Trainer, init, loss, make_data, update
from statecore.regression.keys import page_keys, separate_keys
from statecore.regression.runs import POINTS, STEPS, run

__all__ = [
    "LEARNING_RATE",
    "POINTS",
    "STEPS",
    "Data",
    "Params",
    "Trainer",
    "init",
    "loss",
    "make_data",
    "page_keys",
    "run",
    "separate_keys",
    "update",
]
