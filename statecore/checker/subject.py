"""The function that is checked, ready to be called as plain Python and to be traced."""

import functools
import types
from dataclasses import dataclass
from typing import Any

from statecore.checker.reach import heart, is_cached, is_jitted
from statecore.checker.standins import StandIns
from statecore.checker.tracing import Program, Split, Statics, traced
from statecore.reading.wrappers import statics_of


@dataclass(frozen=True)
class Subject:
    """A function with its arguments.

    Attributes:
      function: what was given.
      args, kwargs: its arguments.
      statics: which of them are static, where the function is not jitted and so does not say it.
    """

    function: Any
    args: tuple
    kwargs: dict[str, Any]
    statics: Statics

    @property
    def name(self) -> str:
        core = heart(self.function)
        return str(getattr(core, "__qualname__", None) or type(core).__qualname__)

    def stood_in(self, stand: StandIns) -> "Subject":
        """The same with stand-ins, as JAX has not met it."""
        kwargs = {name: stand.of(value) for name, value in self.kwargs.items()}
        return Subject(stand.fresh(_unwrapped(self.function)), tuple(map(stand.of, self.args)), kwargs, self.statics)

    @property
    def jitted(self) -> "Subject | None":
        """The jitted function behind bound methods and partials, with all of its arguments; None if there is none."""
        function, args, kwargs = self.function, self.args, self.kwargs
        while isinstance(function, functools.partial | types.MethodType):
            if isinstance(function, functools.partial):
                args, kwargs = (*function.args, *args), {**function.keywords, **kwargs}
                function = function.func
            else:
                args, function = (function.__self__, *args), function.__func__
        return Subject(function, args, kwargs, Statics(*statics_of(function))) if is_jitted(function) else None

    @property
    def plain(self) -> "Subject":
        """The same without its jit."""
        inner = self.jitted
        return self if inner is None else Subject(inner.function.__wrapped__, inner.args, inner.kwargs, inner.statics)

    def __call__(self) -> Any:
        plain = self.plain
        return plain.function(*plain.args, **plain.kwargs)

    @property
    def split(self) -> Split:
        plain = self.plain
        return Split(plain.function, plain.args, plain.kwargs, plain.statics)

    def trace(self) -> Program:
        """Its program. Raises what tracing raises."""
        return traced(self.plain.function, self.split)

    def trace_as_it_is(self) -> None:
        """Trace a jitted function by its own means. Raises what its caller gets."""
        inner = self.jitted
        if inner is not None:
            inner.function.trace(*inner.args, **inner.kwargs)


def _unwrapped(function: Any) -> Any:
    """The function without a library's own jit, such as `eqx.filter_jit`: here its arguments are parted alike."""
    if isinstance(function, functools.partial) and _unwrapped(function.func) is not function.func:
        return functools.partial(_unwrapped(function.func), *function.args, **function.keywords)
    if isinstance(function, types.MethodType) and _unwrapped(function.__func__) is not function.__func__:
        return types.MethodType(_unwrapped(function.__func__), function.__self__)
    if isinstance(function, types.FunctionType | types.MethodType | type) or is_jitted(function) or is_cached(function):
        return function
    if _is_jit_of_a_library(function):
        return function.__wrapped__
    method = vars(type(function)).get("__call__")
    return functools.partial(method.__wrapped__, function) if _is_jit_of_a_library(method) else function


def _is_jit_of_a_library(value: Any) -> bool:
    """Whether it is an object that holds a jitted function, and says what it was made of."""
    if isinstance(value, types.FunctionType | functools.partial) or is_jitted(value):
        return False
    held = getattr(value, "__dict__", {})
    return any(map(is_jitted, held.values())) and hasattr(value, "__wrapped__")
