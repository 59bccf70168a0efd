"""Make a method that changes its object into a function that takes and returns the state."""

import functools
from collections.abc import Callable
from typing import Any

from statecore.functional import bound, verifying
from statecore.functional.attributes import make_like, read, split
from statecore.functional.guard import Guard


def unguarded(method, static=(), run=None):
    owner = method.__self__
    state, settings = split(owner, static)

    def pure(state, *args, **kwargs):
        stand_in = make_like(owner, state, settings)
        bind = run or functools.partial
        step = bind(method.__func__, stand_in)
        output = step(*args, **kwargs)
        return output, read(stand_in, state)

    return pure, state


def functionalize(
    method: Callable, *examples: Any, static: tuple[str, ...] = (), verify: int = 0
) -> tuple[Callable, Any]:
    """Make a bound method pure.

    Args:
      method: a method of an object, such as `Counter().count`, or a callable object,
        which is taken by its `__call__`. The object is only read.
      *examples: arguments for the calls of `verify`, and for nothing else.
      static: names of attributes that stay Python values (sizes, flags read by an
        `if`, texts): they are settings of the function, not part of the state.
      verify: how many calls to make both ways before returning: the method on a copy
        of the object, and the jitted pure function, both with `examples`. The first
        difference raises.

    Returns:
      `(pure, state)`: `pure(state, *args) -> (output, state)`, and the state the
      object is in: a frozen dataclass, a pytree with a field for each attribute that
      holds arrays and numbers. A NumPy array that the method certainly never writes
      is data and no state: it becomes a JAX array that `pure` closes over (hold it as
      a JAX array to have it in the state). All other attributes are settings: they
      are copied now, and again each time the Python runs; they may be read, not written.

    Raises:
      CannotFunctionalize: where the pure function would not do what the method does,
        here or when `pure` is called. It names the attribute and says what to do.
      NotTheSame: a CannotFunctionalize, when `verify` sees a difference.

    What it cannot see, and `verify` may: a Python float has 32 bits under jit, and so
    do sums of integers; a bool is no integer in JAX (`True + True` is True); what is
    not in an attribute (a global, a clock, `print`); a `try` that hides the error of a
    traced value; a type test or a name made of a number in code whose source cannot be
    read, or that is reached through another object; NumPy where it differs from
    `jax.numpy`, as in an index out of bounds.
    """
    method = bound.method_of(method)
    guard = Guard(method, static)
    pure, state = unguarded(method, guard.static, guard.bind)
    if verify:
        verifying.verify(method, pure, state, examples, verify)
    return pure, state
