"""What a function can reach without being given it, and what it is given: every mutable place of it."""

import collections.abc
import contextlib
import contextvars
import enum
import functools
import random
import threading
import types
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import jax
import numpy as np

from statecore.checker.comparing import attributes
from statecore.checker.libraries import is_library, is_opaque, top
from statecore.checker.places import Cell, ClassAttributes, Names, Place
from statecore.checker.values import hidden_generators, places_of

_ATOMS = (type(None), bool, int, float, complex, str, bytes, enum.Enum, np.generic, jax.Array, range, slice)
_LRU = type(functools.lru_cache(lambda: None))
_JITTED = type(jax.jit(lambda: None))
_ITERATORS = ("builtins", "itertools")


def is_jitted(value: Any) -> bool:
    """Whether it is what `jax.jit` returns."""
    return isinstance(value, _JITTED)


def is_cached(value: Any) -> bool:
    """Whether it is what `functools.lru_cache` returns."""
    return isinstance(value, _LRU)


def is_iterator(value: Any) -> bool:
    """Whether it is an iterator or generator of Python itself, which can only move forward."""
    return isinstance(value, collections.abc.Iterator) and type(value).__module__ in _ITERATORS


def heart(function: Any) -> Any:
    """The Python function, or failing that the object, inside methods, partials, and jitted and cached functions."""
    while not isinstance(function, types.FunctionType):
        if isinstance(function, functools.partial):
            function = function.func
        elif isinstance(function, types.MethodType):
            function = function.__func__
        elif is_jitted(function) or is_cached(function):
            function = function.__wrapped__
        else:
            return function
    return function


class Reach:
    """Every mutable place that `function`, called with these arguments, can reach.

    Attributes:
      places: them, each with what was in it.
      named: every name that the code which was reached mentions.
      pinned: the identities of functions that are compared by identity somewhere.
      opaque: the paths of things whose state can neither be read nor put back.
      iterators: the paths of iterators and generators, by their identities.
    """

    def __init__(self, function: Callable, args: Iterable[Any] = (), kwargs: dict[str, Any] | None = None) -> None:
        core = heart(function)
        self.own = top(str(getattr(core, "__module__", None) or type(core).__module__))
        self.places: list[Place] = [*hidden_generators()]
        self.named: set[str] = set()
        self.pinned: set[int] = set()
        self.opaque: dict[str, None] = {}
        self.iterators: dict[int, str] = {}
        self._library = False
        self._met: dict[int, Any] = {}
        self._names: dict[int, set[str]] = {}
        self._root(function)
        own = len(self.places)
        for number, value in enumerate(args, 1):
            self.walk(f"argument {number}", value)
        for name, value in (kwargs or {}).items():
            self.walk(f"argument {name}", value)
        for place in self.places[own:]:
            place.given = True
        self._pin(args)

    def _root(self, function: Any) -> None:
        if isinstance(function, functools.partial):
            self._meet(function)
            self.walk("an argument of a partial", function.args)
            self.walk("an argument of a partial", function.keywords)
            self._root(function.func)
        elif isinstance(function, types.FunctionType) or is_jitted(function) or is_cached(function):
            self.walk("the function", function)
        else:
            self.walk("self", function)

    def _meet(self, value: Any) -> bool:
        """Note a thing and keep it alive; False when it was met before."""
        if id(value) in self._met:
            return False
        self._met[id(value)] = value
        return True

    def _pin(self, values: Iterable[Any]) -> None:
        self.pinned.update(id(value) for value in values if isinstance(value, types.FunctionType))

    def walk(self, path: str, value: Any) -> None:
        """Find the places of `value` and of what is in it."""
        if isinstance(value, _ATOMS) or not self._meet(value):
            return
        for kind, walk in self._KINDS:
            if isinstance(value, kind):
                walk(self, path, value)
                return
        if is_jitted(value):
            self.walk(path, value.__wrapped__)
        elif is_iterator(value):
            self.iterators[id(value)] = path
        elif not isinstance(value, _CONTAINERS) and is_opaque(value):
            self._opaque(path, value)
        else:
            self._object(path, value)

    def _opaque(self, path: str, value: Any) -> None:
        if type(value).__module__ in ("_thread", "threading", "queue", "multiprocessing"):
            self.opaque[path] = None

    def _function(self, path: str, function: types.FunctionType) -> None:
        library = is_library(function.__globals__.get("__name__"), self.own)
        if library and not function.__closure__ and not function.__dict__:
            return
        with self._within(library):
            for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
                self.named.add(name)
                self._place(Cell(name, cell))
        for parameter, value in _defaults(function):
            self._pin((value,))
            self.walk(f"the default of {parameter}", value)
        if function.__dict__:
            self.walk(function.__name__, function.__dict__.get("__wrapped__"))
        if not library:
            # an attribute of a function may be made by the calls
            self._places(function.__name__, function)
            self._globals("", function.__globals__, names_in(function.__code__))

    def _globals(self, path: str, namespace: dict[str, Any], names: frozenset[str]) -> None:
        known = self._names.setdefault(id(namespace), set())
        fresh = names - known
        known |= fresh
        self.named |= fresh
        self._place(Names(path, namespace, fresh))
        for name in fresh & namespace.keys():
            module = namespace[name]
            if isinstance(module, types.ModuleType) and not is_library(module.__name__, self.own):
                self._globals(name, vars(module), names)

    def _place(self, place: Any) -> None:
        self._add(place)
        for key, value in place.saved.items():
            self.walk(place.entry(key), value)

    def _places(self, path: str, value: Any) -> None:
        for place in places_of(path, value):
            self._add(place)

    def _add(self, place: Place) -> None:
        place.of_library = self._library
        self.places.append(place)

    @contextlib.contextmanager
    def _within(self, library: bool) -> Iterator[None]:
        """What is met meanwhile belongs to a library's function or object, or to one of the caller's own."""
        before, self._library = self._library, library
        try:
            yield
        finally:
            self._library = before

    def _object(self, path: str, value: Any) -> None:
        own = type(value).__module__ == "builtins"
        with self._within(self._library if own else is_library(type(value).__module__, self.own)):
            self._places(path, value)
            for name, part in _inside(value):
                self.walk(f"{path}{name}", part)
        self._pin(value.keys() if isinstance(value, dict) else value if isinstance(value, set) else ())
        self.walk(type(value).__name__, type(value))

    def _class(self, _path: str, kind: type) -> None:
        for base in kind.__mro__:
            if not is_library(base.__module__, self.own) and (base is kind or self._meet(base)):
                self._place(ClassAttributes(base.__name__, base))
                for name, value in vars(base).items():
                    if isinstance(value, types.FunctionType) and name.startswith("__"):
                        self.walk(name, value)

    def _wrapper(self, path: str, value: Any) -> None:
        """A property, a class or static method, a cached function, a bound method: the functions in it."""
        for name in ("fget", "fset", "func", "__func__", "__wrapped__"):
            self.walk(path, getattr(value, name, None))
        if isinstance(value, types.MethodType):
            self.walk("self", value.__self__)

    def _partial(self, path: str, value: functools.partial) -> None:
        self.walk(path, value.func)
        self.walk(path, value.args)
        self.walk(path, value.keywords)

    def _tuple(self, path: str, value: Iterable[Any]) -> None:
        self._pin(value)
        for number, part in enumerate(value):
            self.walk(f"{path}[{number}]", part)
        if isinstance(value, tuple) and type(value) is not tuple:
            self.walk(type(value).__name__, type(value))

    def _referent(self, path: str, value: weakref.ref) -> None:
        self.walk(f"{path}()", value())

    def _nothing(self, _path: str, _value: Any) -> None:
        """A module is looked into only where it is named, a builtin has no state to find."""

    _KINDS: tuple[tuple[Any, Callable[["Reach", str, Any], None]], ...] = (
        (types.FunctionType, _function),
        (type, _class),
        (tuple | frozenset, _tuple),
        (types.ModuleType | types.BuiltinFunctionType | types.CodeType, _nothing),
        (property | classmethod | staticmethod | types.MethodType | functools.cached_property | _LRU, _wrapper),
        (functools.partial, _partial),
        (weakref.ref, _referent),
    )


