"""The variables that a program touches while JAX traces it, noted instruction by instruction."""

from types import CodeType, FrameType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

from statecore.accesses import Instruction, instructions
from statecore.lines import Line
from statecore.peeking import at_rest, attributes_of, is_number, is_tracer, leaves, lookup

_MOST = 50_000  # a loop of a million reads must not fill the memory
_LONGEST = 100
_NO_OBJECTS = (str, bytes, type(None), type, ModuleType, FunctionType, MethodType)


class Access(NamedTuple):
    """A number that was touched while JAX traced.

    Attributes:
      kind: `read` or `written`; `local` for a local variable that was read.
      name: what a reader of the program calls it, such as `self.params['w']`; of a
        local, the variable that it was set to; empty where it was computed.
      value: what it held when it was read, or after it was written.
      line: where.
      source: the variable as it is written there, such as `self.params`.
      path: what of it, such as `['w']`.
      same: the very object, where `value` is a copy of it.
    """

    kind: str
    name: str
    value: Any
    line: Line
    source: str
    path: str
    same: Any


class Touches:
    """Notes what the running frames of one program touch."""

    def __init__(self) -> None:
        self.accesses: list[Access] = []
        self._names: dict[int, tuple[str, Any]] = {}  # what the program calls an object, by its identity
        self._running: dict[int, CodeType] = {}
        self._body = 0  # the frame that began first
        self._aliases: dict[tuple[int, str], str] = {}  # by frame and local: the variable it was set to
        self._written: list[tuple[str, FrameType]] = []  # not yet seen with its new value
        self._just_read = ""

    def enter(self, frame: FrameType) -> None:
        """A frame of the program begins, or goes on after a `yield`."""
        if not self._running:
            self._body = id(frame)
            for name, value in frame.f_locals.items():
                self._call_it(name, value, depth=3)
        self._running[id(frame)] = frame.f_code

    def leave(self, frame: FrameType) -> None:
        """A frame ends or pauses: nothing of it may be held, or JAX would find its tracers leaked."""
        self._settle()
        self._running.pop(id(frame), None)
        for each in [each for each in self._aliases if each[0] == id(frame)]:
            del self._aliases[each]
        if not self._running:
            self._names.clear()

    def line(self) -> None:
        """A line is about to run."""
        self._settle()

    def instruction(self, frame: FrameType) -> None:
        """An instruction is about to run."""
        self._settle()
        read, self._just_read = self._just_read, ""
        for each in instructions(frame.f_code, frame.f_code.co_filename).get(frame.f_lasti, ()):
            self._touch(frame, each, read)
            read = ""

    def _touch(self, frame: FrameType, instruction: Instruction, read: str) -> None:
        kind, name = instruction
        if kind == "written":
            self._written.append((name, frame))
        elif kind == "assigned":
            self._aliases[id(frame), name] = read
        elif kind == "local":
            self._note("local", self._aliases.get((id(frame), name), ""), name, frame)
        elif kind == "shared" and (owner := self._owner(name)):
            self._note("local", self._aliases.get((owner, name), ""), name, frame)
        else:
            self._just_read = self._spoken(name, frame)
            self._note("read", self._just_read, name, frame)

    def _settle(self) -> None:
        """What was written has its new value once the next instruction is reached."""
        while self._written:
            name, frame = self._written.pop()
            self._note("written", self._spoken(name, frame), name, frame)

    def _owner(self, name: str) -> int | None:
        """The running frame of the program whose local variable an inner function reads."""
        owners = (frame for frame, code in self._running.items() if name in code.co_cellvars)
        return next(owners, None)

    def _note(self, kind: str, name: str, source: str, frame: FrameType) -> None:
        if kind == "local" and not name:
            return  # computed, or handed over: it says nothing of where it comes from
        value, line = lookup(source, frame), (frame.f_code.co_filename, frame.f_lineno)
        for path, leaf in leaves(value):
            if len(self.accesses) < _MOST and not is_tracer(leaf):
                self.accesses.append(Access(kind, name + path, at_rest(leaf), line, source, path, leaf))

    def _spoken(self, source: str, frame: FrameType) -> str:
        """What the program calls a variable: a helper's `self.w` is `self.layer.w`, or `Layer.w`."""
        first, *attributes = source.split(".")
        if not attributes or id(frame) == self._body or first not in frame.f_locals:
            return source
        owner = frame.f_locals[first]
        known, _ = self._names.get(id(owner), (type(owner).__name__, owner))
        return ".".join((known, *attributes))

    def _call_it(self, name: str, value: Any, depth: int) -> None:
        """Remember what the program calls an object, and the objects in it; held, so that the identity is its own."""
        if not depth or id(value) in self._names or is_number(value) or issubclass(type(value), _NO_OBJECTS):
            return
        self._names[id(value)] = name, value
        for attribute, part in attributes_of(value).items():
            self._call_it(f"{name}.{attribute}", part, depth - 1)
        if type(value) in (list, tuple) and len(value) <= _LONGEST:
            for at, part in enumerate(value):
                self._call_it(f"{name}[{at}]", part, depth - 1)
