"""What a function can reach without being given it: found, described, and copied."""

import contextlib
import copy
import functools
import inspect
import pickle
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np


@dataclass(frozen=True)
class Seen:
    """A hidden variable at one moment: a mark to compare, words to show, whether a tracer is in it."""

    mark: Any
    words: str
    tracer: bool


State = dict[str, Seen]
"""Hidden variables by name."""


class Subject:
    """A fresh copy of a function, with the hidden variables it names."""

    def __init__(self, function: Callable) -> None:
        copier = _Copier()
        self.name = _core(function).__qualname__
        self.function = copier.callable(function)
        self.not_copied = tuple(dict.fromkeys(copier.not_copied))

    def state(self) -> State:
        """Every hidden variable by name: globals, captured variables, defaults, attributes of self."""
        return {name: seen for hidden in _hidden(self.function) for name, seen in _described(*hidden)}


def _core(function: Any) -> types.FunctionType:
    """The Python function at the heart of a method, a partial, a cached or a jitted function."""
    core = _heart(function)
    if core is None:
        raise TypeError(f"{function!r} has no Python body to look at: give a function or a method")
    if _of_jax(core):
        raise TypeError(f"{core.__qualname__} is made by JAX: check the function before it is transformed")
    return core


def _heart(value: Any) -> types.FunctionType | None:
    while not isinstance(value, types.FunctionType):
        if isinstance(value, functools.partial):
            value = value.func
        elif isinstance(value, types.MethodType):
            value = value.__func__
        elif isinstance(value, jax.stages.Wrapped) or hasattr(value, "cache_parameters"):
            value = value.__wrapped__  # type: ignore[union-attr]
        else:
            return None
    return value


def _of_jax(function: types.FunctionType) -> bool:
    """True for JAX's own functions, `jax.vmap(f)` among them, which look like `f` otherwise."""
    return str(function.__globals__.get("__name__")).partition(".")[0] == "jax"


def _hidden(function: Any) -> Iterator[tuple[str, Any]]:
    """What the function, and the functions it calls, can reach without being given it."""
    core = _core(function)
    while isinstance(function, functools.partial):
        yield "an argument of a partial", (function.args, function.keywords)
        function = function.func
    if isinstance(function, types.MethodType):
        yield "self", function.__self__
    for each in (core, *_helpers(core)):
        for name, value in ({name: each.__globals__[name] for name in _global_names(each)} | _captured(each)).items():
            if _is_data(value):
                yield name, value
        for parameter in inspect.signature(each).parameters.values():
            if parameter.default is not parameter.empty and _is_data(parameter.default):
                yield f"default of {parameter.name}", parameter.default


def _helpers(function: types.FunctionType) -> list[types.FunctionType]:
    """The functions it names in its module or has captured, and those that they name."""
    found = [function]
    for current in found:
        named = [current.__globals__[name] for name in _global_names(current)]
        for value in (*named, *_captured(current).values()):
            helper = _heart(value)
            if helper and helper not in found and _is_copied(value, current):
                found.append(helper)
    return found[1:]


def _is_copied(value: Any, within: types.FunctionType) -> bool:
    """A function is copied with the one that names it where both are of one module, or it is captured."""
    heart = _heart(value)
    if heart is None or _of_jax(heart):
        return False
    return heart.__globals__ is within.__globals__ or any(value is each for each in _captured(within).values())


def _global_names(function: types.FunctionType) -> list[str]:
    """The globals that its code names, nested functions included."""
    codes: list[types.CodeType] = [function.__code__]
    names: list[str] = []
    for code in codes:
        names += code.co_names
        codes += [const for const in code.co_consts if isinstance(const, types.CodeType)]
    return [name for name in dict.fromkeys(names) if name in function.__globals__]


def _captured(function: types.FunctionType) -> dict[str, Any]:
    captured = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        with contextlib.suppress(ValueError):  # an empty cell: not assigned yet
            captured[name] = cell.cell_contents
    return captured


def _is_data(value: Any) -> bool:
    return not isinstance(value, types.ModuleType | type) and not callable(value)


