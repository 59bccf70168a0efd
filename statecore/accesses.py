"""Which variables an instruction reads or writes: found from where it stands in the source."""

import dis
from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import CodeType
from typing import Any, NamedTuple

from statecore.syntax import Span, names

_LOADS = ("LOAD_ATTR", "LOAD_METHOD", "LOAD_GLOBAL", "LOAD_DEREF")
_STORES = ("STORE_ATTR", "STORE_GLOBAL", "STORE_DEREF", "STORE_SUBSCR")
_CONSTANTS = ("LOAD_CONST", "RETURN_CONST", "LOAD_SMALL_INT")
_TOUCHES = ("LOAD", "STORE")


class Instruction(NamedTuple):
    """What one instruction does to a variable.

    Attributes:
      kind: `read` or `written`; `local` and `assigned` for a local variable that is
        read or given a value; `shared` for a variable of an enclosing function that is read.
      name: the variable as it is written, such as `self.n`.
    """

    kind: str
    name: str


@lru_cache(maxsize=1024)
def instructions(code: CodeType, filename: str) -> Mapping[int, tuple[Instruction, ...]]:
    """The instructions of a code object that touch a variable, by their offset.

    Empty where the source cannot be read: what is not known is not said.

    Args:
      code: the code.
      filename: its file; two equal code objects may stand in two files.
    """
    written = names(filename)
    if not written:
        return {}
    found: dict[int, tuple[Instruction, ...]] = {}
    extended: list[int] = []  # an instruction with prefixes is announced at the first of them
    for each in dis.get_instructions(code):
        if each.opname == "EXTENDED_ARG":
            extended.append(each.offset)
            continue
        if touched := tuple(_touched(each, code, written)):
            found |= dict.fromkeys([*extended[:1], *([] if extended else [each.offset])], touched)
        extended = []
    return found


def _touched(each: dis.Instruction, code: CodeType, written: Mapping[Span, str]) -> Iterator[Instruction]:
    if "_FAST" in each.opname:  # from Python 3.13 on, one instruction may touch two locals
        locals_ = each.argval if isinstance(each.argval, tuple) else (each.argval,)
        kinds = ["assigned" if part == "STORE" else "local" for part in each.opname.split("_") if part in _TOUCHES]
        yield from map(Instruction, kinds, locals_)
    elif each.opname.endswith("_DEREF") and each.argval not in code.co_freevars:
        yield Instruction("local" if each.opname == "LOAD_DEREF" else "assigned", each.argval)
    elif each.opname == "LOAD_DEREF":
        yield Instruction("shared", each.argval)
    elif each.opname in (*_LOADS, *_STORES):
        name = written.get(_span(each), "")
        # a file that was edited since has something else there
        if name and (each.opname == "STORE_SUBSCR" or name.split(".")[-1] == each.argval):
            yield Instruction("read" if each.opname in _LOADS else "written", name)


def _span(each: dis.Instruction) -> Span:
    at: Any = each.positions
    values = (at.lineno, at.col_offset, at.end_lineno, at.end_col_offset) if at else ()
    return values if len(values) == 4 and None not in values else (0, 0, 0, 0)  # type: ignore[return-value]
