"""One call, watched: the lines that ran, how often the body ran, and what tracing did, instruction by instruction."""

import inspect
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NamedTuple

import jax
import jaxlib
import numpy as np

from statecore.accesses import MISSING, Instruction, instructions, lookup
from statecore.lines import Line, codes_of, tracing
from statecore.reading import is_tracing

_OF_JAX = tuple(str(Path(module.__file__ or "").parent) for module in (jax, jaxlib, np)) + ("<",)
_OF_PYTHON, _INSTALLED = sysconfig.get_path("stdlib"), sysconfig.get_path("purelib")


class Access(NamedTuple):
    """A variable that was touched while JAX traced.

    Attributes:
      kind: `read` or `written`; `local` for a local variable that was read and
        `constant` for a number written in the code, which are what else a value may come from.
      name: such as `self.n`; empty for a constant.
      value: what it held when it was read, or after it was written.
    """

    kind: str
    name: str
    value: Any


class Step(NamedTuple):
    """A line of the program about to run while JAX traces.

    Attributes:
      line: which.
      tracers: the names that hold tracers, each with its type, such as `("x", "float32[3]")`.
    """

    line: Line
    tracers: tuple[tuple[str, str], ...]


@dataclass
class Witness:
    """What was seen of one call; filled while it runs.

    Attributes:
      ran: the lines that executed, of the body and of what is watched.
      called: the lines of the caller that executed.
      runs: how often the body ran.
      traced: True when the body ran inside a trace of JAX.
      steps: while tracing, the lines of the program in the order they ran.
      places: while tracing, every line of the caller's code that ran, with the step during which it did.
      accesses: while tracing, the variables that were touched, in order.
      last_line: the last line of the body itself that ran.
    """

    ran: set[Line] = field(default_factory=set)
    called: set[Line] = field(default_factory=set)
    runs: int = 0
    traced: bool = False
    steps: list[Step] = field(default_factory=list)
    places: list[tuple[Line, int]] = field(default_factory=list)
    accesses: list[Access] = field(default_factory=list)
    last_line: int = 0


@contextmanager
def watching(body: Callable, caller: Callable | None, watch: tuple[Callable, ...], deep: bool) -> Iterator[Witness]:
    """Watch what this thread does in the block.

    Args:
      body: the function whose runs are counted.
      caller: what makes the call, if anything does.
      watch: further functions whose lines are of interest.
      deep: also watch what tracing does: each instruction of the body and of what it calls,
        JAX and the libraries apart.
    """
    watcher = _Watcher(body, caller, watch, deep)
    with tracing(watcher.on_call):
        yield watcher.seen


