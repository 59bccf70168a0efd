"""What the lessons on keys and Refs read out of JAX's printed programs and its equations.

Each function rests on an assumption about JAX that no documentation promises. It is
checked when it is used: what cannot be read raises `Unreadable`, and is never told as
something else. Each assumption has a canary in the tests.
"""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.extend import core

from statecore.reading import Unreadable

Span = tuple[int, int]
"""`text[start:stop]`, as (start, stop)."""


# --- the program that JAX hands to the compiler


class Entry(NamedTuple):
    """The function `main` of a lowered program, as it is printed.

    Attributes:
      arguments: each with its type, such as `%arg0: tensor<i32>`.
      results: the type of each, such as `tensor<i32>`.
      returned: the names of the values that are returned, such as `%0`.
      aliased: for each argument that gives its memory to a result, the number of that result.
    """

    arguments: tuple[str, ...]
    results: tuple[str, ...]
    returned: tuple[str, ...]
    aliased: dict[int, int]


def entry(lowered: Any) -> Entry:
    """The signature of what `wrapper.lower(*args)` gives, from its `compiler_ir()`.

    Raises Unreadable when there is not exactly one `main`, or when it is shaped otherwise.
    """
    with _shaped_as_known("the module that compiler_ir() gives"):
        named = [each for each in lowered.compiler_ir("stablehlo").body.operations if "sym_name" in each.attributes]
        (main,) = [each for each in named if each.attributes["sym_name"].value == "main"]
        (block,) = main.regions[0].blocks
        *_, last = block.operations
        attributes = main.attributes["arg_attrs"] if "arg_attrs" in main.attributes else [{}] * len(block.arguments)
        return Entry(
            tuple(f"{each.get_name()}: {each.type}" for each in block.arguments),
            tuple(str(each) for each in main.type.results),
            tuple(each.get_name() for each in last.operands),
            {
                number: each["tf.aliasing_output"].value
                for number, each in enumerate(attributes)
                if "tf.aliasing_output" in each
            },
        )


class Places(NamedTuple):
    """Where the text of a lowered program has the parts of its `Entry`; `aliases` by argument."""

    arguments: list[Span]
    aliases: dict[int, Span]
    results: list[Span]
    returned: list[Span]


def places(text: str, known: Entry) -> Places:
    """Find the parts of `main` in its text, in the order in which they stand. Raises Unreadable for one not there."""
    _, start = _found(text, "@main(", 0, len(text))
    end, _ = _found(text, "\n", start, len(text))
    arguments = _in_order(text, known.arguments, start, end)
    aliases = {
        number: _found(text, f"tf.aliasing_output = {result} : i32", arguments[number][1], end)
        for number, result in known.aliased.items()
    }
    arrow = _found(text, "->", arguments[-1][1] if arguments else start, end)[1] if known.results else end
    results = _in_order(text, known.results, arrow, end)
    line = re.compile(r"^\s*return (?P<values>[^:\n]*) :", re.MULTILINE).search(text, end)
    if known.returned and (line is None or line["values"] != ", ".join(known.returned)):
        raise Unreadable(f"main returns {known.returned}, and its text has {line and line['values']!r}")
    return Places(arguments, aliases, results, _in_order(text, known.returned, *line.span("values")) if line else [])


class Shared(NamedTuple):
    """Argument and result number that share one buffer, and where the compiler's table says so."""

    argument: int
    result: int
    place: Span


_ROW = r"\{(?P<result>\d*)\}: \((?P<argument>\d+), \{\}, [\w-]+\)"
_TABLE = re.compile(rf"input_output_alias=\{{ (?P<rows>(?:{re.sub('P<[a-z]+>', ':', _ROW)}(?:, )?)+) \}}")


def shared_buffers(header: str) -> tuple[Shared, ...]:
    """The table of shared buffers in the first line of a compiled program's text; none where it has no table.

    Raises Unreadable for a line of another kind, or a table with other rows.
    """
    if not header.startswith("HloModule "):
        raise Unreadable(f"a compiled program begins with {header[:40]!r}")
    if "alias" not in header:
        return ()
    table = _TABLE.search(header)
    if table is None:
        raise Unreadable(f"the table of shared buffers reads otherwise: {header[:200]!r}")
    rows = re.compile(_ROW).finditer(header, *table.span("rows"))
    return tuple(Shared(int(row["argument"]), int(row["result"] or 0), row.span()) for row in rows)


# --- Refs in a jaxpr


_REF = re.compile(r"\w+:Ref\{[^}]*\}")
_PRINTED = {
    "made": re.compile(r"\b\w+:Ref\{[^}]*\}(?= = new_ref)"),
    "read": re.compile(r"(?<=\s)\w+:\S+ <- \w+\[[^\]]*\](?=\s)"),
    "write": re.compile(r"(?<=\s)\w+\[[^\]]*\] (?:<-|\+=) [^\n]*"),
}
_PRIMITIVES = {"new_ref": "made", "get": "read", "swap": "write", "addupdate": "write"}


