"""What a method did to its stand-in, its arguments and its class while it ran."""

import functools
import inspect
from collections import deque
from collections.abc import Callable
from typing import Any

import jax

from statecore.functional.attributes import is_numeric
from statecore.functional.bound import check_heap
from statecore.functional.reach import Snapshot
from statecore.functional.refusing import CannotFunctionalize

ClassAttributes = dict[tuple[type, str], tuple[Any, Snapshot]]


class Watch:
    """What is there before the method runs, to be compared with what is there afterwards."""

    def __init__(self, function: Callable, stand_in: Any, names: tuple[str, ...], args: tuple, kwargs: dict) -> None:
        self._stand_in, self._names = stand_in, names
        self._arguments = _by_name(function, stand_in, args, kwargs)
        self._given = Snapshot.of(self._arguments)
        self._settings, self._class = _settings(stand_in, names), _class_attributes(type(stand_in))
        self._structures = {name: jax.tree.structure(vars(stand_in)[name]) for name in names}
        self._static = {name for name in self._settings.names if is_numeric(vars(stand_in)[name.removeprefix("self.")])}
        self._written: str | None = None

    def restore_class(self) -> None:
        """Bind class attributes to what they were."""
        self._written = _restore(type(self._stand_in), self._class)

    def check(self, output: Any) -> None:
        """Refuse what the method did beside the state. Raises CannotFunctionalize."""
        if self._written:
            raise CannotFunctionalize(
                self._written,
                "is written, and belongs to the class: every object shares it",
                "Make it an attribute of the object, set in __init__.",
            )
        if output is self._stand_in:
            raise CannotFunctionalize("self", "is returned by the method", "Return the value that the caller needs.")
        settings = (path.removeprefix("self.") for path in self._settings.names)
        _check_names(self._stand_in, (*self._names, *settings))
        _check_settings(self._stand_in, self._static, self._settings, _settings(self._stand_in, self._names))
        for name, structure in self._structures.items():
            _check_state(name, vars(self._stand_in)[name], structure)
        _check_arguments(self._given, Snapshot.of(self._arguments))


def _by_name(function: Callable, stand_in: Any, args: tuple, kwargs: dict) -> dict[str, Any]:
    try:
        given = inspect.signature(function).bind(stand_in, *args, **kwargs).arguments
    except (TypeError, ValueError):  # the call itself will say what is wrong
        return {}
    return dict(list(given.items())[1:])


def _check_arguments(before: Snapshot, after: Snapshot) -> None:
    if path := before.first_difference(after):
        raise CannotFunctionalize(
            path, "is an argument, and is written into: under jit the caller would not see it", "Return it instead."
        )


def _check_names(stand_in: Any, expected: tuple[str, ...]) -> None:
    for name in vars(stand_in):
        if name in expected:
            continue
        if isinstance(inspect.getattr_static(type(stand_in), name, None), functools.cached_property):
            raise CannotFunctionalize(
                f"self.{name}",
                "is a cached_property: its value is kept when it is first read",
                "Set it in __init__, or make it a property.",
            )
        raise CannotFunctionalize(
            f"self.{name}", "is made while the method runs, so no state holds it", "Give it a first value in __init__."
        )
    for name in expected:
        if name not in vars(stand_in):
            raise CannotFunctionalize(f"self.{name}", "is deleted by the method", "Keep it, with a value that says so.")


def _check_settings(stand_in: Any, static: set[str], before: Snapshot, after: Snapshot) -> None:
    path = before.first_difference(after)
    if path is None:
        return
    attribute = path.partition(" ")[0]
    if "." in attribute.removeprefix("self."):
        other = path.rpartition(".")[0]
        raise CannotFunctionalize(
            path,
            f"is written, and belongs to another object, {other}",
            f"Keep it in self, or functionalize the method of {other} and thread its state.",
        )
    root = attribute.partition("[")[0]
    value = vars(stand_in)[root.removeprefix("self.")]
    # all that is made of numbers is state, unless it was named in static
    if root in static:
        raise CannotFunctionalize(path, "is written, and static says that it does not change", "Take it out of static.")
    raise CannotFunctionalize(
        attribute, "is written, and is not made of arrays and numbers alone", _remedy(root, value)
    )


def _remedy(attribute: str, value: Any) -> str:
    if isinstance(value, deque):
        moved = f"{attribute} = jnp.roll({attribute}, -1).at[-1].set(...)"
        return f"Keep an array of fixed size instead of a deque, and write {moved}."
    if isinstance(value, list | tuple | dict):
        return f"Take what is no number out of {attribute}, into an attribute of its own."
    return "Keep what changes in an attribute of its own, as a number, an array, or a list or dict of them."


def _check_state(name: str, value: Any, old: Any) -> None:
    if not is_numeric(value):
        raise CannotFunctionalize(
            f"self.{name}",
            f"was a number or array and becomes {type(value).__name__}",
            "Keep arrays and numbers only in it.",
        )
    new = jax.tree.structure(value)
    if new != old:
        raise CannotFunctionalize(
            f"self.{name}",
            f"changes its structure, from {_plain(old)} to {_plain(new)}",
            "Give it its final structure in __init__: an array of zeros, say.",
        )


def _plain(structure: Any) -> str:
    return str(structure).removeprefix("PyTreeDef(").removesuffix(")").replace("*", "value")


def _settings(owner: Any, state: tuple[str, ...]) -> Snapshot:
    return Snapshot.of({f"self.{name}": value for name, value in vars(owner).items() if name not in state})


def _class_attributes(cls: type) -> ClassAttributes:
    """The attributes of a class and its bases that are no code, and what they reach."""
    return {
        (base, name): (value, Snapshot.of({f"{base.__name__}.{name}": value}))
        for base in cls.__mro__
        if check_heap(base)
        for name, value in vars(base).items()
        if not (name.startswith(("__", "_abc_")) or inspect.isroutine(value) or inspect.isdatadescriptor(value))
    }


def _restore(cls: type, before: ClassAttributes) -> str | None:
    """Bind class attributes to what they were; the first that had been written, or None."""
    now = _class_attributes(cls)
    written = None
    for base, name in [key for key in now if key not in before]:
        written = f"{base.__name__}.{name}"
        delattr(base, name)
    for (base, name), (value, snapshot) in before.items():
        current, reached = now.get((base, name), (None, Snapshot.of({})))
        written = written or snapshot.first_difference(reached)
        if current is not value:
            setattr(base, name, value)
    return written
