"""What a method does with the attributes of self, read from its source and that of all it calls.

An attribute is followed through local names, through methods of self and `super()`,
and into functions of the user's own that get it as an argument. Nothing is run.
"""

import ast
import inspect
import types
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from statecore.functional.sources import UNKNOWN, is_followed, meaning, tree_of


@dataclass(frozen=True)
class Test:
    """A question that a tracer answers otherwise than a Python number or a NumPy array.

    Attributes:
      kind: `isinstance`, `type`, `hasattr`, `is`, `text` (a string made of it), or
        `in place` (a change that NumPy makes in place and JAX does not).
      attribute: the attribute that is asked about.
      whole: False where it is about a part of it.
      asked: what it is compared with, or UNKNOWN.
    """

    kind: str
    attribute: str
    whole: bool
    asked: Any = UNKNOWN


@dataclass
class Uses:
    """What was found.

    Attributes:
      written: attributes that are bound, deleted or changed through a subscript.
      certain: False where self goes where it cannot be followed.
      tests: the questions about types and identity.
      unread: the functions whose source cannot be read.
    """

    written: set[str] = field(default_factory=set)
    certain: bool = True
    tests: list[Test] = field(default_factory=list)
    unread: list[types.FunctionType] = field(default_factory=list)

    def never_writes(self, name: str) -> bool:
        """True when it is certain that the method does not write this attribute."""
        return self.certain and name not in self.written


@dataclass(frozen=True)
class Ref:
    """What an expression may be: self (no attribute), an attribute of it, or a part of one."""

    attribute: str | None = None
    whole: bool = True


Refs = frozenset[Ref]
SELF, NOTHING = frozenset({Ref()}), frozenset()
_PLAIN = frozenset(("shape", "ndim", "dtype", "size", "itemsize", "nbytes"))
_IN_PLACE = frozenset(("sort", "fill", "put", "partition", "resize", "itemset", "byteswap", "setflags"))
_SAID = frozenset(("print", "warn", "debug", "info", "warning", "error", "exception", "log"))
_DEEPEST = 12


def uses_of(method: Any) -> Uses:
    """Follow a bound method and everything of the user's that it calls with self."""
    found = Uses()
    _Function(found, method.__self__, method.__func__, set(), 0).follow((SELF,), {})
    return found


