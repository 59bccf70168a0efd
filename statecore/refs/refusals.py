"""What Refs refuse: each refusal as a small program that fails, beside the one that works.

Every function makes its own Ref, so it may be run again and by two visitors at once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp


def returned():
    n = jax.new_ref(jnp.int32(3))

    @jax.jit
    def count():
        n[...] += 1
        return n

    return count()


def returned_fixed():
    n = jax.new_ref(jnp.int32(3))

    @jax.jit
    def count():
        n[...] += 1
        return n[...]

    return count()


def passed_twice():
    n = jax.new_ref(jnp.int32(3))

    @jax.jit
    def add(to, what):
        to[...] += what[...]

    add(n, n)
    return n[...]


def passed_twice_fixed():
    n = jax.new_ref(jnp.int32(3))

    @jax.jit
    def add(to, what):
        to[...] += what

    add(n, n[...])
    return n[...]


def closed_and_passed():
    n = jax.new_ref(jnp.int32(3))

    @jax.jit
    def add(to):
        to[...] += n[...]

    add(n)
    return n[...]


def closed_and_passed_fixed():
    n = jax.new_ref(jnp.int32(3))

    @jax.jit
    def double():
        n[...] += n[...]

    double()
    return n[...]


def vmapped():
    total = jax.new_ref(jnp.float32(0))

    def add(x):
        total[...] += x

    jax.vmap(add)(jnp.arange(3.0))
    return total[...]


def vmapped_fixed():
    totals = jax.new_ref(jnp.zeros(3))

    def add(total, x):
        total[...] += x

    jax.vmap(add)(totals, jnp.arange(3.0))
    return totals[...]


def used_in_maths():
    angle = jax.new_ref(jnp.float32(0.5))
    return jax.jit(jnp.sin)(angle)


def used_in_maths_fixed():
    angle = jax.new_ref(jnp.float32(0.5))
    return jax.jit(jnp.sin)(angle[...])


def differentiated():
    last = jax.new_ref(jnp.float32(0))

    def loss(w):
        error = (w - 1) ** 2
        last[...] = error
        return error

    slope = jax.grad(loss)(jnp.float32(3))
    return slope, last[...]


def differentiated_fixed():
    last = jax.new_ref(jnp.float32(0))

    def loss(w):
        error = (w - 1) ** 2
        last[...] = jax.lax.stop_gradient(error)
        return error

    slope = jax.grad(loss)(jnp.float32(3))
    return slope, last[...]


def wrong_dtype():
    n = jax.new_ref(jnp.int32(3))
    n[...] += 0.5
    return n[...]


def wrong_dtype_fixed():
    n = jax.new_ref(jnp.float32(3))
    n[...] += 0.5
    return n[...]


def carried():
    n = jax.new_ref(jnp.int32(3))

    def body(n, _):
        n[...] += 1
        return n, n[...]

    _, values = jax.lax.scan(body, n, length=3)
    return values


def carried_fixed():
    n = jax.new_ref(jnp.int32(3))

    def body(_, x):
        n[...] += 1
        return None, n[...]

    _, values = jax.lax.scan(body, None, length=3)
    return values


def gradient_of_ref():
    w = jax.new_ref(jnp.float32(3))

    def loss(w):
        return (w[...] - 1) ** 2

    return jax.grad(loss)(w)


def gradient_of_ref_fixed():
    w = jax.new_ref(jnp.float32(3))

    def loss(w):
        return (w - 1) ** 2

    return jax.grad(loss)(w[...])


def frozen_inside():
    n = jax.new_ref(jnp.int32(3))

    @jax.jit
    def read():
        return jax.freeze(n)

    return read()


def frozen_outside():
    n = jax.new_ref(jnp.int32(3))

    @jax.jit
    def count():
        n[...] += 1

    count()
    return jax.freeze(n)


@dataclass(frozen=True)
class Refusal:
    """Something a Ref cannot do, and what to write instead.

    Attributes:
      title: what is tried, in a few words.
      broken, fixed: the programs; `fixed` is the same with as little changed as possible.
      why: one sentence.
    """

    title: str
    broken: Callable[[], Any]
    fixed: Callable[[], Any]
    why: str


REFUSALS = (
    Refusal(
        "returned from jit",
        returned,
        returned_fixed,
        "A compiled program returns arrays; a second name for one Ref would come back. Return what it holds.",
    ),
    Refusal(
        "passed twice",
        passed_twice,
        passed_twice_fixed,
        "Two names for one Ref would hide that a write to one changes the other. Pass what the second one holds.",
    ),
    Refusal(
        "passed and closed over",
        closed_and_passed,
        closed_and_passed_fixed,
        "The same Ref reaches the function by two ways. Keep one of them.",
    ),
    Refusal(
        "written under vmap",
        vmapped,
        vmapped_fixed,
        "Three lanes would write to one place in no particular order. Give each lane its own, as an argument.",
    ),
    Refusal(
        "used in maths",
        used_in_maths,
        used_in_maths_fixed,
        "A Ref is a place and not a number. Read it first, with `[...]`.",
    ),
    Refusal(
        "written with a differentiated value",
        differentiated,
        differentiated_fixed,
        "The gradient would have to flow through the write and out of sight. `stop_gradient` says it shall not.",
    ),
    Refusal(
        "another dtype",
        wrong_dtype,
        wrong_dtype_fixed,
        "The Ref is one buffer of one type for ever. Make it of the type it will hold.",
    ),
    Refusal(
        "carried by scan",
        carried,
        carried_fixed,
        "A carry is returned by every step, and a Ref may not be. Close over it.",
    ),
    Refusal(
        "gradient with respect to a Ref",
        gradient_of_ref,
        gradient_of_ref_fixed,
        "The gradient of a Ref would itself be a Ref. Differentiate with respect to what it holds.",
    ),
    Refusal(
        "frozen inside jit",
        frozen_inside,
        frozen_outside,
        "`freeze` works where the Ref was made, which the error does not say. Freeze it there.",
    ),
)


@dataclass(frozen=True)
class Outcome:
    """What running a program gave: a value, or the exception that JAX raised."""

    value: Any = None
    error: Exception | None = None

    @property
    def text(self) -> str:
        """The value, or the error's type and message, as a reader may see it."""
        if self.error is not None:
            return f"{type(self.error).__name__}: {self.error}".strip()
        return str(jax.tree.map(lambda leaf: leaf.tolist(), self.value))


def attempt(program: Callable, *args: Any) -> Outcome:
    """Run `program(*args)` really, to the end of its computation, and report what happened."""
    try:
        return Outcome(value=jax.block_until_ready(program(*args)))
    except Exception as error:
        return Outcome(error=error)
