"""What JAX prints and how its objects are shaped: the one module that knows.

Everything here rests on an assumption about JAX that no documentation promises. Each
one is checked when it is used, and `Unreadable` says which one failed: a program that
cannot be read must not be told as something else. Each has a canary in the tests.
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import jax
import numpy as np
from jax._src import core as _core
from jax.extend import core, source_info_util

# at the start of a line: functions that the program shares are printed before it, indented
_HEADER = re.compile(r"^\{ lambda (?P<consts>.*?);(?P<inputs>.*?)\. let(?P<body>.*)\bin \(", re.DOTALL | re.MULTILINE)
_PLACE = re.compile(r"^(?P<file>.*?):(?P<line>\d+):(?P<column>\d+) \((?P<function>.*)\)$")
_ATOM = re.compile(r"^\w+:\S+$")


class Unreadable(RuntimeError):
    """JAX printed or gave something that this module does not know how to read."""


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


def cached_programs(wrapper: Any) -> int:
    """How many entries the cache of a `jax.jit` wrapper has; 0 before its first call.

    Raises Unreadable for a wrapper that does not tell.
    """
    try:
        return int(wrapper._cache_size())
    except AttributeError:
        raise Unreadable(f"{type(wrapper).__name__} does not tell how many programs it has") from None


def header(closed: core.ClosedJaxpr) -> Header:
    """The names of the constants and the arguments, as printed.

    Raises Unreadable when there are not as many names as the jaxpr has variables.
    """
    found = _parts(str(closed))
    names = Header(tuple(found["consts"].split()), tuple(found["inputs"].split()))
    for printed, variables in ((names.consts, closed.jaxpr.constvars), (names.inputs, closed.jaxpr.invars)):
        if len(printed) != len(variables) or not all(map(_ATOM.match, printed)):
            raise Unreadable(f"the jaxpr prints {printed} for {len(variables)} variables")
    return names


def equations(closed: core.ClosedJaxpr) -> tuple[str, ...]:
    """Each equation as it is printed. Raises Unreadable when the text has more or fewer of them."""
    body = _parts(str(closed))["body"]
    texts = tuple(_in_lines(body) if body.startswith("\n") else _in_one_line(body))
    if len(texts) != len(closed.jaxpr.eqns):
        raise Unreadable(f"{len(texts)} equations are printed, and the jaxpr has {len(closed.jaxpr.eqns)}")
    return texts


def place(equation: Any) -> Place | None:
    """Where an equation was written, or None where JAX knows of no line of the caller's.

    From the public `jax.extend.source_info_util.summarize`; raises Unreadable for a text of another form.
    """
    text = source_info_util.summarize(equation.source_info)
    if text == "unknown":
        return None
    found = _PLACE.match(text)
    if found is None:
        raise Unreadable(f"the place of an equation reads {text!r}")
    return Place(found["file"], int(found["line"]), int(found["column"]), found["function"])


def literal_text(literal: core.Literal) -> str:
    """A literal as the jaxpr prints it, such as `1:i32[]`."""
    return f"{np.asarray(literal.val).item()}:{literal.aval.str_short(short_dtypes=True)}"


def literal_value(literal: core.Literal) -> Any:
    """The number of a literal, as NumPy has it."""
    return np.asarray(literal.val, literal.aval.dtype)[()]


def literals(jaxpr: core.Jaxpr) -> Iterator[core.Literal]:
    """Every literal of a jaxpr, and of the jaxprs in the parameters of its equations."""
    for equation in jaxpr.eqns:
        yield from (atom for atom in equation.invars if isinstance(atom, core.Literal))
        for inner in _inner(equation):
            yield from literals(inner)
    yield from (atom for atom in jaxpr.outvars if isinstance(atom, core.Literal))


def _inner(equation: Any) -> Iterator[core.Jaxpr]:
    for parameter in jax.tree.leaves(list(equation.params.values()), is_leaf=_is_jaxpr):
        if isinstance(parameter, core.ClosedJaxpr):
            yield parameter.jaxpr
        elif isinstance(parameter, core.Jaxpr):
            yield parameter


def _is_jaxpr(value: Any) -> bool:
    return isinstance(value, core.Jaxpr | core.ClosedJaxpr)


def _parts(text: str) -> re.Match:
    found = _HEADER.search(text)
    if found is None:
        raise Unreadable(f"a jaxpr begins with {text[:60]!r}, and not with its constants and arguments")
    return found


def _in_lines(body: str) -> Iterator[str]:
    """One equation a line; the lines that belong to it are indented further, or close its brackets."""
    lines = body.strip("\n").rstrip().split("\n")
    indent = len(lines[0]) - len(lines[0].lstrip())
    current: list[str] = []
    for line in lines:
        if current and len(line) - len(line.lstrip()) == indent and line.lstrip()[0] not in "])}":
            yield "\n".join(current)
            current = []
        current.append(line[indent:])
    yield "\n".join(current)


def _in_one_line(body: str) -> Iterator[str]:
    """Equations with a semicolon between them, but for those inside brackets."""
    depth, start = 0, 0
    for at, character in enumerate(body):
        depth += (character in "[({") - (character in "])}")
        if depth == 0 and character == ";":
            yield body[start:at].strip()
            start = at + 1
    if body[start:].strip():
        yield body[start:].strip()
