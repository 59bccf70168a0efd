"""The three programs that the command calls: plain, jitted, and made pure and jitted."""

import inspect
import types
from collections.abc import Callable, Sequence
from typing import Any

import jax

from statecore.command import loading
from statecore.functional import CannotFunctionalize, functionalize
from statecore.observation import body_of
from statecore.program import Made, Program


def plain(function: Any) -> Any:
    """What is called, without `jit`."""
    if inspect.ismethod(function) and isinstance(function.__func__, jax.stages.Wrapped):
        return types.MethodType(inspect.unwrap(function.__func__), function.__self__)
    return inspect.unwrap(function) if isinstance(function, jax.stages.Wrapped) else function


def jitted(function: Any) -> Any:
    """What is called, with `jit`: as it stands where it is jitted already, also where that cannot work."""
    return function if plain(function) is not function else jax.jit(function)


def programs(file: str, expression: str, arguments: Sequence[str]) -> tuple[dict[str, Program], str]:
    """The programs by name, each made from the file run afresh, and why the last is missing; else empty."""
    made = {
        "plain": _hidden(file, expression, arguments, plain),
        "jit": _hidden(file, expression, arguments, jitted),
    }
    pure = _Pure(file, expression, arguments)
    try:
        pure.make()
    except CannotFunctionalize as refused:
        return made, str(refused)
    return {**made, "pure, jit": Program(pure.make, _called, pure.init)}, ""


def _hidden(file: str, expression: str, arguments: Sequence[str], wrap: Callable[[Any], Any]) -> Program:
    def make() -> Made:
        module = loading.namespace(file)
        function = loading.evaluated(expression, module)
        if not callable(function):
            raise loading.Failed(f"statecore: {expression} gives {function!r}, which cannot be called")
        return Made(wrap(function), _caller(arguments, module))

    return Program(make, _called)


class _Pure:
    """The method made pure; its first state comes from the same object."""

    def __init__(self, file: str, expression: str, arguments: Sequence[str]) -> None:
        self.file, self.expression, self.arguments = file, expression, arguments
        self.state: Any = None

    def make(self) -> Made:
        module = loading.namespace(self.file)
        method = plain(loading.evaluated(self.expression, module))
        pure, self.state = functionalize(method)
        # the lines of interest are those of the method, and not those that make it pure
        return Made(jax.jit(pure), _caller(self.arguments, module, "state, "), (body_of(method),))

    def init(self) -> Any:
        return self.state


def _caller(arguments: Sequence[str], module: types.ModuleType, state: str = "") -> Callable:
    """Makes one call, with the arguments evaluated again; written as the user would write it."""
    for argument in arguments:
        loading.evaluated(argument, module)  # a mistake is told before any call is made
    taken = state.rstrip(", ") or "*_"
    return loading.evaluated(f"lambda function, {taken}: function({state}{', '.join(arguments)})", module)


def _called(function: Callable, *state: Any) -> Any:
    return function(*state)
