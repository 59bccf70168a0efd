"""What `functionalize` cannot do, found before it gives a wrong answer.

State may hide where no pytree reaches: in an iterator, behind a closure, in a list
that two attributes share, on the class. Everything that an object reaches is
walked before and after the method runs; what changed must be in the state.
"""

import functools
import inspect
import random
import re
import types
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import jax
import numpy as np

from statecore.functional.attributes import is_numeric, split
from statecore.functional.reach import Snapshot, containers, reach

_HEAP_TYPE = 1 << 9
"""The flag of classes made by a `class` statement, see `type.__flags__`."""


class CannotFunctionalize(TypeError):
    """The pure function would not do what the method does.

    Attributes:
      attribute: what stands in the way, such as `self.n`.
      problem: what about it.
      remedy: what to do.
    """

    def __init__(self, attribute: str, problem: str, remedy: str) -> None:
        super().__init__(f"{attribute} {problem}. {remedy}")
        self.attribute, self.problem, self.remedy = attribute, problem, remedy


def check(method: Callable, static: tuple[str, ...]) -> None:
    """Refuse what can be seen before the method runs. Raises CannotFunctionalize."""
    _check_method(method)
    owner = method.__self__  # type: ignore[attr-defined]
    _check_class(owner)
    for name in static:
        if name not in vars(owner):
            raise CannotFunctionalize(
                f"self.{name}", "is named in static but is not an attribute", "Check its spelling."
            )
    _check_reach(owner)
    try:
        state, _settings = split(owner, static)
    except Exception as error:
        raise _not_copied(owner, static) from error
    _check_shared(owner, state)


def run(step: Callable[[], Any], stand_in: Any, names: Iterable[str]) -> Any:
    """Run the method on its stand-in and refuse what it did beside the state.

    Raises CannotFunctionalize; a class attribute that was written has its old value back.
    """
    names = tuple(names)
    before, of_class = _settings(stand_in, names), _class_attributes(type(stand_in))
    structures = {name: jax.tree.structure(vars(stand_in)[name]) for name in names}
    try:
        output = step()
    except (jax.errors.ConcretizationTypeError, jax.errors.TracerIntegerConversionError) as error:
        if refusal := _python_value_wanted(str(error), names):
            raise refusal from error
        raise
    finally:
        written = _restore(type(stand_in), of_class)
    if written:
        raise CannotFunctionalize(
            written, "is written, and belongs to the class: every object shares it",
            "Make it an attribute of the object, set in __init__.",
        )
    if output is stand_in:
        raise CannotFunctionalize("self", "is returned by the method", "Return the value that the caller needs.")
    settings = (path.removeprefix("self.") for path in before.names)
    _check_names(stand_in, (*names, *settings))
    _check_settings(before, _settings(stand_in, names))
    _check_state(stand_in, structures)
    return output


def _check_method(method: Callable) -> None:
    name = getattr(method, "__name__", repr(method))
    if isinstance(inspect.unwrap(method), types.MethodType) and not isinstance(method, types.MethodType):
        raise CannotFunctionalize(name, "is jitted already", "Hand over the method itself, and jit the pure function.")
    if not isinstance(method, types.MethodType):
        raise CannotFunctionalize(
            name, "is not a method of an object", "Hand over a bound method, such as Counter().count."
        )
    if isinstance(method.__self__, type):
        raise CannotFunctionalize(name, "is a class method: its state is the class", "Hand over a method of an object.")
    if not isinstance(method.__func__, types.FunctionType):
        raise CannotFunctionalize(
            name, "is transformed inside its class", "Take the decorator off, and transform the pure function."
        )
    body = inspect.unwrap(method)
    if inspect.isgeneratorfunction(body) or inspect.iscoroutinefunction(body) or inspect.isasyncgenfunction(body):
        raise CannotFunctionalize(
            name, "runs only after it has returned (yield or await)", "Return the value of one step instead."
        )


def _check_class(owner: Any) -> None:
    for base in type(owner).__mro__[:-1]:
        if slots := vars(base).get("__slots__"):
            first = slots if isinstance(slots, str) else next(iter(slots))
            raise CannotFunctionalize(
                f"self.{first}", f"is in __slots__ of {base.__name__}, out of reach of vars(self)", "Remove __slots__."
            )
        if not base.__flags__ & _HEAP_TYPE:
            raise CannotFunctionalize(
                "self", f"is a {base.__name__}, whose contents are no attributes",
                f"Hold a {base.__name__} in an attribute.",
            )
    if not hasattr(owner, "__dict__"):
        raise CannotFunctionalize("self", "has no attributes", "Set them in __init__.")


def _check_reach(owner: Any) -> None:
    for path, value in reach(owner):
        if value is owner and path != "self":
            raise CannotFunctionalize(
                path.partition(" ")[0], "holds self, and would go on changing the original object",
                "Make it a method, or give it what it needs as an argument.",
            )
        if isinstance(value, Iterator):
            raise CannotFunctionalize(
                path, "is an iterator: it moves on at every use, and cannot be copied",
                "Pass the next value to the method as an argument.",
            )
        if isinstance(value, np.random.Generator | np.random.RandomState | random.Random):
            raise CannotFunctionalize(
                path, "is a random generator with a hidden state of its own",
                "Keep a JAX key and split it at every draw.",
            )
        if isinstance(value, jax.Ref):
            raise CannotFunctionalize(
                path, "is a Ref, which JAX changes in place already",
                "Jit the method as it is, or hold jax.freeze(ref).",
            )


