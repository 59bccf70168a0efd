"""Objects of other libraries that keep hidden state of their own, known by the module of their class."""

import functools
import random
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

_NNX = (
    "Split it: self.graph, state = nnx.split(module); self.params = nnx.to_pure_dict(state). Put it together in the "
    "method with nnx.merge(self.graph, self.params), and split it again to keep what it has become."
)

_CHANGING = frozenset(("Pytree", "Object", "Module", "Variable", "State", "FlatState", "Rngs", "RngStream"))
"""The classes of NNX that change in place; a GraphDef does not."""


def refusal(value: Any) -> tuple[str, str] | None:
    """The problem with an object that no pytree can thread, and the remedy; None where there is none."""
    if isinstance(value, Iterator):
        return (
            "is an iterator: it moves on at every use, and cannot be copied",
            "Pass the next value to the method as an argument.",
        )
    if isinstance(value, np.random.Generator | np.random.RandomState | np.random.BitGenerator | random.Random):
        return "is a random generator with a hidden state of its own", "Keep a JAX key and split it at every draw."
    if isinstance(value, jax.Ref):
        return (
            "is a Ref, which JAX changes in place already",
            "Jit the method as it is, or hold jax.freeze(ref).",
        )
    return _of_library(value) if not isinstance(value, type) else None


def _of_library(value: Any) -> tuple[str, str] | None:
    kind, bases = type(value), _bases(type(value))  # type: ignore[arg-type]
    modules = [module for module, _ in bases]
    if any(module.startswith("flax.nnx") and name in _CHANGING for module, name in bases):
        return f"is a {kind.__name__} of Flax NNX, which keeps its state in Variables and changes them in place", _NNX
    if "flax.linen.module" in modules and getattr(value, "scope", None) is not None:
        return (
            "is a bound Flax module: it holds its variables itself",
            "Keep the unbound module (module.unbind()) and its variables in two attributes, and call module.apply.",
        )
    if "haiku._src.module" in modules:
        return (
            "is a Haiku module, whose parameters live in a transformed function",
            "Use hk.transform_with_state, and keep params and state in attributes.",
        )
    if any(module.partition(".")[0] in ("torch", "tensorflow", "keras") for module in modules):
        return f"is a {kind.__name__}, whose arrays JAX cannot see", "Keep JAX arrays in attributes instead."
    return None


@functools.lru_cache(maxsize=1024)
def _bases(kind: type) -> tuple[tuple[str, str], ...]:
    """The module and the name of a class and of all its bases."""
    return tuple((base.__module__, base.__name__) for base in kind.__mro__ if isinstance(base.__module__, str))
