"""Stand-ins for what cannot be put back: for one phase of a check they take its place."""

import copy
import functools
import operator
import types
from collections.abc import Callable
from typing import Any

from statecore.checker.places import ClassAttributes, Items, Keyed
from statecore.checker.reach import Reach, heart, is_cached, is_iterator, is_jitted, own_function
from statecore.reading.wrappers import jitted_again

_COPIED: tuple[type, ...] = (type(iter([])), type(iter(())), type(iter("")), type(iter(b"")), type(iter(range(0))))
"""The iterators that Python copies without moving them."""


class Moved(Exception):
    """The function asked for the next item of something that can only move forward."""


class Forward:
    """Stands for an iterator or a generator that cannot be copied: whoever asks it for an item is noted."""

    def __init__(self, original: Any, asked: list[Any]) -> None:
        self._original, self._asked = original, asked

    def __iter__(self) -> "Forward":
        return self

    def __next__(self) -> Any:
        return self.send(None)

    def send(self, _value: Any) -> Any:
        self._asked.append(self._original)
        raise Moved("the check does not move what it cannot put back")

    throw = send


class StandIns:
    """What takes the place of what, for one phase.

    A function stands in for a function because JAX keeps its programs by the
    function they were traced from: the caller's own is not to be known to it.

    Attributes:
      asked: the iterators and generators that the function wanted to move.
      not_copied: the paths of all those that could not be copied.
    """

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._made: dict[int, tuple[Any, Any]] = {}
        self._original: dict[int, Any] = {}
        self.asked: list[Any] = []
        self.not_copied: list[str] = []

    def enter(self) -> None:
        """Put the stand-ins into every place where something needs one."""
        for place in self._reach.places:
            if isinstance(place, Keyed):
                methods = isinstance(place, ClassAttributes)  # a method is bound anew at every call: JAX meets it anew
                for key, value in place.saved.items():
                    other = value if methods and isinstance(value, types.FunctionType) else self.of(value)
                    if other is not value:
                        place.put(key, other)
            elif isinstance(place, Items):
                others = list(map(self.of, place.saved))
                if any(one is not other for one, other in zip(place.saved, others, strict=True)):
                    place.write(others)

    def of(self, value: Any) -> Any:
        """What stands for `value`: often the value itself."""
        make = self._maker(value)
        if make is None:
            return value
        if id(value) not in self._made:
            made = make(value)
            self._made[id(value)] = (value, made)
            self._original[id(made)] = value
        return self._made[id(value)][1]

    def original(self, value: Any) -> Any:
        """What `value` stands for: often it is itself."""
        return self._original.get(id(value), value)

    def advanced(self, value: Any) -> bool:
        """Whether `value` is the copy of an iterator, and no longer where that is."""
        original = self.original(value)
        return isinstance(value, _COPIED) and operator.length_hint(value) != operator.length_hint(original)

    def _maker(self, value: Any) -> Callable[[Any], Any] | None:
        if isinstance(value, types.FunctionType):
            wanted = own_function(value, self._reach.own) and id(value) not in self._reach.pinned
            return self._function if wanted else None
        if is_jitted(value):
            return self._jitted if own_function(heart(value), self._reach.own) else None
        if is_cached(value):
            return self._cached
        if is_iterator(value):
            return copy.copy if isinstance(value, _COPIED) else self._forward
        return self._ENCLOSING.get(type(value)) or (self._tuple if isinstance(value, tuple) else None)

    def _forward(self, value: Any) -> Forward:
        self.not_copied.append(self._reach.iterators.get(id(value), "an iterator"))
        return Forward(value, self.asked)

    def _function(self, function: types.FunctionType) -> types.FunctionType:
        made = types.FunctionType(
            function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__
        )
        made.__kwdefaults__, made.__dict__ = function.__kwdefaults__, function.__dict__
        made.__qualname__, made.__module__, made.__doc__ = function.__qualname__, function.__module__, function.__doc__
        return made

    def fresh(self, function: Any) -> Any:
        """The function, or what it encloses, as JAX has not met it: also where it is compared by identity."""
        return self._function(function) if isinstance(function, types.FunctionType) else self.of(function)

    def _jitted(self, wrapper: Any) -> Any:
        return jitted_again(wrapper, self.fresh(wrapper.__wrapped__))

    def _cached(self, cached: Any) -> Any:
        made = functools.lru_cache(**cached.cache_parameters())(self.of(cached.__wrapped__))
        return functools.update_wrapper(made, cached.__wrapped__)

    def _method(self, method: types.MethodType) -> types.MethodType:
        function = self.of(method.__func__)
        return method if function is method.__func__ else types.MethodType(function, method.__self__)

    def _partial(self, partial: functools.partial) -> functools.partial:
        function, args = self.of(partial.func), self.of(partial.args)
        keywords = {name: self.of(value) for name, value in partial.keywords.items()}
        unchanged = all(keywords[name] is value for name, value in partial.keywords.items())
        if function is partial.func and args is partial.args and unchanged:
            return partial
        return functools.partial(function, *args, **keywords)

    def _tuple(self, value: tuple) -> tuple:
        parts = tuple(map(self.of, value))
        unchanged = all(one is other for one, other in zip(parts, value, strict=True))
        return value if unchanged else tuple.__new__(type(value), parts)

    def _static(self, method: Any) -> Any:
        function = self.of(method.__func__)
        return method if function is method.__func__ else type(method)(function)

    @property
    def _ENCLOSING(self) -> dict[type, Callable[[Any], Any]]:
        return {
            types.MethodType: self._method,
            functools.partial: self._partial,
            staticmethod: self._static,
            classmethod: self._static,
        }
