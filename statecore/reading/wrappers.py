"""What the checker must read of JAX's private shapes: one function for each assumption."""

import weakref
from collections.abc import Callable
from typing import Any

import jax

from statecore.reading import Unreadable


def jitted_again(wrapper: Any, function: Callable) -> Any:
    """`function` under a jit with the options of `wrapper`; donation apart, so that nobody's array is given up.

    Raises Unreadable where the wrapper does not show its options.
    """
    try:
        told = wrapper._jit_info
        options: dict[str, Any] = {
            "static_argnums": told.static_argnums,
            "static_argnames": told.static_argnames,
            "keep_unused": told.keep_unused,
            "inline": told.inline,
        }
        if told.user_specified_in_shardings:
            options["in_shardings"] = jax.tree.unflatten(told.in_shardings_treedef, told.in_shardings_leaves)
            options["out_shardings"] = jax.tree.unflatten(told.out_shardings_treedef, told.out_shardings_leaves)
    except AttributeError as missing:
        raise Unreadable(f"a jitted function does not show its options: {missing}") from None
    return jax.jit(function, **options)


def statics_of(wrapper: Any) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """The positions and the names of the static arguments of a jitted function.

    Raises Unreadable where the wrapper does not show them.
    """
    try:
        return tuple(wrapper._jit_info.static_argnums), tuple(wrapper._jit_info.static_argnames)
    except AttributeError as missing:
        raise Unreadable(f"a jitted function does not show its static arguments: {missing}") from None


def trace_behind(tracer: Any) -> weakref.ref:
    """The trace that a tracer belongs to, by a weak reference: it is dead when nothing holds one of its tracers.

    Raises Unreadable where a tracer does not show its trace.
    """
    try:
        return weakref.ref(tracer._trace)
    except (AttributeError, TypeError) as missing:
        raise Unreadable(f"a tracer does not show its trace: {missing}") from None
