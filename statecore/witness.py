"""One call, watched: the lines that ran, how often the body ran, and what tracing did, instruction by instruction."""

import inspect
import os
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any, NamedTuple

import jax
import jaxlib
import numpy as np

from statecore.accesses import instructions
from statecore.lines import Line, codes_of, tracing
from statecore.peeking import attributes_of, is_number, is_tracer, leaves
from statecore.reading import jaxprs as reading
from statecore.touches import Access, Touches

_OF_JAX = (*(f"{Path(module.__file__ or '').parent}{os.sep}" for module in (jax, jaxlib, np)), "<")
_OF_PYTHON, _INSTALLED = sysconfig.get_path("stdlib"), sysconfig.get_path("purelib")


class Step(NamedTuple):
    """A line of the program about to run while JAX traces.

    Attributes:
      line: which.
      tracers: the names that hold tracers, each with its type, such as `("x", "float32[3]")`.
      before: how many equations the program had by then.
    """

    line: Line
    tracers: tuple[tuple[str, str], ...]
    before: int


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
      returned: the structure of what the body returned.
    """

    ran: set[Line] = field(default_factory=set)
    called: set[Line] = field(default_factory=set)
    runs: int = 0
    traced: bool = False
    steps: list[Step] = field(default_factory=list)
    places: list[tuple[Line, int]] = field(default_factory=list)
    accesses: list[Access] = field(default_factory=list)
    last_line: int = 0
    returned: jax.tree_util.PyTreeDef | None = None


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
        self.touches = Touches()
        self.seen = Witness(accesses=self.touches.accesses)
        self.body = getattr(inspect.unwrap(body), "__code__", None)
        # by identity, since to hash a code object is slow; held, so that its identity stays its own
        self.outer = {id(code): code for code in codes_of(caller)} if caller else {}
        self.inner = {id(code): code for each in (body, *watch) for code in codes_of(each)}
        self.deep = deep
        self.depth = 0  # how many frames of the program are running inside a trace
        self.program = 0  # the trace that the body was entered with
        self.written = 0  # how many equations it has

    def on_call(self, frame: FrameType, _event: str, _arg: Any) -> Callable | None:
        code = id(frame.f_code)
        if code in self.inner:
            return self.enter(frame)
        if code in self.outer:
            return self.in_caller
        if self.depth and _is_users(frame.f_code.co_filename):
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
        if self.deep and (self.depth or reading.is_tracing()):
            self.seen.traced = True
            if not self.depth:
                self.program, self.written = reading.open_program()
            self.depth += 1
            return self.follow(frame, self.in_traced)
        return self.in_body

    def in_body(self, frame: FrameType, event: str, _arg: Any) -> Callable:
        if event == "line":
            self.seen.ran.add((frame.f_code.co_filename, frame.f_lineno))
        return self.in_body

    def follow(self, frame: FrameType, tracer: Callable) -> Callable:
        """Watch every instruction of a frame that the source tells something about."""
        self.touches.enter(frame)
        if instructions(frame.f_code, frame.f_code.co_filename):
            frame.f_trace = tracer  # Python 3.12 and 3.13 want it in place first
            frame.f_trace_opcodes = True
        return tracer

    def in_traced(self, frame: FrameType, event: str, arg: Any) -> Callable:
        line = (frame.f_code.co_filename, frame.f_lineno)
        if event == "line":
            self.seen.ran.add(line)
            self.step(frame, line)
        elif event == "return":
            self.depth -= 1
            if frame.f_code is self.body:
                self.seen.returned = jax.tree.structure(arg) if _is_plain(arg) else None
        self.note(frame, event, line)
        return self.in_traced

    def step(self, frame: FrameType, line: Line) -> None:
        """A line that is shown is about to run."""
        program, written = reading.open_program()
        self.written = written if program == self.program else self.written
        if not self.seen.steps or self.seen.steps[-1].line != line:
            self.seen.steps.append(Step(line, tuple(_tracers(frame)), self.written))
        if frame.f_code is self.body:
            self.seen.last_line = frame.f_lineno

    def in_helper(self, frame: FrameType, event: str, _arg: Any) -> Callable:
        self.note(frame, event, (frame.f_code.co_filename, frame.f_lineno))
        return self.in_helper

    def note(self, frame: FrameType, event: str, line: Line) -> None:
        if event == "line":
            self.seen.places.append((line, len(self.seen.steps) - 1))
            self.touches.line()
        elif event == "opcode":
            self.touches.instruction(frame)
        elif event == "return":
            self.touches.leave(frame)


def is_installed(filename: str) -> bool:
    """Code of an installed library."""
    return filename.startswith(_INSTALLED)


@lru_cache(maxsize=4096)
def _is_users(filename: str) -> bool:
    """Code of the visitor or of a library that is neither JAX nor Python's own."""
    return not filename.startswith(_OF_JAX) and (is_installed(filename) or not filename.startswith(_OF_PYTHON))


def _is_plain(value: Any) -> bool:
    """A number, or a tuple of numbers: what the expressions of a `return` can be laid beside."""
    return all(is_number(each) for each in (value if type(value) is tuple else (value,)))


def _tracers(frame: FrameType) -> Iterator[tuple[str, str]]:
    """Every name in sight that holds a tracer: `x`, `params['w']`, `self.total`."""
    for name, value in frame.f_locals.items():
        yield from _tracers_in(name, value)
        if not issubclass(type(value), type | ModuleType) and not callable(value):
            for attribute, part in attributes_of(value).items():
                yield from _tracers_in(f"{name}.{attribute}", part)


def _tracers_in(name: str, value: Any) -> Iterator[tuple[str, str]]:
    return ((name + path, str(jax.typeof(leaf))) for path, leaf in leaves(value) if is_tracer(leaf))
