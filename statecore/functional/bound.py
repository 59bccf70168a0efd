"""The bound method that is meant, or the reason why there is none."""

import inspect
import types
from collections.abc import Callable
from typing import Any

from statecore.functional.foreign import refusal
from statecore.functional.refusing import CannotFunctionalize

_HEAP_TYPE = 1 << 9
"""The flag of classes made by a `class` statement, see `type.__flags__`."""


def method_of(method: Callable) -> Any:
    """The method itself, or the `__call__` of a callable object. Raises CannotFunctionalize."""
    method = _plain(method)
    name = getattr(method, "__name__", repr(method))
    if isinstance(inspect.unwrap(method), types.MethodType) and not isinstance(method, types.MethodType):
        raise CannotFunctionalize(name, "is jitted already", "Hand over the method itself, and jit the pure function.")
    if not isinstance(method, types.MethodType):
        raise CannotFunctionalize(
            name, "is not a method of an object", "Hand over a bound method, such as Counter().count."
        )
    owner = method.__self__
    if isinstance(owner, type):
        raise CannotFunctionalize(name, "is a class method: its state is the class", "Hand over a method of an object.")
    _check_code(method, name)
    _check_owner(owner)
    return method


def check_heap(base: type) -> bool:
    """True for a class made by a `class` statement: its attributes can be written."""
    return bool(base.__flags__ & _HEAP_TYPE)


def _plain(method: Any) -> Any:
    """A callable object's `__call__`, and what a library made of a method as Python's own."""
    if isinstance(method, types.MethodType) or inspect.isroutine(method) or hasattr(method, "__wrapped__"):
        return method
    if isinstance(method, type):
        return method
    if hasattr(method, "__func__") and hasattr(method, "__self__"):
        return types.MethodType(method.__func__, method.__self__)
    call = inspect.getattr_static(type(method), "__call__", None)
    # __get__ of a library's own wrapper would hide the function
    function = call if isinstance(call, types.FunctionType) else getattr(call, "method", call)
    return types.MethodType(function, method) if callable(function) and check_heap(type(method)) else method


def _check_code(method: Any, name: str) -> None:
    if not isinstance(method.__func__, types.FunctionType):
        raise CannotFunctionalize(
            name, "is transformed inside its class", "Take the decorator off, and transform the pure function."
        )
    body = inspect.unwrap(method)
    if inspect.isgeneratorfunction(body) or inspect.iscoroutinefunction(body) or inspect.isasyncgenfunction(body):
        raise CannotFunctionalize(
            name, "runs only after it has returned (yield or await)", "Return the value of one step instead."
        )


def _check_owner(owner: Any) -> None:
    if found := refusal(owner):
        raise CannotFunctionalize("self", *found)
    for base in type(owner).__mro__[:-1]:
        if slots := vars(base).get("__slots__"):
            first = slots if isinstance(slots, str) else next(iter(slots))
            raise CannotFunctionalize(
                f"self.{first}", f"is in __slots__ of {base.__name__}, out of reach of vars(self)", "Remove __slots__."
            )
        if not check_heap(base) and not base.__module__ == "typing":
            raise CannotFunctionalize(
                "self",
                f"is a {base.__name__}, whose contents are no attributes",
                f"Hold a {base.__name__} in an attribute.",
            )
    if not hasattr(owner, "__dict__"):
        raise CannotFunctionalize("self", "has no attributes", "Set them in __init__.")
