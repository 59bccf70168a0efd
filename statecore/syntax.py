"""What stands where in a source file: names, the two operands of an operation, what is returned."""

import ast
import linecache
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

Span = tuple[int, int, int, int]
"""Where an expression stands: line, column, last line, last column; columns in bytes."""

_OPERATIONS = {
    "add": {"Add", "add"},
    "sub": {"Sub", "sub", "subtract"},
    "mul": {"Mult", "mul", "multiply"},
    "div": {"Div", "div", "divide", "true_divide"},
    "pow": {"Pow", "pow", "power"},
    "max": {"max", "maximum"},
    "min": {"min", "minimum"},
    "lt": {"Lt", "lt", "less"},
    "le": {"LtE", "le", "less_equal"},
    "gt": {"Gt", "gt", "greater"},
    "ge": {"GtE", "ge", "greater_equal"},
}
"""For a primitive of JAX: the operators and functions whose two operands are its own, in order."""


class Spot(NamedTuple):
    """What stands in the source for a value.

    Attributes:
      line: the line it stands on.
      name: the variable, such as `self.params`; empty for a number that is written there.
      path: what is taken out of it, such as `['w']`.
    """

    line: int
    name: str
    path: str = ""


class Operation(NamedTuple):
    """Something with two operands: an operator, or a call with two arguments."""

    kind: str
    operands: tuple[ast.expr, ast.expr]


def operand(filename: str, line: int, column: int, primitive: str, at: int) -> Spot | None:
    """What stands for operand `at` of the operation that begins at a place; None where that is not certain.

    `a * b + c` and `a * b` begin at the same place: the primitive tells them apart.
    """
    kinds = _OPERATIONS.get(primitive, ())
    found = [each for each in _operations(filename).get((line, column), ()) if each.kind in kinds]
    return spot(found[0].operands[at]) if len(found) == 1 and at < 2 else None


def returned(filename: str, line: int) -> tuple[Spot | None, ...] | None:
    """What stands for each value of the `return` on a line: one, or those of a tuple; None without a `return`."""
    for first, last, value in _returns(filename):
        if first <= line <= last and value is not None:
            parts = value.elts if isinstance(value, ast.Tuple) else [value]
            return tuple(spot(part) for part in parts)
    return None


def spot(node: ast.expr) -> Spot | None:
    """What an expression is, where it is a number, a variable, or an entry of one."""
    if isinstance(node, ast.NamedExpr):
        return spot(node.value)
    if isinstance(node, ast.Constant):
        return Spot(node.lineno, "")
    if isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant):
        return Spot(node.lineno, "")
    base: Any = node
    path = ""
    while isinstance(base, ast.Subscript) and isinstance(base.slice, ast.Constant):
        base, path = base.value, f"[{base.slice.value!r}]{path}"
    name = dotted(base)
    return Spot(base.lineno, name, path) if name else None


@lru_cache(maxsize=128)
def names(filename: str) -> Mapping[Span, str]:
    """Every name and dotted name of a file by where it stands; of `a.b[i] = x`, what is written into: `a.b`."""
    found = {}
    for node in _nodes(filename):
        written = node.value if isinstance(node, ast.Subscript) else node
        if isinstance(node, ast.expr) and isinstance(written, ast.expr) and (name := dotted(written)):
            found[_span(node)] = name
    return found


def dotted(node: ast.expr) -> str:
    """`self.params.weight` for an expression that is a name with attributes; empty for any other."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join((node.id, *reversed(parts))) if isinstance(node, ast.Name) else ""


@lru_cache(maxsize=128)
def _nodes(filename: str) -> tuple[ast.AST, ...]:
    """Every node of a file's syntax tree; none where there is no source that parses.

    What Python has under the name `<string>` was run with -c, and is other code.
    """
    if filename == "<string>":
        return ()
    try:
        return tuple(ast.walk(ast.parse("".join(linecache.getlines(filename)))))
    except (SyntaxError, ValueError):
        return ()


@lru_cache(maxsize=128)
def _operations(filename: str) -> Mapping[tuple[int, int], list[Operation]]:
    found: dict[tuple[int, int], list[Operation]] = {}
    for node in _nodes(filename):
        for each in _operation(node):
            found.setdefault((node.lineno, node.col_offset), []).append(each)  # type: ignore[attr-defined]
    return found


def _operation(node: ast.AST) -> Iterator[Operation]:
    if isinstance(node, ast.BinOp):
        yield Operation(type(node.op).__name__, (node.left, node.right))
    elif isinstance(node, ast.AugAssign):
        yield Operation(type(node.op).__name__, (node.target, node.value))
    elif isinstance(node, ast.Compare) and len(node.ops) == 1:
        yield Operation(type(node.ops[0]).__name__, (node.left, node.comparators[0]))
    elif isinstance(node, ast.Call) and len(node.args) == 2 and not node.keywords:
        name = dotted(node.func).split(".")[-1]
        if not any(isinstance(each, ast.Starred) for each in node.args):
            yield Operation(name, (node.args[0], node.args[1]))


@lru_cache(maxsize=128)
def _returns(filename: str) -> tuple[tuple[int, int, ast.expr | None], ...]:
    found = (node for node in _nodes(filename) if isinstance(node, ast.Return))
    return tuple((node.lineno, node.end_lineno or node.lineno, node.value) for node in found)


def _span(node: ast.expr) -> Span:
    return node.lineno, node.col_offset, node.end_lineno or node.lineno, node.end_col_offset or 0
