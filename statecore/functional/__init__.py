"""State in, state out: any method that writes to self, made pure by one function."""

from statecore.functional.attributes import State
from statecore.functional.guard import CannotFunctionalize
from statecore.functional.making import functionalize, unguarded

__all__ = ["CannotFunctionalize", "State", "functionalize", "unguarded"]
