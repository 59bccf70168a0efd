"""How a plain value is written in JSON.

Nothing, true, false, text and whole numbers are themselves. Everything else is an object
whose first field says what it is: `{"float": 0.5}`, `{"float": "nan"}`, `{"complex": [0.0, 1.0]}`,
`{"array": "float32[2]", "data": [1.0, "inf"]}`, `{"array": "float32[1000]", "digest": "9f..."}`,
`{"key": "key<fry>[]", "data": [0, 42]}`, `{"tracer": "float32[3]"}`, `{"ref": VALUE}`,
`{"tree": "Params", "parts": [["weight", VALUE], ...]}`, `{"error": "TypeError", "message": "..."}`,
`{"thing": "Lock", "text": "..."}`. A whole number too large for a double is `{"int": "..."}`.
"""

import math
import re
from collections.abc import Callable
from typing import Any

from statecore.recording.fields import EXACT, Field, Object
from statecore.recording.values import Array, Complex, Float, Key, Plain, Raised, Real, Ref, Thing, Tracer, Tree

_NOT_FINITE = ("nan", "inf", "-inf")
_WHOLE = re.compile(r"-?[1-9][0-9]{0,639}")  # Python reads so many digits under any setting
_DIGEST = re.compile(r"[0-9a-f]{16}")
_DEEPEST = 60
"""Values inside one another are read so far."""


def named_json(values: tuple[tuple[str, Plain], ...]) -> list[Any]:
    """Values by name, as a list of pairs, since JSON promises no order of fields."""
    return [[name, value_json(value)] for name, value in values]


def named_from(field: Field) -> tuple[str, Plain]:
    name, value = field.list(lambda each: each, 2)
    return name.text(), read_value(value)


def value_json(value: Plain) -> Any:
    """A plain value as JSON."""
    match value:
        case None | bool() | str():
            return value
        case int():
            return value if abs(value) < EXACT else {"int": str(value)}
        case Float():
            return {"float": value.value}
        case Complex():
            return {"complex": [value.real, value.imag]}
        case Array():
            return _data("array", value)
        case Key():
            return _data("key", value)
        case Tracer():
            return {"tracer": value.type}
        case Ref():
            return {"ref": value_json(value.value)}
        case Tree():
            return {"tree": value.type, "parts": named_json(value.parts)}
        case Raised():
            return {"error": value.type, "message": value.message}
        case Thing():
            return {"thing": value.type, "text": value.text}


def _data(kind: str, value: Array | Key) -> dict[str, Any]:
    if value.digest:
        return {kind: value.type, "digest": value.digest}
    numbers = [value_json(each) if type(each) is int else each for each in value.data]
    return {kind: value.type, "data": numbers}


def read_value(field: Field) -> Plain:
    """The plain value that a field holds."""
    if field.value is None or type(field.value) in (bool, str):
        return field.value
    if type(field.value) is int:
        return field.whole(1 - EXACT)
    if field.path.count(".") > _DEEPEST:
        raise field.wrong(f"values at most {_DEEPEST} deep")
    fields = field.object(*_KINDS, "data", "digest", "parts", "message", "text")
    kinds = [kind for kind in _KINDS if kind in field.value]
    if len(kinds) != 1:
        raise field.wrong(f"a value with one of {', '.join(_KINDS)}")
    kind = kinds[0]
    if extra := set(field.value) - {kind, *_KINDS[kind]}:
        raise field.wrong(f"{kind} without {', '.join(sorted(extra))}")
    return _READ[kind](fields)


def _whole_text(field: Field) -> int:
    """A whole number as text, which is only used where a number would not be exact."""
    if not _WHOLE.fullmatch(field.text()) or abs(int(field.value)) < EXACT:
        raise field.wrong(f"a whole number from {EXACT} on, as text")
    return int(field.value)


def _real(field: Field) -> Real:
    if type(field.value) is float and math.isfinite(field.value):
        return field.value
    if type(field.value) is str and field.value in _NOT_FINITE:
        return field.value
    raise field.wrong("a float, or one of nan, inf and -inf as text")


def _number(field: Field) -> bool | int | Real:
    if type(field.value) is bool:
        return field.value
    if type(field.value) is int:
        return field.whole(1 - EXACT)
    if type(field.value) is dict:
        return _whole_text(field.object("int")["int"])
    return _real(field)


def _digest(fields: Object) -> str:
    """The digest that stands instead of the numbers; empty where they are there."""
    digest = fields.get("digest", Field.text, "")
    if digest and (not _DIGEST.fullmatch(digest) or fields.has("data")):
        raise fields["digest"].wrong("16 hexadecimal digits instead of data")
    return digest


def _array(fields: Object) -> Array:
    digest = _digest(fields)
    return Array(fields["array"].text(), () if digest else fields["data"].list(_number), digest)


def _key(fields: Object) -> Key:
    digest = _digest(fields)
    return Key(fields["key"].text(), () if digest else fields["data"].list(Field.whole), digest)


_KINDS: dict[str, tuple[str, ...]] = {
    "int": (), "float": (), "complex": (), "array": ("data", "digest"), "key": ("data", "digest"), "tracer": (),
    "ref": (), "tree": ("parts",), "error": ("message",), "thing": ("text",),
}  # fmt: skip
_READ: dict[str, Callable[[Object], Plain]] = {
    "int": lambda fields: _whole_text(fields["int"]),
    "float": lambda fields: Float(_real(fields["float"])),
    "complex": lambda fields: Complex(*fields["complex"].list(_real, 2)),
    "array": _array,
    "key": _key,
    "tracer": lambda fields: Tracer(fields["tracer"].text()),
    "ref": lambda fields: Ref(read_value(fields["ref"])),
    "tree": lambda fields: Tree(fields["tree"].text(), fields["parts"].list(named_from)),
    "error": lambda fields: Raised(fields["error"].text(), fields["message"].text()),
    "thing": lambda fields: Thing(fields["thing"].text(), fields["text"].text()),
}
