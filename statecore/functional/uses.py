"""What a method does with the attributes of self: facts that are read from its source."""

import types
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from statecore.functional.sources import UNKNOWN


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
SELF: Refs = frozenset({Ref()})
NOTHING: Refs = frozenset()


def parts(refs: Refs) -> Refs:
    """Parts of what these are; a part of a tuple that holds self may be self."""
    return frozenset(Ref(ref.attribute, False) if ref.attribute is not None else ref for ref in refs)


def joined(values: Iterable[Refs]) -> Refs:
    """Any of these."""
    return NOTHING.union(*values)
