"""Programs: what a jaxpr prints, what stands in it, and where each equation was written."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import jax
import numpy as np
from jax._src import core as _core
from jax.extend import core, source_info_util

from statecore.reading import Unreadable

# at the start of a line: functions that the program shares are printed before it, indented
_HEADER = re.compile(r"^\{ lambda (?P<consts>.*?);(?P<inputs>.*?)\. let(?P<body>.*)\bin \(", re.DOTALL | re.MULTILINE)
_PLACE = re.compile(r"^(?P<file>.*?):(?P<line>\d+):(?P<column>\d+) \((?P<function>.*)\)$")
_ATOM = re.compile(r"^\w+:\S+$")


class Header(NamedTuple):
    """The names that a jaxpr prints for its constants and its arguments, such as `a:i32[]`."""

    consts: tuple[str, ...]
    inputs: tuple[str, ...]


class Place(NamedTuple):
    """Where in the source an equation was written; the line counts from 1, the column from 0."""

    file: str
    line: int
    column: int
    function: str


def is_tracing() -> bool:
    """True while this thread is inside a trace of JAX (`jit`, `vmap`, `grad`, ...)."""
    return not _core.trace_state_clean()


def open_program() -> tuple[int, int]:
    """The program that this thread is tracing: its identity, and how many equations it has; (0, 0) without one."""
    trace: Any = _core.trace_ctx.trace
    while trace is not None and not hasattr(trace, "frame"):
        trace = getattr(trace, "parent_trace", None)  # vmap and grad hand on what they meet
    if trace is None:
        return 0, 0
    try:
        return id(trace), len(trace.frame.tracing_eqns)
    except AttributeError as missing:
        raise Unreadable(f"a trace of type {type(trace).__name__} does not tell its equations") from missing


def program_of(function: Any, args: tuple, kwargs: dict[str, Any]) -> core.ClosedJaxpr | None:
    """The program that a jitted function runs for these arguments, if it was traced before; runs no Python of it."""
    if not isinstance(function, jax.stages.Wrapped):
        return None
    try:
        with jax.no_tracing(True):
            traced = function.trace(*args, **kwargs)
    except RuntimeError:
        return None
    return traced.jaxpr if isinstance(traced, jax.stages.Traced) else None  # a library's wrapper has its own kind


_TEXTS: WeakKeyDictionary[core.Jaxpr, str] = WeakKeyDictionary()


def text(closed: core.ClosedJaxpr) -> str:
    """The jaxpr as JAX prints it; printed once, since that takes its time."""
    found = _TEXTS.get(closed.jaxpr)
    if found is None:
        found = _TEXTS[closed.jaxpr] = closed.jaxpr.pretty_print(use_color=False)
    return found
def header(closed: core.ClosedJaxpr) -> Header:
    """The names of the constants and the arguments, as printed.

    Raises Unreadable when there are not as many names as the jaxpr has variables.
    """
    found = _parts(text(closed))
    names = Header(tuple(found["consts"].split()), tuple(found["inputs"].split()))
    for printed, variables in ((names.consts, closed.jaxpr.constvars), (names.inputs, closed.jaxpr.invars)):
        if len(printed) != len(variables) or not all(map(_ATOM.match, printed)):
            raise Unreadable(f"the jaxpr prints {printed} for {len(variables)} variables")
    return names


def equations(closed: core.ClosedJaxpr) -> tuple[str, ...]:
    """Each equation as it is printed. Raises Unreadable when the text has more or fewer of them."""
    body = _parts(text(closed))["body"]
    texts = tuple(_in_lines(body) if body.startswith("\n") else _in_one_line(body))
    if len(texts) != len(closed.jaxpr.eqns):
        raise Unreadable(f"{len(texts)} equations are printed, and the jaxpr has {len(closed.jaxpr.eqns)}")
    return texts


def place(equation: Any) -> Place | None:
    """Where an equation was written, or None where JAX knows of no line of the caller's.

    From the public `jax.extend.source_info_util.summarize`; raises Unreadable for a text of another form.
    """
    told = source_info_util.summarize(equation.source_info)
    if told in ("", "unknown"):  # a function that JAX shares was traced for another caller
        return None
    found = _PLACE.match(told)
    if found is None:
        raise Unreadable(f"the place of an equation reads {told!r}")
    return Place(found["file"], int(found["line"]), int(found["column"]), found["function"])


def literal_text(literal: core.Literal) -> str:
    """A literal as the jaxpr prints it, such as `1:i32[]`."""
    return f"{np.asarray(literal.val).item()}:{literal.aval.str_short(short_dtypes=True)}"


def literal_value(literal: core.Literal) -> Any:
    """The number of a literal, as NumPy has it."""
    return np.asarray(literal.val)[()]


def literals(jaxpr: core.Jaxpr) -> Iterator[core.Literal]:
    """Every literal of a jaxpr, and of the jaxprs in the parameters of its equations."""
    for equation in jaxpr.eqns:
        yield from (atom for atom in equation.invars if isinstance(atom, core.Literal))
        for part in inner(equation):
            yield from literals(part)
    yield from (atom for atom in jaxpr.outvars if isinstance(atom, core.Literal))


def inner(equation: Any) -> Iterator[core.Jaxpr]:
    """The jaxprs of loops, branches and calls, in the parameters of an equation."""
    for parameter in jax.tree.leaves(list(equation.params.values()), is_leaf=_is_jaxpr):
        if isinstance(parameter, core.ClosedJaxpr):
            yield parameter.jaxpr
        elif isinstance(parameter, core.Jaxpr):
            yield parameter


def _is_jaxpr(value: Any) -> bool:
    return isinstance(value, core.Jaxpr | core.ClosedJaxpr)


def _parts(printed: str) -> re.Match:
    found = _HEADER.search(printed)
    if found is None:
        raise Unreadable(f"a jaxpr begins with {printed[:60]!r}, and not with its constants and arguments")
    return found


def _in_lines(body: str) -> Iterator[str]:
    """One equation a line; the lines that belong to it are indented further, or stand inside its brackets."""
    lines = body.strip("\n").rstrip().split("\n")
    indent = len(lines[0]) - len(lines[0].lstrip())
    current: list[str] = []
    depth = 0
    for line in lines:
        margin = len(line) - len(line.lstrip())
        if current and depth == 0 and margin == indent:
            yield "\n".join(current)
            current = []
        depth += sum((character in "[({") - (character in "])}") for character in line)
        current.append(line[min(margin, indent) :])
    yield "\n".join(current)


def _in_one_line(body: str) -> Iterator[str]:
    """Equations with `; ` between them, but for those inside brackets."""
    depth, start = 0, 0
    for at, character in enumerate(body):
        depth += (character in "[({") - (character in "])}")
        if depth == 0 and character == ";":
            yield body[start:at].strip()
            start = at + 1
    if body[start:].strip():
        yield body[start:].strip()
