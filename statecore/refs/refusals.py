"""What Refs refuse: the table of refusals, and how a program that may fail is run."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax

from statecore.refs import refused


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
        refused.returned,
        refused.returned_fixed,
        "A compiled program returns arrays; a second name for one Ref would come back. Return what it holds.",
    ),
    Refusal(
        "passed twice",
        refused.passed_twice,
        refused.passed_twice_fixed,
        "Two names for one Ref would hide that a write to one changes the other. Pass what the second one holds.",
    ),
    Refusal(
        "passed and closed over",
        refused.closed_and_passed,
        refused.closed_and_passed_fixed,
        "The same Ref reaches the function by two ways. Keep one of them.",
    ),
    Refusal(
        "written under vmap",
        refused.vmapped,
        refused.vmapped_fixed,
        "Three lanes would write to one place in no particular order. Give each lane its own, as an argument.",
    ),
    Refusal(
        "used in maths",
        refused.used_in_maths,
        refused.used_in_maths_fixed,
        "A Ref is a place and not a number. Read it first, with `[...]`.",
    ),
    Refusal(
        "written with a differentiated value",
        refused.differentiated,
        refused.differentiated_fixed,
        "The gradient would have to flow through the write and out of sight. `stop_gradient` says that it should not.",
    ),
    Refusal(
        "another dtype",
        refused.wrong_dtype,
        refused.wrong_dtype_fixed,
        "The Ref is one buffer of one type, always. Make it of the type it will hold.",
    ),
    Refusal(
        "carried by scan",
        refused.carried,
        refused.carried_fixed,
        "A carry is returned by every step, and a Ref may not be. Close over it.",
    ),
    Refusal(
        "gradient with respect to a Ref",
        refused.gradient_of_ref,
        refused.gradient_of_ref_fixed,
        "The gradient of a Ref would have to be added up in a second Ref. Differentiate with respect to what it holds. "
        "JAX 0.12 also takes a second Ref, by `with_refs` of what `jax.vjp` returns.",
    ),
    Refusal(
        "frozen inside jit",
        refused.frozen_inside,
        refused.frozen_outside,
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
