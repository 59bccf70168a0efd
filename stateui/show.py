"""Values as a reader wants to see them: short, aligned, and the same everywhere."""

import inspect
from collections.abc import Mapping
from html import escape
from typing import Any

import jax
import numpy as np

from statecore import errors

DIGITS = 4
"""Significant digits of a number on screen."""

SMALL = 5
"""An array of at most so many numbers is shown as its numbers."""


def value(thing: Any) -> str:
    """A value in a few characters: numbers to 4 digits, arrays by shape, tracers by name."""
    if isinstance(thing, Exception):
        return type(thing).__name__
    if isinstance(thing, jax.core.Tracer):
        return str(thing)
    if isinstance(thing, (jax.Array, np.ndarray, np.generic)):
        return _array(thing)
    if isinstance(thing, float):
        return number(thing)
    if isinstance(thing, tuple) and hasattr(thing, "_asdict"):
        return ", ".join(f"{name} {value(part)}" for name, part in thing._asdict().items())
    if isinstance(thing, (list, tuple)):
        return ", ".join(value(part) for part in thing)
    if isinstance(thing, Mapping):
        return ", ".join(f"{name}: {value(part)}" for name, part in thing.items())
    return str(thing)


def leaves(state: Mapping[str, Any], types: bool = False) -> dict[str, str]:
    """Every leaf of the named states by its path, such as `self.params.weight`, as a value on screen.

    With `types`, arrays say their dtype as well: `0 int32`.
    """
    return {
        name + jax.tree_util.keystr(path): f"{value(leaf)}\u00a0{leaf.dtype}"
        if types and hasattr(leaf, "dtype")
        else value(leaf)
        for name, tree in state.items()
        for path, leaf in jax.tree_util.tree_leaves_with_path(tree)
    }


def size(state: Any) -> int:
    """How many leaves a state has."""
    return len(jax.tree.leaves(state))


def number(x: float) -> str:
    """A number to 4 significant digits, with a true minus sign."""
    return f"{x:.{DIGITS}g}".replace("-", "−")


def first_sentence(error: Exception) -> str:
    """The first thing that an error message says: what happened."""
    return errors.first(error)


def error(raised: Exception) -> str:
    """An exception in one line: its type, and what happened."""
    return f"{type(raised).__name__}: {first_sentence(raised)}"


def error_html(raised: Exception) -> str:
    """The same as HTML, the type in bold."""
    return f"<b>{type(raised).__name__}</b>: {escape(first_sentence(raised))}"


def table(rows: Mapping[str, str]) -> str:
    """Texts by name as an HTML table."""
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(text)}</td></tr>' for name, text in rows.items()
    )
    return f'<table class="state calls">{body}</table>'


def name(function: Any) -> str:
    """What a reader calls a function: `Counter.count`, `update`."""
    return inspect.unwrap(function).__qualname__


def _array(array: Any) -> str:
    if hasattr(array, "dtype") and jax.dtypes.issubdtype(array.dtype, jax.dtypes.prng_key):
        return "key " + " ".join(str(word) for word in np.asarray(jax.random.key_data(array)).ravel())
    if array.ndim == 0:
        scalar = np.asarray(array).item()
        return number(scalar) if isinstance(scalar, float) else str(scalar)
    if array.size <= SMALL:
        return "[" + ", ".join(value(np.asarray(part)) for part in np.asarray(array).ravel()) + "]"
    return f"{array.dtype}{list(array.shape)}"
