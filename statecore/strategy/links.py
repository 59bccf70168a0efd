"""Which lines of a class and of its functions say the same thing, read from their sources."""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from statecore.lines import Line
from statecore.strategy.pairs import Pair


class Part(StrEnum):
    """What a group of lines does, in words for both sides."""

    STATE = "what is remembered has a name"
    INIT = "the state is made"
    START = "its first value"
    STEP = "one step: state in"
    READ = "the old value is read"
    WRITE = "the new value is made"
    OUTPUT = "what goes out: the output, and the new state"
    BODY = "the same line on both sides"


@dataclass(frozen=True)
class Link:
    """Lines of the class and lines of the functions that do the same.

    Attributes:
      part: what they do.
      attribute: the attribute concerned, such as `n`, or None.
      of_class, of_functions: the lines, as (file name, line number in that file).
    """

    part: Part
    attribute: str | None
    of_class: frozenset[Line]
    of_functions: frozenset[Line]


def links(pair: Pair) -> tuple[Link, ...]:
    """Match the class of a pair with its NamedTuple and its two functions.

    An attribute `self.x` is found again as the field `x` of the state: where the
    field is read, and where the value is made that the new state takes as `x`.
    """
    made, stepped = _Method(inspect.getattr_static(pair.cls, "__init__")), _Method(getattr(pair.cls, pair.method))
    state, init, step = _Source(pair.state), _Function(pair.init, pair.state), _Function(pair.step, pair.state)
    found = [
        Link(Part.STATE, None, _header(_Source(pair.cls)), state.lines(state.tree)),
        Link(Part.INIT, None, _header(made), _header(init) | init.constructor),
        Link(Part.STEP, None, _header(stepped), _header(step)),
    ]
    for name in made.writes:
        found.append(Link(Part.START, name, made.writes[name], init.writes.get(name, frozenset())))
        for part, mine, its in (
            (Part.READ, stepped.reads, step.reads), (Part.WRITE, stepped.writes, step.writes),
        ):
            if name in mine:
                found.append(Link(part, name, mine[name], its.get(name, frozenset())))
    found.append(Link(Part.OUTPUT, None, stepped.returns, step.returns | step.constructor))
    found += _same_statements(stepped, step)
    return tuple(link for link in found if link.of_class and link.of_functions)


class _Source:
    """A class or a function with its tree, and line numbers as they are in its file."""

    def __init__(self, thing: Any) -> None:
        source, first = inspect.getsourcelines(thing)
        self.tree: Any = ast.parse(textwrap.dedent("".join(source))).body[0]
        self._file, self._offset = inspect.getsourcefile(thing) or "", first - 1

    def lines(self, *nodes: ast.AST) -> frozenset[Line]:
        """Every line of the nodes."""
        return frozenset(
            (self._file, number + self._offset)
            for node in nodes
            for number in range(node.lineno, node.end_lineno + 1)  # type: ignore[attr-defined]
        )

    def statements(self) -> Iterator[ast.stmt]:
        """The statements of a function's body, without its docstring."""
        yield from (node for node in self.tree.body if not _is_docstring(node))


class _Method(_Source):
    """A method: where each attribute of self is written and read."""

    def __init__(self, method: Any) -> None:
        super().__init__(method)
        self.writes: dict[str, frozenset[Line]] = {}
        self.reads: dict[str, frozenset[Line]] = {}
        for statement in self.statements():
            if isinstance(statement, ast.Return):
                continue
            for node in _attributes_of(statement, "self"):
                if isinstance(node.ctx, ast.Store):
                    _add(self.writes, node.attr, self.lines(statement))
            augmented = isinstance(statement, ast.AugAssign)
            for node in _attributes_of(statement, "self"):
                if isinstance(node.ctx, ast.Load) or augmented:
                    _add(self.reads, node.attr, self.lines(statement if augmented else node))
        self.returns = self.lines(*_returns(self.tree))
        for node in [node for found in _returns(self.tree) for node in _attributes_of(found, "self")]:
            _add(self.reads, node.attr, self.lines(node))


class _Function(_Source):
    """A pure function: where the state's fields are read, and where their new values are made."""

    def __init__(self, function: Any, state: type) -> None:
        super().__init__(function)
        self.writes: dict[str, frozenset[Line]] = {}
        self.reads: dict[str, frozenset[Line]] = {}
        calls = [node for node in ast.walk(self.tree) if isinstance(node, ast.Call) and _makes_state(node, state)]
        self.constructor = frozenset().union(*(self.lines(call.func) for call in calls))
        made_by = {name: keyword for call in calls for keyword in call.keywords if (name := keyword.arg)}
        for name, keyword in made_by.items():
            _add(self.writes, name, self.lines(keyword))
            if isinstance(keyword.value, ast.Name):
                _add(self.writes, name, self.lines(*self._assignments(keyword.value.id)))
                _add(self.reads, name, self.lines(*self._loads(keyword.value.id, outside=calls)))
        for node in _attributes_of(self.tree, "state"):
            if isinstance(node.ctx, ast.Load) and not node.attr.startswith("_"):
                _add(self.reads, node.attr, self.lines(node))
        self.returns = self.lines(*_returns(self.tree))

    def _assignments(self, name: str) -> list[ast.stmt]:
        return [
            statement for statement in self.statements()
            if isinstance(statement, ast.Assign) and name in _targets(statement)
        ]

    def _loads(self, name: str, outside: list[ast.Call]) -> list[ast.Name]:
        inside = {id(node) for call in outside for node in ast.walk(call)}
        return [
            node for node in ast.walk(self.tree)
            if isinstance(node, ast.Name) and node.id == name
            and isinstance(node.ctx, ast.Load) and id(node) not in inside
        ]


def _same_statements(method: _Method, function: _Function) -> list[Link]:
    """Statements that are equal once self is called state."""
    theirs = {ast.unparse(statement): statement for statement in function.statements()}
    found = []
    for statement in method.statements():
        text = ast.unparse(statement).replace("self.", "state.")
        if text in theirs and not isinstance(statement, ast.Return):
            found.append(Link(Part.BODY, None, method.lines(statement), function.lines(theirs[text])))
    return found


def _header(source: _Source) -> frozenset[Line]:
    """The lines of a definition before its body."""
    size = max(source.tree.body[0].lineno - source.tree.lineno, 1)
    return frozenset(sorted(source.lines(source.tree))[:size])


def _makes_state(node: ast.Call, state: type) -> bool:
    """True for `Count(...)` and for `state._replace(...)`."""
    if isinstance(node.func, ast.Name):
        return node.func.id == state.__name__
    return isinstance(node.func, ast.Attribute) and ast.unparse(node.func) == "state._replace"


def _attributes_of(tree: ast.AST, owner: str) -> list[ast.Attribute]:
    return [
        node for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == owner
    ]


def _returns(tree: ast.AST) -> list[ast.Return]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Return)]


def _targets(statement: ast.Assign) -> set[str]:
    return {node.id for target in statement.targets for node in ast.walk(target) if isinstance(node, ast.Name)}


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _add(lines: dict[str, frozenset[Line]], name: str, more: frozenset[Line]) -> None:
    if not more:
        return
    lines[name] = lines.get(name, frozenset()) | more
