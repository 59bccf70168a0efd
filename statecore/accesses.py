"""Which variables an instruction reads or writes: found from where it stands in the source."""

import ast
import dis
import inspect
import linecache
from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import CodeType, FrameType
from typing import Any, NamedTuple

_MISSING = object()
_LOADS = ("LOAD_ATTR", "LOAD_METHOD", "LOAD_GLOBAL", "LOAD_DEREF")
_STORES = ("STORE_ATTR", "STORE_GLOBAL", "STORE_DEREF", "STORE_SUBSCR")
_CONSTANTS = ("LOAD_CONST", "RETURN_CONST", "LOAD_SMALL_INT")
_TOUCHES = ("LOAD", "STORE")

Span = tuple[int, int, int, int]
"""Where an expression stands: line, column, last line, last column; columns in bytes."""


class Instruction(NamedTuple):
    """What one instruction does to a variable.

    Attributes:
      kind: `read` or `written`, `constant` for a number written in the code, or
        `local` and `assigned` for a local variable that is read or given a value.
      name: the variable, such as `self.n`; empty for a constant.
      value: the constant.
    """

    kind: str
    name: str = ""
    value: Any = None


@lru_cache(maxsize=1024)
def instructions(code: CodeType) -> Mapping[int, tuple[Instruction, ...]]:
    """The instructions of a code object that touch a variable or load a number, by their offset.

    Empty where the source cannot be read: what is not known is not said.
    """
    expressions = _expressions(code.co_filename)
    if not expressions:
        return {}
    found = ((each.offset, tuple(_instruction(each, code, expressions))) for each in dis.get_instructions(code))
    return {offset: touched for offset, touched in found if touched}


def _instruction(each: dis.Instruction, code: CodeType, expressions: Mapping[Span, str]) -> Iterator[Instruction]:
    if each.opname in _CONSTANTS:
        if isinstance(each.argval, int | float | complex):
            yield Instruction("constant", value=each.argval)
    elif "_FAST" in each.opname:  # from Python 3.13 on, one instruction may touch two locals
        names = each.argval if isinstance(each.argval, tuple) else (each.argval,)
        kinds = ["assigned" if part == "STORE" else "local" for part in each.opname.split("_") if part in _TOUCHES]
        yield from map(Instruction, kinds, names)
    elif each.opname.endswith("_DEREF") and each.argval not in code.co_freevars:
        yield Instruction("local" if each.opname == "LOAD_DEREF" else "assigned", each.argval)
    elif each.opname in (*_LOADS, *_STORES) and (name := expressions.get(_span(each))):
        yield Instruction("read" if each.opname in _LOADS else "written", name)


def _span(each: dis.Instruction) -> Span:
    at = each.positions
    values = (at.lineno, at.col_offset, at.end_lineno, at.end_col_offset) if at else ()
    return values if len(values) == 4 and None not in values else (0, 0, 0, 0)  # type: ignore[return-value]


@lru_cache(maxsize=128)
def tree(filename: str) -> ast.Module | None:
    """The syntax tree of a file, or None where there is no source that parses."""
    try:
        return ast.parse("".join(linecache.getlines(filename)))
    except (SyntaxError, ValueError):
        return None


@lru_cache(maxsize=128)
def _expressions(filename: str) -> Mapping[Span, str]:
    """Every name and dotted name of a file by where it stands; of `a.b[i] = x`, what is written into: `a.b`."""
    parsed = tree(filename)
    found = {}
    for node in ast.walk(parsed) if parsed else ():
        if (isinstance(node, ast.expr) and (name := dotted(node))) or (isinstance(node, ast.Subscript) and (name := dotted(node.value))):
            found[span(node)] = name
    return found


def span(node: ast.expr) -> Span:
    return node.lineno, node.col_offset, node.end_lineno or node.lineno, node.end_col_offset or 0


def dotted(node: ast.expr) -> str:
    """`self.params.weight` for an expression that is a name with attributes; empty for any other."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join((node.id, *reversed(parts))) if isinstance(node, ast.Name) else ""


def lookup(name: str, frame: FrameType) -> Any:
    """The value of a dotted name in a frame, without running any code; `MISSING` where that cannot be done.

    A property or a `__getattr__` would run Python, and looking must not change what is looked at.
    """
    first, *attributes = name.split(".")
    value = frame.f_locals.get(first, frame.f_globals.get(first, _MISSING))
    for attribute in attributes:
        if value is _MISSING:
            break
        value = _attribute(value, attribute)
    return value


MISSING = _MISSING
"""What `lookup` gives where there is no value to see."""


def _attribute(value: Any, name: str) -> Any:
    try:
        found = inspect.getattr_static(value, name)
    except AttributeError:
        return _MISSING
    if type(found).__name__ in ("member_descriptor", "_tuplegetter"):  # a slot, a field of a NamedTuple
        return found.__get__(value, type(value))
    return _MISSING if hasattr(type(found), "__get__") else found


def returned(code: CodeType, line: int) -> ast.expr | None:
    """The expression of the `return` that stands on `line` of a function; None where there is no such line."""
    for node in _nodes(code.co_filename, ast.Return):
        if node.lineno <= line <= (node.end_lineno or node.lineno):
            return node.value
    return None


def operations(filename: str, line: int, column: int) -> Iterator[ast.BinOp]:
    """The binary operations that begin at a place: `a * b + c` and `a * b` begin at the same one."""
    for node in _nodes(filename, ast.BinOp):
        if (node.lineno, node.col_offset) == (line, column):
            yield node


@lru_cache(maxsize=256)
def _nodes(filename: str, kind: type) -> tuple:
    parsed = tree(filename)
    return tuple(node for node in ast.walk(parsed) if isinstance(node, kind)) if parsed else ()