class _Watcher:
    """The trace function of one thread for one call."""

    def __init__(self, body: Callable, caller: Callable | None, watch: tuple[Callable, ...], deep: bool) -> None:
        self.seen = Witness()
        self.body = getattr(inspect.unwrap(body), "__code__", None)
        self.inner = {code for each in (body, *watch) for code in codes_of(each)}
        self.outer = set(codes_of(caller)) - self.inner if caller else set()
        self.deep = deep
        self.depth = 0  # how many frames of the program are running inside a trace
        self.pending: list[tuple[str, FrameType]] = []  # written, but not yet seen with its new value
        self.just_read: tuple[FrameType, Any] | None = None
        self.aliases: set[tuple[CodeType, str]] = set()

    def on_call(self, frame: FrameType, _event: str, _arg: Any) -> Callable | None:
        code = frame.f_code
        if code in self.outer:
            return self.in_caller
        if code in self.inner:
            return self.enter(frame)
        if self.depth and _is_users(code):
            return self.follow(frame, self.in_helper)
        return None

    def in_caller(self, frame: FrameType, event: str, _arg: Any) -> Callable:
        if event == "line":
            self.seen.called.add((frame.f_code.co_filename, frame.f_lineno))
        return self.in_caller

    def enter(self, frame: FrameType) -> Callable:
        """A function of the program begins."""
        if frame.f_code is self.body:
            self.seen.runs += 1
        if self.deep and (self.depth or is_tracing()):
            self.seen.traced = True
            self.depth += 1
            return self.follow(frame, self.in_traced)
        return self.in_body

    def in_body(self, frame: FrameType, event: str, _arg: Any) -> Callable:
        if event == "line":
            self.seen.ran.add((frame.f_code.co_filename, frame.f_lineno))
        return self.in_body

    def follow(self, frame: FrameType, tracer: Callable) -> Callable:
        """Watch every instruction of a frame that the source tells something about."""
        if instructions(frame.f_code):
            frame.f_trace = tracer  # Python 3.12 and 3.13 want it in place first
            frame.f_trace_opcodes = True
        return tracer

    def in_traced(self, frame: FrameType, event: str, _arg: Any) -> Callable:
        line = (frame.f_code.co_filename, frame.f_lineno)
        if event == "line":
            self.seen.ran.add(line)
            if not self.seen.steps or self.seen.steps[-1].line != line:
                self.seen.steps.append(Step(line, tuple(_tracers(frame))))
            if frame.f_code is self.body:
                self.seen.last_line = frame.f_lineno
        if event == "return":
            self.depth -= 1
        self.note(frame, event, line)
        return self.in_traced

    def in_helper(self, frame: FrameType, event: str, _arg: Any) -> Callable:
        self.note(frame, event, (frame.f_code.co_filename, frame.f_lineno))
        return self.in_helper

    def note(self, frame: FrameType, event: str, line: Line) -> None:
        self.settle()
        if event == "line":
            self.seen.places.append((line, len(self.seen.steps) - 1))
        elif event == "opcode":
            touched = instructions(frame.f_code).get(frame.f_lasti)
            for instruction in touched or ():
                self.touch(frame, instruction)
            if touched is None:
                self.just_read = None

    def touch(self, frame: FrameType, instruction: Instruction) -> None:
        kind, name, value = instruction
        before, self.just_read = self.just_read, None
        if kind == "written":
            self.pending.append((name, frame))
        elif kind == "assigned":
            same = before is not None and before[0] is frame
            (self.aliases.add if same else self.aliases.discard)((frame.f_code, name))
        elif kind == "local":
            if (frame.f_code, name) not in self.aliases:
                self.add("local", name, frame.f_locals.get(name, MISSING))
        elif kind == "constant":
            self.add("constant", "", value)
        else:
            value = lookup(name, frame)
            self.add("read", name, value)
            self.just_read = (frame, value)

    def settle(self) -> None:
        """What was written has its new value once the next instruction is reached."""
        while self.pending:
            name, frame = self.pending.pop()
            self.add("written", name, lookup(name, frame))

    def add(self, kind: str, name: str, value: Any) -> None:
        if value is not MISSING and _may_hold_numbers(value):
            self.seen.accesses.append(Access(kind, name, _at_rest(value)))


def _is_users(code: CodeType) -> bool:
    """Code of the visitor or of a library that is neither JAX nor Python's own."""
    name = code.co_filename
    return not name.startswith(_OF_JAX) and (name.startswith(_INSTALLED) or not name.startswith(_OF_PYTHON))


def _may_hold_numbers(value: Any) -> bool:
    return isinstance(value, bool | int | float | complex | np.ndarray | np.generic | jax.Array | list | tuple | dict)


def _at_rest(value: Any) -> Any:
    """The value in containers of its own, so that a later write is not taken for what was read.

    A tracer is left out of sight as its type: to hold it would be to leak it.
    """
    if isinstance(value, list | tuple | dict):
        return jax.tree.map(_at_rest, value)
    if isinstance(value, jax.core.Tracer):
        return _Traced(str(jax.typeof(value)))
    return value.copy() if isinstance(value, np.ndarray) else value


class _Traced(str):
    """The type of a tracer, in its place."""


def _tracers(frame: FrameType) -> Iterator[tuple[str, str]]:
    """Every name in sight that holds a tracer: `x`, `params['w']`, `self.total`."""
    for name, value in frame.f_locals.items():
        yield from _tracers_in(name, value)


def _tracers_in(name: str, value: Any, attributes: bool = True) -> Iterator[tuple[str, str]]:
    if isinstance(value, jax.core.Tracer):
        yield name, str(jax.typeof(value))
    elif attributes and not isinstance(value, type) and type(value).__module__ != "builtins" and not callable(value):
        for attribute, part in getattr(value, "__dict__", {}).items():
            yield from _tracers_in(f"{name}.{attribute}", part, attributes=False)
    if isinstance(value, list | tuple | dict):
        for path, leaf in jax.tree_util.tree_leaves_with_path(value):
            if isinstance(leaf, jax.core.Tracer):
                yield name + jax.tree_util.keystr(path), str(jax.typeof(leaf))
