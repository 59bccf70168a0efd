"""A function once more, so that its first call traces."""

import inspect
from collections.abc import Callable
from types import FunctionType


def copy_of(function: Callable) -> FunctionType:
    """The Python function again, as another object.

    `jit` shares its traces between all wrappers of one function: somebody who
    jits a function once more would find it traced by whoever came before.
    """
    body = inspect.unwrap(function)
    copied = FunctionType(body.__code__, body.__globals__, body.__name__, body.__defaults__, body.__closure__)
    copied.__kwdefaults__ = body.__kwdefaults__
    copied.__qualname__, copied.__module__ = body.__qualname__, body.__module__
    return copied