def _check_shared(owner: Any, names: Iterable[str]) -> None:
    """Refuse a container of the state that is held twice: as a pytree it would be two."""
    ids = {id(part) for name in names for part in containers(vars(owner)[name])}
    found: dict[int, str] = {}
    for path, value in reach(owner):
        if id(value) in ids and found.setdefault(id(value), path) != path:
            raise CannotFunctionalize(
                path, f"is the same {type(value).__name__} as {found[id(value)]}: a change of one is a change of both",
                "Keep it in one attribute.",
            )


def _check_names(stand_in: Any, expected: tuple[str, ...]) -> None:
    for name in vars(stand_in):
        if name in expected:
            continue
        if isinstance(inspect.getattr_static(type(stand_in), name, None), functools.cached_property):
            raise CannotFunctionalize(
                f"self.{name}", "is a cached_property: its value is kept when it is first read",
                "Set it in __init__, or make it a property.",
            )
        raise CannotFunctionalize(
            f"self.{name}", "is made while the method runs, so no state holds it", "Give it a first value in __init__."
        )
    for name in expected:
        if name not in vars(stand_in):
            raise CannotFunctionalize(f"self.{name}", "is deleted by the method", "Keep it, with a value that says so.")


def _check_settings(before: "Snapshot", after: "Snapshot") -> None:
    path = before.first_difference(after)
    if path is None:
        return
    if "." in path.removeprefix("self.").partition(" ")[0]:
        other = path.rpartition(".")[0]
        raise CannotFunctionalize(
            path, f"is written, and belongs to another object, {other}",
            f"Keep it in self, or functionalize the method of {other} and thread its state.",
        )
    if is_numeric(before.values.get(path)):
        raise CannotFunctionalize(path, "is written, and static says that it does not change", "Take it out of static.")
    raise CannotFunctionalize(
        path.partition(" ")[0], "is written, and is not made of arrays and numbers alone",
        "Keep what changes in an attribute of its own, as a number or an array.",
    )


def _check_state(stand_in: Any, structures: dict[str, Any]) -> None:
    for name, old in structures.items():
        value = vars(stand_in)[name]
        if not is_numeric(value):
            raise CannotFunctionalize(
                f"self.{name}", f"was a number or array and becomes {type(value).__name__}",
                "Keep arrays and numbers only in it.",
            )
        new = jax.tree.structure(value)
        if new != old:
            raise CannotFunctionalize(
                f"self.{name}", f"changes its structure, from {_plain(old)} to {_plain(new)}",
                "Give it its final structure in __init__: an array of zeros, say.",
            )
    _check_shared(stand_in, structures)


def _plain(structure: Any) -> str:
    return str(structure).removeprefix("PyTreeDef(").removesuffix(")").replace("*", "value")


def _python_value_wanted(message: str, names: tuple[str, ...]) -> CannotFunctionalize | None:
    """JAX says which argument a Python `if` or `range` needed; name the attribute that it was."""
    arguments = re.search(r"depends on the values? of the arguments? (.+)", message)
    words = re.findall(r"\.(\w+)", arguments[1]) if arguments else []
    for name in words:
        if name in names:
            return CannotFunctionalize(
                f"self.{name}", "is state, so it is traced, and a Python if, range or int cannot read it",
                "If it never changes, keep it out of the state: functionalize(method, "
                f"static=({name!r},)). If it does, use jnp.where or lax.cond.",
            )
    return None


def _not_copied(owner: Any, static: tuple[str, ...]) -> CannotFunctionalize:
    """The first attribute that cannot be copied."""
    for name, value in vars(owner).items():
        try:
            split(types.SimpleNamespace(**{name: value}), static)
        except Exception:
            return CannotFunctionalize(
                f"self.{name}", f"cannot be copied: it is a {type(value).__name__}", "Keep it outside the object."
            )
    return CannotFunctionalize("self", "cannot be copied", "Keep arrays and numbers in it.")


def _settings(owner: Any, state: tuple[str, ...]) -> Snapshot:
    return Snapshot.of({f"self.{name}": value for name, value in vars(owner).items() if name not in state})


def _class_attributes(cls: type) -> dict[tuple[type, str], tuple[Any, Snapshot]]:
    """The attributes of a class and its bases that are no code, and what they reach."""
    return {
        (base, name): (value, Snapshot.of({f"{base.__name__}.{name}": value}))
        for base in cls.__mro__
        if base.__flags__ & _HEAP_TYPE
        for name, value in vars(base).items()
        if not (name.startswith(("__", "_abc_")) or inspect.isroutine(value) or inspect.isdatadescriptor(value))
    }


def _restore(cls: type, before: dict[tuple[type, str], tuple[Any, Snapshot]]) -> str | None:
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


