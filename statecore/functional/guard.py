"""What `functionalize` cannot do, found before and while the method runs.

State may hide where no pytree reaches: in an iterator, behind a closure, in a list
that two attributes share, on the class. Everything that an object reaches is
walked before and after the method runs; what changed must be in the state.
"""

import functools
import keyword
import types
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np

from statecore.functional import blame, precision, shared, typetests
from statecore.functional.attributes import copied, is_number, is_numeric, own_containers, split
from statecore.functional.following import uses_of
from statecore.functional.foreign import refusal
from statecore.functional.reach import reach
from statecore.functional.refusing import CannotFunctionalize
from statecore.functional.watch import Watch


class Guard:
    """The checks around one method.

    Attributes:
      static: the attributes that are no state: those that were named, and the data.
      names: the attributes that are state.
      originals: copies of their values, with the types they had in Python.
    """

    def __init__(self, method: Any, static: tuple[str, ...]) -> None:
        """Refuse what can be seen before the method runs. Raises CannotFunctionalize."""
        owner, static = method.__self__, (static,) if isinstance(static, str) else tuple(static)
        _check_static(owner, static)
        _check_reach(owner)
        uses = uses_of(method)
        traced = {name: value for name, value in vars(owner).items() if name not in static and is_numeric(value)}
        data = {name for name, value in traced.items() if is_data(value) and uses.never_writes(name)}
        _check_names(traced)
        precision.check(traced, uses)
        typetests.check(traced, uses)
        self.static, self.names = (*static, *data), tuple(name for name in traced if name not in data)
        self._constants = {name: jnp.array(traced[name]) for name in data}
        try:
            split(owner, self.static)
            self.originals = copied({name: traced[name] for name in self.names})
        except Exception as error:
            raise _not_copied(owner, static) from error
        shared.check_before(owner, self.names)

    def bind(self, function: Callable, stand_in: Any) -> Callable:
        """The function with its stand-in, like `functools.partial`, and with the checks."""
        return functools.partial(self._run, function, stand_in)

    def _run(self, function: Callable, stand_in: Any, *args: Any, **kwargs: Any) -> Any:
        vars(stand_in).update(self._constants)
        start = {name: own_containers(value) for name, value in vars(stand_in).items()}
        given = args, kwargs
        args, kwargs = own_containers(given)
        watch = Watch(function, stand_in, self.names, args, kwargs)
        try:
            output = function(stand_in, *args, **kwargs)
        except CannotFunctionalize:
            raise
        except Exception as error:
            found = blame.refusal(self, function, stand_in, start, given)
            if found is None:
                raise
            raise found from error
        finally:
            watch.restore_class()
        watch.check(output)
        shared.check_after(stand_in, self.names, self.originals)
        return output


def is_data(value: Any) -> bool:
    """True for a NumPy array with axes; a number, or a JAX array, is meant to be state."""
    return isinstance(value, np.ndarray) and value.ndim > 0 and is_number(value)


def _check_static(owner: Any, static: tuple[str, ...]) -> None:
    for name in static:
        if name not in vars(owner):
            raise CannotFunctionalize(
                f"self.{name}", "is named in static but is not an attribute", "Check its spelling."
            )


def _check_names(names: Any) -> None:
    for name in names:
        if not name.isidentifier() or keyword.iskeyword(name):
            raise CannotFunctionalize(f"self.{name}", "has no name that Python can write", "Rename it.")


def _check_reach(owner: Any) -> None:
    for path, value in reach(owner):
        if value is owner and path != "self":
            raise CannotFunctionalize(
                path.partition(" ")[0],
                "holds self, and would go on changing the original object",
                "Make it a method, or give it what it needs as an argument.",
            )
        if found := refusal(value):
            raise CannotFunctionalize(path, *found)


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