_CONTAINERS = (
    *(dict, list, set, deque, bytearray),
    *(np.ndarray, random.Random, jax.Ref, contextvars.ContextVar, threading.local),
    *(np.random.Generator, np.random.RandomState, np.random.BitGenerator),
)


def _inside(value: Any) -> Iterator[tuple[str, Any]]:
    """What is in a thing, with what stands behind its path."""
    if isinstance(value, dict):
        yield from ((f"[{key!r}]", part) for key, part in dict.items(value) if not isinstance(part, _ATOMS))
    elif isinstance(value, list | deque | set):
        yield from ((f"[{number}]", part) for number, part in enumerate(value) if not isinstance(part, _ATOMS))
    elif isinstance(value, np.ndarray):
        if value.dtype == object:
            yield from ((f"[{number}]", part) for number, part in enumerate(value.ravel().tolist()))
        return
    yield from ((f".{name}", part) for name, part in attributes(value).items())


def _defaults(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    code, given = function.__code__, function.__defaults__ or ()
    names = code.co_varnames[: code.co_argcount]
    yield from zip(names[len(names) - len(given) :], given, strict=True)
    yield from (function.__kwdefaults__ or {}).items()


@functools.lru_cache(maxsize=4096)
def names_in(code: types.CodeType) -> frozenset[str]:
    """The names that some code mentions, nested functions included."""
    found = set(code.co_names)
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            found |= names_in(const) | set(const.co_freevars)
    return frozenset(found)


def own_function(value: Any, own: str) -> bool:
    """Whether it is a Python function of the caller's, or one that a library made around something."""
    if not isinstance(value, types.FunctionType):
        return False
    return bool(value.__closure__) or not is_library(value.__globals__.get("__name__"), own)
