"""JSON read field by field: what does not fit is refused with the name of the field."""

import reprlib
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")

EXACT = 2**53
"""Whole numbers below it are exact in every reader of JSON."""


class NotARecording(ValueError):
    """The JSON is no recording; the message says which field is wrong, such as `tracks[0].moments[2].traced`."""


class Field:
    """A value in JSON with the path that leads to it."""

    def __init__(self, value: Any, path: str = "") -> None:
        self.value, self.path = value, path

    def wrong(self, expected: str) -> NotARecording:
        shown = reprlib.repr(self.value)  # of a bounded length and depth
        return NotARecording(f"{self.path or 'the recording'}: expected {expected}, got {shown[:60]}")

    def of(self, kind: type[T], expected: str) -> T:
        """The value itself, which must be of this type; `True` is no number."""
        if type(self.value) is not kind:
            raise self.wrong(expected)
        return self.value

    def text(self) -> str:
        return self.of(str, "text")

    def whole(self, least: int = 0, below: int | None = None) -> int:
        """A whole number from `least` on, and below `below` where it counts into something."""
        value = self.of(int, "a whole number")
        if value < least or value >= (EXACT if below is None else below):
            raise self.wrong(f"a whole number from {least}" + ("" if below is None else f" and below {below}"))
        return value

    def flag(self) -> bool:
        return self.of(bool, "true or false")

    def list(self, each: Callable[["Field"], T], length: int | None = None) -> tuple[T, ...]:
        """Every element of a list, read by `each`."""
        values = self.of(list, "a list")
        if length is not None and len(values) != length:
            raise self.wrong(f"a list of {length}")
        return tuple(each(Field(value, f"{self.path}[{place}]")) for place, value in enumerate(values))

    def object(self, *names: str) -> "Object":
        """An object that has no other fields than these."""
        for name in self.of(dict, "an object"):
            if name not in names:
                raise NotARecording(f"{self._path(name)}: there is no such field")
        return Object(self)

    def _path(self, name: str) -> str:
        name = name if len(name) <= 40 else f"{name[:40]}…"
        return f"{self.path}.{name}" if self.path else name


class Object:
    """An object in JSON, read by the names of its fields."""

    def __init__(self, field: Field) -> None:
        self._field = field

    def __getitem__(self, name: str) -> Field:
        """A field that must be there."""
        if not self.has(name):
            raise NotARecording(f"{self._field._path(name)}: is missing")
        return Field(self._field.value[name], self._field._path(name))

    def has(self, name: str) -> bool:
        return name in self._field.value

    def get(self, name: str, read: Callable[[Field], T], otherwise: T) -> T:
        """A field that may be left out."""
        return read(self[name]) if self.has(name) else otherwise
