"""The source of a function as a tree, and what the names in it stand for."""

import ast
import builtins
import functools
import inspect
import textwrap
import types
from typing import Any

UNKNOWN = object()
"""What a name stands for that cannot be looked up."""

_LIBRARIES = frozenset(
    ("jax", "jaxlib", "numpy", "optax", "flax", "equinox", "haiku", "chex", "functools", "itertools", "copy", "math")
)
"""Packages whose functions treat tracers as they should."""


@functools.lru_cache(maxsize=4096)
def tree_of(code: types.CodeType) -> Any:
    """The definition that a code object was made of; None where its source cannot be read."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(code)).lstrip())
    except (OSError, TypeError, SyntaxError, IndentationError):
        return None
    wanted = ast.Lambda if code.co_name == "<lambda>" else ast.FunctionDef
    found = [node for node in ast.walk(tree) if isinstance(node, wanted)]
    # two lambdas on one line cannot be told apart
    return found[0] if found and (wanted is not ast.Lambda or len(found) == 1) else None


def is_followed(function: Any) -> bool:
    """True for a Python function that is not of a well-known library."""
    if not isinstance(function, types.FunctionType):
        return False
    return (function.__module__ or "").partition(".")[0] not in _LIBRARIES


def meaning(function: types.FunctionType, node: ast.AST) -> Any:
    """What `name`, `module.name`, a constant or a tuple of them stands for in a function; UNKNOWN otherwise."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Tuple):
        parts = tuple(meaning(function, part) for part in node.elts)
        return UNKNOWN if any(part is UNKNOWN for part in parts) else parts
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return meaning(function, ast.Tuple([node.left, node.right], ast.Load()))
    if isinstance(node, ast.Attribute):
        owner = meaning(function, node.value)
        known = isinstance(owner, type | types.ModuleType)
        return getattr(owner, node.attr, UNKNOWN) if known else UNKNOWN
    return _named(function, node.id) if isinstance(node, ast.Name) else UNKNOWN


def _named(function: types.FunctionType, name: str) -> Any:
    code = function.__code__
    if name in code.co_freevars and function.__closure__:
        try:
            return function.__closure__[code.co_freevars.index(name)].cell_contents
        except ValueError:
            return UNKNOWN
    if name in code.co_varnames or name in code.co_cellvars:
        return UNKNOWN
    return function.__globals__.get(name, getattr(builtins, name, UNKNOWN))