class _Function:
    """One function, walked from top to bottom with what its local names may be."""

    def __init__(self, found: Uses, owner: Any, function: Any, seen: set, depth: int) -> None:
        self._found, self._owner, self._seen, self._depth = found, owner, seen, depth
        self._function = inspect.unwrap(function)
        self._names: dict[str, Refs] = {}
        self._returned: Refs = NOTHING
        self._spoken = 0

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
        rest = frozenset().union(*args[len(names):], keywords.pop(None, NOTHING))
        for name, refs in keywords.items():
            self._names[name or ""] = refs
        for star in (parameters.vararg, parameters.kwarg):
            if star and rest:
                self._names[star.arg] = _parts(rest)

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

    def _children(self, node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self._value(child)
            elif not isinstance(child, ast.expr_context | ast.operator | ast.cmpop | ast.boolop | ast.unaryop):
                self._statement(child)

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
        self._assign(node.target, _parts(items), None)
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
        self._names = {name: frozenset().union(*(end.get(name, NOTHING) for end in ends)) for name in every}

    def _assign(self, target: ast.AST, value: Refs, source: ast.AST | None) -> None:
        if isinstance(target, ast.Name):
            self._names[target.id] = value
        elif isinstance(target, ast.Tuple | ast.List):
            sources = source.elts if isinstance(source, ast.Tuple) and len(source.elts) == len(target.elts) else None
            for index, part in enumerate(target.elts):
                self._assign(part, self._value(sources[index]) if sources else _parts(value), None)
        elif isinstance(target, ast.Starred):
            self._assign(target.value, _parts(value), None)
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

    # --- expressions

    def _value(self, node: ast.AST) -> Refs:
        """What the expression may be; its tests are noted on the way."""
        handler = getattr(self, f"_of_{type(node).__name__.lower()}", None)
        if handler:
            return handler(node)
        self._children(node)
        return NOTHING

    def _of_name(self, node: ast.Name) -> Refs:
        return self._names.get(node.id, NOTHING)

    def _of_attribute(self, node: ast.Attribute) -> Refs:
        owners = SELF if _is_super(node.value) else self._value(node.value)
        if node.attr == "__dict__":
            self._escape(owners)
        parts = [self._attribute(ref, node.attr) for ref in owners]
        return frozenset().union(*parts)

    def _attribute(self, ref: Ref, name: str) -> Refs:
        if ref.attribute is not None:
            return NOTHING if name in _PLAIN else frozenset({Ref(ref.attribute, False)})
        members = list(_members(type(self._owner), name))
        if not members or name in vars(self._owner):
            return frozenset({Ref(name)})
        return frozenset().union(*(self._call(member, (SELF,), {}) for member in members))

    def _of_subscript(self, node: ast.Subscript) -> Refs:
        self._value(node.slice)
        return _parts(self._value(node.value))

    def _of_ifexp(self, node: ast.IfExp) -> Refs:
        self._value(node.test)
        return self._value(node.body) | self._value(node.orelse)

    def _of_boolop(self, node: ast.BoolOp) -> Refs:
        return frozenset().union(*map(self._value, node.values))

    def _of_namedexpr(self, node: ast.NamedExpr) -> Refs:
        value = self._value(node.value)
        self._names[node.target.id] = value
        return value

    def _of_starred(self, node: ast.Starred) -> Refs:
        return self._value(node.value)

    def _of_tuple(self, node: Any) -> Refs:
        return _parts(frozenset().union(*map(self._value, node.elts)))

    _of_list = _of_set = _of_tuple

    def _of_dict(self, node: ast.Dict) -> Refs:
        keys = [key for key in node.keys if key is not None]
        return _parts(frozenset().union(*map(self._value, (*keys, *node.values))))

    def _of_listcomp(self, node: Any) -> Refs:
        for comprehension in node.generators:
            self._assign(comprehension.target, _parts(self._value(comprehension.iter)), None)
            for test in comprehension.ifs:
                self._value(test)
        results = (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,)
        return _parts(frozenset().union(*map(self._value, results)))

    _of_setcomp = _of_generatorexp = _of_dictcomp = _of_listcomp

    def _of_lambda(self, node: ast.Lambda) -> Refs:
        before = dict(self._names)
        for parameter in ast.walk(node.args):
            if isinstance(parameter, ast.arg):
                self._names[parameter.arg] = NOTHING
        value = self._value(node.body)
        self._names = before
        return value - SELF

    def _of_compare(self, node: ast.Compare) -> Refs:
        sides = [node.left, *node.comparators]
        refs = [self._value(side) for side in sides]
        for index, operator in enumerate(node.ops):
            pair = sides[index : index + 2]
            nothing = any(isinstance(side, ast.Constant) and side.value is None for side in pair)
            if isinstance(operator, ast.Is | ast.IsNot) and not nothing:
                self._test("is", refs[index] | refs[index + 1])
        return NOTHING

    def _of_formattedvalue(self, node: ast.FormattedValue) -> Refs:
        self._test("text", self._value(node.value))
        return NOTHING

    def _of_call(self, node: ast.Call) -> Refs:
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if name in _SAID:
            self._spoken += 1
        args = tuple(self._value(each) for each in node.args)
        keywords = {each.arg: self._value(each.value) for each in node.keywords}
        if name in _SAID:
            self._spoken -= 1
        if isinstance(node.func, ast.Name) and node.func.id in _BUILTINS and node.func.id not in self._names:
            return self._builtin(node, args)
        if isinstance(node.func, ast.Attribute):
            owner = SELF if _is_super(node.func.value) else self._value(node.func.value)
            if node.func.attr in _IN_PLACE:
                self._test("in place", owner)
            if Ref() in owner and (members := list(_members(type(self._owner), node.func.attr))):
                results = [self._call(member, _arguments(member, args), dict(keywords)) for member in members]
                return frozenset().union(*results)
        target = meaning(self._function, node.func)
        if is_followed(target):
            return self._call(target, args, keywords)
        self._value(node.func)
        self._escape(*args, *keywords.values())
        return NOTHING

    def _call(self, member: Any, args: tuple[Refs, ...], keywords: dict[str | None, Refs]) -> Refs:
        function = _function_of(member)
        if function is None:
            return NOTHING
        return _Function(self._found, self._owner, function, self._seen, self._depth + 1).follow(args, keywords)

    def _builtin(self, node: ast.Call, args: tuple[Refs, ...]) -> Refs:
        name, first = node.func.id, args[0] if args else NOTHING  # type: ignore[attr-defined]
        asked = meaning(self._function, node.args[1]) if len(node.args) > 1 else UNKNOWN
        if name in ("isinstance", "type", "hasattr"):
            self._test(name, first, asked)
        elif name in ("str", "repr", "format"):
            self._test("text", first)
        elif name == "vars" or not isinstance(asked, str):
            self._escape(first)
        elif name == "getattr":
            return frozenset().union(*(self._attribute(ref, asked) for ref in first))
        else:
            self._write(first, asked)
        return NOTHING

    # --- what is noted

    def _test(self, kind: str, refs: Refs, asked: Any = UNKNOWN) -> None:
        if kind == "text" and self._spoken:
            return
        for ref in refs:
            if ref.attribute is not None:
                self._found.tests.append(Test(kind, ref.attribute, ref.whole, asked))

    def _escape(self, *values: Refs) -> None:
        if any(Ref() in value for value in values):
            self._found.certain = False

    def _say(self, node: ast.AST) -> None:
        self._spoken += 1
        self._children(node)
        self._spoken -= 1


_BUILTINS = frozenset(("isinstance", "type", "hasattr", "str", "repr", "format", "vars", "getattr", "setattr", "delattr"))


def _parts(refs: Refs) -> Refs:
    return frozenset(Ref(ref.attribute, False) if ref.attribute is not None else ref for ref in refs)


def _is_super(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"


def _members(cls: type, name: str) -> Iterator[Any]:
    """Every definition of a name in the class and its bases: `super()` may lead to any of them."""
    return (vars(base)[name] for base in cls.__mro__ if name in vars(base))


def _function_of(member: Any) -> Any:
    if isinstance(member, property):
        return member.fget
    if isinstance(member, staticmethod | classmethod):
        return member.__func__
    inner = getattr(member, "func", None) or member
    return inner if callable(inner) and not isinstance(inner, type) else None


def _arguments(member: Any, args: tuple[Refs, ...]) -> tuple[Refs, ...]:
    if isinstance(member, staticmethod):
        return args
    return (NOTHING if isinstance(member, classmethod) else SELF, *args)
