"""Whole runs of an optimizer, threaded or forgetful, from one start."""

from functools import cache

import optax

from statecore import training
from statecore.history import History
from statecore.line import Data, Params
from statecore.optimizer import programs
from statecore.optimizer.programs import START, State
from statecore.optimizer.rules import Rule
from statecore.training import Learner, Rates
from statecore.work import finish

STEPS = (100, 300, 1_000, 3_000)
"""The run lengths on offer."""


@cache
def learner(rule: Rule = optax.adam, forget: bool = False, keep_opt_state: bool = True) -> Learner:
    """The training of one rule, the same object every time.

    Args:
      rule: the optimizer.
      forget: the optimizer's state is made again at every step; it is () in the run's states.
      keep_opt_state: False goes on from a past step as from a checkpoint that holds
        the params only.
    """
    if forget:
        return Learner(lambda params: State(params, ()), _forgetful(rule))

    def init(params):
        return programs.init(params, rule)

    resume = training.unchanged if keep_opt_state else lambda state: init(state.params)
    return Learner(init, _threaded(rule), resume)


@cache
def _threaded(rule: Rule):
    return programs.threaded(rule)


@cache
def _forgetful(rule: Rule):
    """The forgetful update on a `State`, so that both kinds of run have states of one form."""
    update_params = programs.forgetful(rule)

    def update(state, x, y, learning_rate):
        error, params = update_params(state.params, x, y, learning_rate)
        return error, State(params, ())

    return update


def run(
    params: Params,
    data: Data,
    learning_rate: float,
    steps: int,
    rule: Rule = optax.adam,
    forget: bool = False,
) -> History[State]:
    """Train for `steps` steps and keep every state, the first included.

    Raises ValueError as `training.run` does. `rule` and `forget` are as for `learner`.
    """
    who = learner(rule, forget)
    return finish(training.run(who, who.init(params), data, learning_rate, steps))


def run_through(
    rates: Rates,
    data: Data,
    steps: int,
    rule: Rule = optax.adam,
    forget: bool = False,
    keep_opt_state: bool = True,
) -> History[State]:
    """Train from `START` with a rate that changes on the way.

    Args:
      rates: (from step, rate) pairs in order, the first from step 0.
      rule, forget, keep_opt_state: as for `learner`.

    Raises ValueError as `training.run` does.
    """
    who = learner(rule, forget, keep_opt_state)
    return finish(training.through(who, who.init(START), data, rates, steps))
