"""State in, state out: any method that writes to self, made pure by one function.

`functionalize` makes it pure, `guard` refuses what it cannot do, `pairs` holds
classes beside the functions they become, `links` finds which lines match,
`runs` sends them through jit, scan, vmap and grad, `refusals` is what is refused,
and `counters` is the same counter as a class, a function, a NamedTuple and a closure.
"""

from statecore.strategy.attributes import State
from statecore.strategy.functionalize import functionalize, unguarded
from statecore.strategy.guard import CannotFunctionalize

__all__ = ["CannotFunctionalize", "State", "functionalize", "unguarded"]
