"""What the expressions of a method may be: self, an attribute of it, or a part of one."""

import ast
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

from statecore.functional.sources import UNKNOWN, is_followed, meaning
from statecore.functional.uses import NOTHING, SELF, Ref, Refs, Test, Uses, joined, parts

_PLAIN = frozenset(("shape", "ndim", "dtype", "size", "itemsize", "nbytes"))
_IN_PLACE = frozenset(("sort", "fill", "put", "partition", "resize", "itemset", "byteswap", "setflags"))
_SAID = frozenset(("print", "warn", "debug", "info", "warning", "error", "exception", "log"))
_BUILTINS = frozenset(
    ("isinstance", "type", "hasattr", "str", "repr", "format", "vars", "getattr", "setattr", "delattr")
)


class Expressions(ABC):
    """The expressions of one function, with what its local names may be."""

    def __init__(self, found: Uses, owner: Any, function: Any) -> None:
        self._found, self._owner, self._function = found, owner, function
        self._names: dict[str, Refs] = {}
        self._spoken = 0

    def _value(self, node: ast.AST) -> Refs:
        """What the expression may be; its tests are noted on the way."""
        handler = getattr(self, f"_of_{type(node).__name__.lower()}", None)
        if handler:
            return handler(node)
        self._children(node)
        return NOTHING

    def _children(self, node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self._value(child)
            elif not isinstance(child, ast.expr_context | ast.operator | ast.cmpop | ast.boolop | ast.unaryop):
                self._statement(child)

    def _of_name(self, node: ast.Name) -> Refs:
        return self._names.get(node.id, NOTHING)

    def _of_attribute(self, node: ast.Attribute) -> Refs:
        owners = SELF if _is_super(node.value) else self._value(node.value)
        if node.attr == "__dict__":
            self._escape(owners)
        parts = [self._attribute(ref, node.attr) for ref in owners]
        return joined(parts)

    def _attribute(self, ref: Ref, name: str) -> Refs:
        if ref.attribute is not None:
            return NOTHING if name in _PLAIN else frozenset({Ref(ref.attribute, False)})
        members = list(_members(type(self._owner), name))
        if not members or name in vars(self._owner):
            return frozenset({Ref(name)})
        return joined(self._call(member, (SELF,), {}) for member in members)

    def _of_subscript(self, node: ast.Subscript) -> Refs:
        self._value(node.slice)
        return parts(self._value(node.value))

    def _of_ifexp(self, node: ast.IfExp) -> Refs:
        self._value(node.test)
        return self._value(node.body) | self._value(node.orelse)

    def _of_boolop(self, node: ast.BoolOp) -> Refs:
        return joined(map(self._value, node.values))

    def _of_namedexpr(self, node: ast.NamedExpr) -> Refs:
        value = self._value(node.value)
        self._names[node.target.id] = value
        return value

    def _of_starred(self, node: ast.Starred) -> Refs:
        return self._value(node.value)

    def _of_tuple(self, node: Any) -> Refs:
        return parts(joined(map(self._value, node.elts)))

    _of_list = _of_set = _of_tuple

    def _of_dict(self, node: ast.Dict) -> Refs:
        keys = [key for key in node.keys if key is not None]
        return parts(joined(map(self._value, (*keys, *node.values))))

    def _of_listcomp(self, node: Any) -> Refs:
        for comprehension in node.generators:
            self._assign(comprehension.target, parts(self._value(comprehension.iter)), None)
            for test in comprehension.ifs:
                self._value(test)
        results = (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,)
        return parts(joined(map(self._value, results)))

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
                return joined(results)
        target = meaning(self._function, node.func)
        if is_followed(target):
            return self._call(target, args, keywords)
        self._value(node.func)
        self._escape(*args, *keywords.values())
        return NOTHING

    @abstractmethod
    def _call(self, member: Any, args: tuple[Refs, ...], keywords: dict[str | None, Refs]) -> Refs:
        ...

    @abstractmethod
    def _statement(self, node: ast.AST) -> None:
        ...

    @abstractmethod
    def _assign(self, target: ast.AST, value: Refs, source: ast.AST | None) -> None:
        ...

    @abstractmethod
    def _write(self, owners: Refs, name: str | None) -> None:
        ...

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
            return joined(self._attribute(ref, asked) for ref in first)
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


def _is_super(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"


def _members(cls: type, name: str) -> Iterator[Any]:
    """Every definition of a name in the class and its bases: `super()` may lead to any of them."""
    return (vars(base)[name] for base in cls.__mro__ if name in vars(base))


def function_of(member: Any) -> Any:
    """The function behind a member of a class, or None."""
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