class _Copier:
    """Copies a function with everything it names, each thing once."""

    def __init__(self) -> None:
        self.memo: dict[int, Any] = {}
        self.functions: dict[int, types.FunctionType] = {}
        self.cells: dict[int, types.CellType] = {}
        self.namespaces: dict[int, dict[str, Any]] = {}
        self.not_copied: list[str] = []

    def callable(self, value: Any) -> Any:
        """A copy of a method, a partial, a cached or jitted function, or a plain one."""
        if isinstance(value, functools.partial):
            arguments, keywords = self.data("an argument of a partial", (value.args, value.keywords))
            return functools.partial(self.callable(value.func), *arguments, **keywords)
        if isinstance(value, types.MethodType):
            return types.MethodType(self.callable(value.__func__), self.data("self", value.__self__))
        if hasattr(value, "cache_parameters"):
            return functools.lru_cache(**value.cache_parameters())(self.callable(value.__wrapped__))
        if isinstance(value, jax.stages.Wrapped):
            return self.callable(value.__wrapped__)  # type: ignore[attr-defined]
        return self.function(_core(value))

    def function(self, original: types.FunctionType) -> types.FunctionType:
        if id(original) in self.functions:
            return self.functions[id(original)]
        names = self.namespaces.setdefault(id(original.__globals__), dict(original.__globals__))
        cells = [self.cells.setdefault(id(cell), types.CellType()) for cell in original.__closure__ or ()]
        made = types.FunctionType(original.__code__, names, original.__name__, None, tuple(cells) or None)
        self.functions[id(original)] = made  # before what it names, which may name it
        made.__qualname__, made.__module__ = original.__qualname__, original.__module__
        made.__defaults__, made.__kwdefaults__ = self.data(
            f"a default of {original.__name__}", (original.__defaults__, original.__kwdefaults__)
        )
        for name in _global_names(original):
            names[name] = self.value(name, original.__globals__[name], original)
        captured = _captured(original)
        for name, cell in zip(original.__code__.co_freevars, cells, strict=True):
            if name in captured:
                cell.cell_contents = self.value(name, captured[name], original)
        return made

    def value(self, name: str, value: Any, within: types.FunctionType) -> Any:
        if _is_copied(value, within):
            return self.callable(value)
        return self.data(name, value) if _is_data(value) else value

    def data(self, name: str, value: Any) -> Any:
        if type(value).__module__ != "itertools":  # these lose the ability to be copied in Python 3.14
            try:
                return copy.deepcopy(value, self.memo)
            except Exception:  # a lock, a generator, a file: whatever refuses to be copied
                pass
        self.not_copied.append(name)
        return value


def described_arguments(args: tuple) -> State:
    """The arguments as `argument 1`, `argument 2`, ..."""
    named = ((f"argument {number}", value) for number, value in enumerate(args, 1))
    return {name: seen for argument in named for name, seen in _described(*argument)}


def _described(name: str, value: Any) -> Iterator[tuple[str, Seen]]:
    """A variable by name; an object whose whole state is its attributes, by those."""
    if _is_plain_object(value):
        for attribute, part in vars(value).items():
            if _is_data(part):
                yield f"{name}.{attribute}", _seen(part)
    else:
        yield name, _seen(value)


def _is_plain_object(value: Any) -> bool:
    kind = type(value)
    return (
        hasattr(value, "__dict__")
        and kind.__reduce__ is object.__reduce__
        and kind.__reduce_ex__ is object.__reduce_ex__
        and getattr(kind, "__getstate__", None) is object.__getstate__
    )


def _seen(value: Any) -> Seen:
    return Seen(_mark(value), in_short(value), _holds_tracer(value))


def _holds_tracer(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_tracer, value.values()))
    if isinstance(value, list | tuple | set | frozenset):
        return any(map(_holds_tracer, value))
    return isinstance(value, jax.core.Tracer)


def _mark(value: Any) -> Any:
    """Something that is equal exactly where the value has not changed."""
    if isinstance(value, jax.core.Tracer) or type(value).__module__ == "itertools":
        return id(value)
    if isinstance(value, jax.Array | np.ndarray | np.generic):
        array = numbers(value)
        return (str(array.dtype), array.shape, array.tobytes())
    if isinstance(value, dict):
        return {key: _mark(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_mark(part) for part in value]
    try:
        return pickle.dumps(value)  # an iterator's position, a generator's state, an object's attributes
    except Exception:
        return id(value)


def numbers(leaf: Any) -> np.ndarray:
    """The numbers of an array, or the bits of a random key."""
    return np.asarray(jax.random.key_data(leaf) if _is_key(leaf) else leaf)


def _is_key(leaf: Any) -> bool:
    return isinstance(leaf, jax.Array) and jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key)


def in_short(value: Any) -> str:
    """A value in a few characters; an exception by its type and first sentence."""
    if isinstance(value, Exception):
        sentence = str(value).partition("\n")[0].partition(". ")[0].rstrip(".")
        return f"{type(value).__name__}: {sentence}"
    if isinstance(value, jax.Array | np.ndarray | np.generic) and not isinstance(value, jax.core.Tracer):
        array = numbers(value)
        value = array.item() if array.ndim == 0 else array
    text = f"{value:.4g}" if isinstance(value, float) else " ".join(str(value).split())
    return text if len(text) <= 60 else text[:57] + "..."
