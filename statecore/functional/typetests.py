"""Questions about types and identity that a tracer answers otherwise: refused before they are asked."""

import dis
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from statecore.functional.attributes import is_number
from statecore.functional.refusing import CannotFunctionalize, keep_static
from statecore.functional.sources import UNKNOWN
from statecore.functional.uses import Test, Uses

_SAYS = {
    "isinstance": "is asked for its type (isinstance), and a traced value answers otherwise",
    "type": "is asked for its type, and a traced value answers otherwise",
    "hasattr": "is asked for its attributes (hasattr), and a traced value answers otherwise",
    "is": "is compared by identity (is), and a traced value is never the same object",
    "text": "is made into a text, and the text of a traced value is not that of its number",
}
_ASKING = frozenset(("isinstance", "type", "hasattr"))


def check(attributes: Mapping[str, Any], uses: Uses) -> None:
    """Refuse methods that ask an attribute of the state what a tracer answers otherwise.

    Raises CannotFunctionalize; where a source cannot be read, also for a function that
    asks such a question at all.
    """
    for test in uses.tests:
        if test.attribute in attributes and _differs(test, attributes[test.attribute]):
            raise _refusal(test)
    if names := [name for name, value in attributes.items() if not isinstance(value, jax.Array)]:
        for function in uses.unread:
            if _asks(function.__code__):
                raise CannotFunctionalize(
                    f"{function.__name__}",
                    "asks for a type or an identity, and its source cannot be read",
                    f"Put the class into a file, or keep what is asked out of the state: {keep_static(names)}.",
                )


def _differs(test: Test, value: Any) -> bool:
    leaves = jax.tree.leaves(value)
    if test.kind == "is":
        return bool(leaves)
    if test.kind == "in place":
        return any(isinstance(leaf, np.ndarray) for leaf in leaves)
    if test.whole and not is_number(value):
        return test.kind == "text" and bool(leaves)
    if test.kind == "text":
        return True
    return any(_answers_differ(test, leaf) for leaf in leaves)


def _answers_differ(test: Test, leaf: Any) -> bool:
    if test.kind == "type":
        return True
    if test.asked is UNKNOWN:
        return not isinstance(leaf, jax.Array)
    ask = isinstance if test.kind == "isinstance" else hasattr
    answers = []

    def traced(tracer):
        answers.append(ask(tracer, test.asked))
        return tracer

    try:
        jax.eval_shape(traced, leaf)
        return answers != [ask(leaf, test.asked)]
    except TypeError:  # no class and no name: the method will say so itself
        return False


def _refusal(test: Test) -> CannotFunctionalize:
    where = f"self.{test.attribute}"
    if test.kind == "in place":
        return CannotFunctionalize(
            where,
            "is a NumPy array that is changed in place, and a JAX array, which never changes, takes its place",
            f"Write {where} = {where}.at[...].set(...), or {where} = jnp.sort({where}).",
        )
    return CannotFunctionalize(
        where,
        _SAYS[test.kind],
        f"If it never changes, keep it out of the state: {keep_static([test.attribute])}. "
        "If it does, ask for a shape, a dtype or an attribute of its own instead.",
    )


def _asks(code: Any) -> bool:
    return bool(_ASKING & set(code.co_names)) or any(each.opname == "IS_OP" for each in dis.get_instructions(code))
