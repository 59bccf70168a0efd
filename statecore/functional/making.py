"""Make a method that changes its object into a function that takes and returns the state."""

import functools
from collections.abc import Callable

from statecore.functional import guard
from statecore.functional.attributes import State, make_like, read, split


def unguarded(method, static=(), run=None):
    owner = method.__self__
    state, settings = split(owner, static)

    def pure(state, *args, **kwargs):
        stand_in = make_like(
            owner, state, settings)
        step = functools.partial(
            method.__func__, stand_in,
            *args, **kwargs)
        output = run(step, stand_in, state) \
            if run else step()
        return output, read(stand_in, state)

    return pure, state


def functionalize(
    method: Callable, static: tuple[str, ...] = ()
) -> tuple[Callable, State]:
    """Make a bound method pure.

    Args:
      method: a method of an object, such as `Counter().count`. The object is only read.
      static: names of attributes that stay Python values (sizes, flags read by an
        `if`): they are settings of the function, not part of the state.

    Returns:
      `(pure, state)`: `pure(state, *args) -> (output, state)`, and the state the
      object is in. Every attribute that holds arrays and numbers is in the state;
      the others are copied now, and may be read but not written.

    Raises:
      CannotFunctionalize: where the pure function would not do what the method
        does, here or when `pure` is called. It names the attribute and says what to
        do. It does not see what is not in an attribute (a global, a clock, `print`),
        nor that a JAX integer overflows where a Python one does not.
    """
    guard.check(method, static)
    return unguarded(method, static, guard.run)