def ref_places(closed: core.ClosedJaxpr) -> dict[str, list[Span]]:
    """Where the text of a jaxpr has Refs: `ref` (one comes in), `made`, `read` and `write`.

    Raises Unreadable unless there are as many of each as the jaxpr has variables and equations.
    """
    text = str(closed)
    header = text.find(". let")
    found = {"ref": [match.span() for match in _REF.finditer(text, 0, max(header, 0))]}
    found |= {role: [match.span() for match in pattern.finditer(text)] for role, pattern in _PRINTED.items()}
    expected = _refs_expected(closed)
    counted = {role: len(spans) for role, spans in found.items()}
    if counted != expected:
        raise Unreadable(f"the jaxpr prints {counted} of its Refs, and has {expected}")
    return found


def _refs_expected(closed: core.ClosedJaxpr) -> dict[str, int]:
    variables = [*closed.jaxpr.constvars, *closed.jaxpr.invars]
    coming_in = sum(str(variable.aval).startswith("Ref{") for variable in variables)
    seen: dict[int, core.Jaxpr] = {}  # what the program shares is printed once
    _gather(closed.jaxpr, seen)
    tally = Counter(_PRIMITIVES.get(each.primitive.name) for jaxpr in seen.values() for each in jaxpr.eqns)
    return {"ref": coming_in, **{role: tally[role] for role in _PRINTED}}


def _gather(jaxpr: core.Jaxpr, seen: dict[int, core.Jaxpr]) -> None:
    if id(jaxpr) not in seen:
        seen[id(jaxpr)] = jaxpr
        for equation in jaxpr.eqns:
            for inner in programs_inside(equation):
                _gather(inner, seen)


# --- keys in the equations of a jaxpr


class Called(NamedTuple):
    """A jitted function called inside a program; `drawing` is the `jax.random` function that it is, or empty."""

    jaxpr: core.Jaxpr
    consts: tuple
    drawing: str


def called(equation: Any) -> Called | None:
    """What the equation calls, when it is a call of a jitted function; else None."""
    if equation.primitive.name not in ("jit", "pjit"):
        return None
    with _shaped_as_known("a call of a jitted function"):
        inner = equation.params["jaxpr"]
        return Called(inner.jaxpr, tuple(inner.consts), _drawing(equation.params["name"]))


def _drawing(name: str) -> str:
    """The public function of `jax.random` that a private one such as `_normal` belongs to."""
    public = name.lstrip("_")
    return public if public != name and hasattr(jax.random, public) else ""


def programs_inside(equation: Any) -> list[core.Jaxpr]:
    """The programs inside an equation, such as the branches of a `cond`."""
    parts = jax.tree.leaves(list(equation.params.values()), is_leaf=_is_jaxpr)
    return [part.jaxpr if isinstance(part, core.ClosedJaxpr) else part for part in parts if _is_jaxpr(part)]


def makes_keys(equation: Any) -> bool:
    """True when keys are made of a seed in the programs inside an equation."""
    return any(
        inner.primitive.name == "random_seed" or makes_keys(inner)
        for jaxpr in programs_inside(equation)
        for inner in jaxpr.eqns
    )


def makes_of_keys(equation: Any) -> str:
    """`split` or `fold_in` when the equation makes new keys of keys, else empty."""
    return {"random_split": "split", "random_fold_in": "fold_in"}.get(equation.primitive.name, "")


def run(equation: Any, arguments: list) -> list:
    """Run one equation on arrays and give its results. Raises Unreadable when JAX does not take it like that."""
    with _shaped_as_known(f"the operation {equation.primitive.name}"):
        primitive = equation.primitive
        results = primitive.bind(*map(jnp.asarray, arguments), **primitive.get_bind_params(equation.params))
        return list(results) if primitive.multiple_results else [results]


# --- small things


def _is_jaxpr(value: Any) -> bool:
    return isinstance(value, core.Jaxpr | core.ClosedJaxpr)


def _found(text: str, part: str, start: int, stop: int) -> Span:
    at = text.find(part, start, stop)
    if at < 0:
        raise Unreadable(f"{part!r} is not where it should be: {text[start : start + 200]!r}")
    return at, at + len(part)


def _in_order(text: str, parts: tuple[str, ...], start: int, stop: int) -> list[Span]:
    spans = []
    for part in parts:
        spans.append(_found(text, part, start, stop))
        start = spans[-1][1]
    return spans


@contextmanager
def _shaped_as_known(what: str) -> Iterator[None]:
    """An object of JAX's that is shaped otherwise is unreadable, whatever it was that failed."""
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError, NotImplementedError) as error:
        raise Unreadable(f"{what} is shaped otherwise: {type(error).__name__}: {error}") from error
