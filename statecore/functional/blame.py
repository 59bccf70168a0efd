"""Which attribute a method needed as a Python value, found by giving it one after the other back."""

import contextlib
import functools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from statecore.functional.attributes import copied, own_containers
from statecore.functional.refusing import CannotFunctionalize, keep_static
from statecore.functional.state import same_structure


def refusal(
    guard: Any, function: Callable, stand_in: Any, start: Mapping[str, Any], arguments: Any
) -> CannotFunctionalize | None:
    """Say which attributes stood in the way of a method that raised.

    The method runs again with the attributes as the Python values that they were at
    first. Where it then gets to its end, they were the cause; those without which it
    does as well are taken away again.

    Args:
      guard: the checks, with `names` and `originals`.
      function: the method's function.
      stand_in: the object that it was called on.
      start: the attributes that the stand-in had at the start.
      arguments: `(args, kwargs)` of the call.

    Returns:
      The refusal, or None when the attributes are not the cause.
    """
    suspects = [name for name in guard.names if _is_other(start[name], guard.originals[name])]
    # a value may be computed from an attribute by JAX, and from an argument too: then these must be concrete as well
    for given, concrete in ((arguments, False), (arguments, True), (_made_up(arguments), True)):
        again = functools.partial(_run, guard.originals, function, type(stand_in), start, given, concrete)
        if again(suspects) is None:
            continue
        names = _fewest(suspects, again)
        end = again(names)
        return _refusal(names, guard.originals, end, not concrete) if names and end else None
    return None


def _fewest(names: list[str], again: Callable[[list[str]], Any]) -> list[str]:
    """The names without those that are not needed to get to the end."""
    for name in list(names):
        fewer = [other for other in names if other != name]
        if again(fewer) is not None:
            names = fewer
    return names


def _made_up(arguments: Any) -> Any:
    """The arguments with ones for what is traced."""

    def one(leaf: Any) -> Any:
        traced = isinstance(leaf, jax.core.Tracer) and not jnp.issubdtype(leaf.dtype, jax.dtypes.extended)
        return np.ones(leaf.shape, leaf.dtype)[()] if traced else leaf

    try:
        return jax.tree.map(one, arguments)
    except Exception:  # something that JAX cannot take apart
        return arguments


def _run(
    originals: Mapping[str, Any],
    function: Callable,
    cls: type,
    start: Mapping[str, Any],
    arguments: Any,
    concrete: bool,
    names: Iterable[str],
) -> dict[str, Any] | None:
    """The attributes after a run in which the named ones are Python values; None when it raises."""
    probe: Any = object.__new__(cls)
    args, kwargs = own_containers(arguments)
    # containers of its own for each attribute: an earlier run may have written into them
    vars(probe).update({name: own_containers(value) for name, value in start.items()})
    vars(probe).update(copied({name: originals[name] for name in names}))
    try:
        with jax.ensure_compile_time_eval() if concrete else contextlib.nullcontext():
            function(probe, *args, **kwargs)
    except Exception:
        return None
    return vars(probe)


def _is_other(value: Any, original: Any) -> bool:
    """True when the stand-in holds something else than Python did: a tracer, or JAX's for NumPy's."""
    leaves = zip(jax.tree.leaves(value), jax.tree.leaves(original), strict=False)
    return any(type(now) is not type(then) for now, then in leaves)


def _refusal(
    names: list[str], originals: Mapping[str, Any], end: Mapping[str, Any], static_helps: bool
) -> CannotFunctionalize:
    written = [name for name in names if name not in end or _was_written(originals[name], end[name])]
    if not written and not static_helps:
        return CannotFunctionalize(
            f"self.{names[0]}",
            "is state, so what is computed from it is traced, and the method needs that value in "
            "Python (for an if, a range, a shape, a slice or a name)",
            "Use jnp.where or lax.cond for an if, and an array of fixed size for a shape.",
        )
    if not written:
        return CannotFunctionalize(
            f"self.{names[0]}",
            "is state, so it is traced, and the method needs its value in Python "
            "(for an if, a range, a shape, a slice or a name)",
            f"If it never changes, keep it out of the state: {keep_static(names)}. "
            "If it does, use jnp.where or lax.cond.",
        )
    name = written[0]
    if any(isinstance(leaf, np.ndarray) for leaf in jax.tree.leaves(originals[name])):
        return CannotFunctionalize(
            f"self.{name}",
            "is a NumPy array that the method changes in place or hands to NumPy, and a JAX array takes its place",
            f"Write self.{name} = self.{name}.at[...].set(...), and use jax.numpy.",
        )
    return CannotFunctionalize(
        f"self.{name}",
        "is state that the method writes, so it is traced, and the method also needs its value in "
        "Python (for an if, a range, a shape, a slice or a name)",
        "Use jnp.where or lax.cond for an if, lax.fori_loop for a range, and an array of fixed size with a mask.",
    )


def _was_written(before: Any, after: Any) -> bool:
    if not same_structure(before, after):
        return True
    return not all(map(_same, jax.tree.leaves(before), jax.tree.leaves(after)))


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return np.array_equal(one, other)
    return one is other or (type(one) is type(other) and not isinstance(one, jax.Array) and bool(one == other))
