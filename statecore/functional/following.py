"""Follow the attributes of self through a method and all that it calls, without running anything.

They are followed through local names, through methods of self and `super()`, and into
functions of the user's own that get them as arguments.
"""

import ast
import inspect
import types
from collections.abc import Iterable
from typing import Any

from statecore.functional.expressions import Expressions, function_of
from statecore.functional.sources import meaning, tree_of
from statecore.functional.uses import NOTHING, SELF, Refs, Uses, joined, parts

_DEEPEST = 12
"""How deep calls are followed."""


def uses_of(method: Any) -> Uses:
    """Follow a bound method and everything of the user's that it calls with self."""
    found = Uses()
    _Function(found, method.__self__, method.__func__, set(), 0).follow((SELF,), {})
    return found


class _Function(Expressions):
    """One function, walked from top to bottom with what its local names may be."""

    def __init__(self, found: Uses, owner: Any, function: Any, seen: set, depth: int) -> None:
        super().__init__(found, owner, inspect.unwrap(function))
        self._seen, self._depth = seen, depth
        self._returned: Refs = NOTHING

    def follow(self, args: tuple[Refs, ...], keywords: dict[str | None, Refs]) -> Refs:
        """Walk the body; what is returned may be these."""
        if not isinstance(self._function, types.FunctionType):
            self._escape(*args, *keywords.values())
            return NOTHING
        tree = tree_of(self._function.__code__)
        key = self._function.__code__, args, tuple(sorted((name or "", refs) for name, refs in keywords.items()))
        if key in self._seen or self._depth > _DEEPEST:
            return NOTHING
        self._seen.add(key)
        if tree is None:
            self._found.unread.append(self._function)
            self._escape(*args, *keywords.values())
            return NOTHING
        self._bind(tree.args, args, keywords)
        if isinstance(tree, ast.Lambda):
            return self._value(tree.body)
        self._block(tree.body)
        return self._returned

    def _bind(self, parameters: ast.arguments, args: tuple[Refs, ...], keywords: dict[str | None, Refs]) -> None:
        names = [each.arg for each in (*parameters.posonlyargs, *parameters.args)]
        self._names.update(zip(names, args, strict=False))
        rest = joined((*args[len(names) :], keywords.pop(None, NOTHING)))
        for name, refs in keywords.items():
            self._names[name or ""] = refs
        for star in (parameters.vararg, parameters.kwarg):
            if star and rest:
                self._names[star.arg] = parts(rest)

    # --- statements

    def _block(self, statements: Iterable[ast.AST]) -> None:
        for statement in statements:
            self._statement(statement)

    def _statement(self, node: ast.AST) -> None:
        handler = getattr(self, f"_on_{type(node).__name__.lower()}", None)
        if handler:
            handler(node)
        else:
            self._children(node)

    def _on_assign(self, node: ast.Assign) -> None:
        value = self._value(node.value)
        for target in node.targets:
            self._assign(target, value, node.value)

    def _on_annassign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self._assign(node.target, self._value(node.value), node.value)

    def _on_augassign(self, node: ast.AugAssign) -> None:
        self._value(node.value)
        if isinstance(node.target, ast.Name):
            # `a += 1` changes a NumPy array in place, and so every name that it has
            self._test("in place", self._names.get(node.target.id, NOTHING))
        else:
            self._assign(node.target, NOTHING, node.value)

    def _on_return(self, node: ast.Return) -> None:
        if node.value is not None:
            value = self._value(node.value)
            self._escape(value)
            self._returned |= value

    def _on_delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            self._assign(target, NOTHING, None)

    def _on_if(self, node: ast.If) -> None:
        self._value(node.test)
        self._branches(node.body, node.orelse)

    def _on_for(self, node: ast.For) -> None:
        items = self._value(node.iter)
        self._assign(node.target, parts(items), None)
        self._branches((*node.body, *node.body), ())
        self._block(node.orelse)

    def _on_while(self, node: ast.While) -> None:
        self._value(node.test)
        self._branches((*node.body, *node.body), ())
        self._block(node.orelse)

    def _on_try(self, node: ast.Try) -> None:
        self._branches(node.body, ())
        for handler in node.handlers:
            self._branches(handler.body, ())
        self._branches(node.orelse, ())
        self._block(node.finalbody)

    def _on_raise(self, node: ast.Raise) -> None:
        self._say(node)

    def _on_assert(self, node: ast.Assert) -> None:
        self._value(node.test)
        if node.msg is not None:
            self._say(node.msg)

    def _on_match(self, node: ast.Match) -> None:
        subject = self._value(node.subject)
        for case in node.cases:
            for pattern in ast.walk(case.pattern):
                if isinstance(pattern, ast.MatchClass):
                    self._test("isinstance", subject, meaning(self._function, pattern.cls))
                elif isinstance(pattern, ast.MatchAs | ast.MatchStar) and pattern.name:
                    self._names[pattern.name] = subject
            self._branches(case.body, ())

    def _on_functiondef(self, node: ast.FunctionDef) -> None:
        """A function inside the method sees its names, and is taken to be called."""
        before, returned = dict(self._names), self._returned
        for parameter in ast.walk(node.args):
            if isinstance(parameter, ast.arg):
                self._names[parameter.arg] = NOTHING
        self._block(node.body)
        self._names, self._returned = before, returned

    def _branches(self, *bodies: Iterable[ast.AST]) -> None:
        """Each of these may run or not: a name may be what any of them makes it."""
        start, ends = dict(self._names), []
        for body in bodies:
            self._names = dict(start)
            self._block(body)
            ends.append(self._names)
        every = {name for end in ends for name in end}
        self._names = {name: joined(end.get(name, NOTHING) for end in ends) for name in every}

    def _assign(self, target: ast.AST, value: Refs, source: ast.AST | None) -> None:
        if isinstance(target, ast.Name):
            self._names[target.id] = value
        elif isinstance(target, ast.Tuple | ast.List):
            sources = source.elts if isinstance(source, ast.Tuple) and len(source.elts) == len(target.elts) else None
            for index, part in enumerate(target.elts):
                self._assign(part, self._value(sources[index]) if sources else parts(value), None)
        elif isinstance(target, ast.Starred):
            self._assign(target.value, parts(value), None)
        elif isinstance(target, ast.Attribute):
            self._write(self._value(target.value), target.attr)
            self._escape(value)
        elif isinstance(target, ast.Subscript):
            self._value(target.slice)
            self._write(self._value(target.value), None)
            self._escape(value)

    def _write(self, owners: Refs, name: str | None) -> None:
        for ref in owners:
            if ref.attribute is not None:
                self._found.written.add(ref.attribute)
            elif name is not None:
                self._found.written.add(name)

    def _call(self, member: Any, args: tuple[Refs, ...], keywords: dict[str | None, Refs]) -> Refs:
        function = function_of(member)
        if function is None:
            return NOTHING
        return _Function(self._found, self._owner, function, self._seen, self._depth + 1).follow(args, keywords)
