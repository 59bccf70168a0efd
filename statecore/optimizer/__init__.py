"""The optimizer remembers too: its state is threaded beside the params.

`programs` holds an update that throws the optimizer's state away, one that threads
it, and a trainer that keeps it on self; `rules` the optimizers that race; `adam`
Adam written out; `rate_in_state` a rate that is a part of the state; `data` the
points, `runs` whole runs, and `tries` things to try. The model is that of `statecore.line`.
"""

from statecore.optimizer.adam import AdamState, adam_by_hand, adam_init, adam_step
from statecore.optimizer.data import default_data, make_data
from statecore.optimizer.programs import LEARNING_RATE, START, State, Trainer, init
from statecore.optimizer.rules import RULES, Rule, momentum, sgd
from statecore.optimizer.runs import STEPS, learner, run, run_through

__all__ = [
    "LEARNING_RATE",
    "RULES",
    "START",
    "STEPS",
    "AdamState",
    "Rule",
    "State",
    "Trainer",
    "adam_by_hand",
    "adam_init",
    "adam_step",
    "default_data",
    "init",
    "learner",
    "make_data",
    "momentum",
    "run",
    "run_through",
    "sgd",
]
