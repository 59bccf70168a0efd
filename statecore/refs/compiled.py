"""The compiled program of a jitted function, with every place where a Ref shows."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_BRACKETS = {"(": ")", "{": "}", "[": "]", "<": ">"}
_HLO_ALIAS = re.compile(r"\{(?P<result>\d*)\}: \((?P<argument>\d+), \{\}, [\w-]+\)")
_DONATED = re.compile(r"tf\.aliasing_output = (\d+) : i32")


@dataclass(frozen=True)
class Mark:
    """A place in a program's text.

    Attributes:
      start, stop: `text[start:stop]` is what is marked.
      role: `ref` (it comes in), `made` (inside), `read`, `write`, `argument`, `result` or `alias`.
    """

    start: int
    stop: int
    role: str


@dataclass(frozen=True)
class Listing:
    """One form of the program: its text, and the marks in it, in order."""

    text: str
    marks: tuple[Mark, ...]

    def marked(self, role: str) -> list[str]:
        """The pieces of text with this role."""
        return [self.text[mark.start : mark.stop] for mark in self.marks if mark.role == role]


@dataclass(frozen=True)
class Alias:
    """Argument number `argument` and result number `result` share one buffer."""

    argument: int
    result: int


@dataclass(frozen=True)
class Compiled:
    """A jitted function on its way to the machine.

    Attributes:
      jaxpr: what JAX traced.
      stablehlo: what it handed to the compiler.
      hlo: the first line of what the compiler made of it, with its table of aliases.
      arguments, results: how many the compiled program has.
      aliases: which of them share a buffer.
    """

    jaxpr: Listing
    stablehlo: Listing
    hlo: Listing
    arguments: int
    results: int
    aliases: tuple[Alias, ...]


def read(function, *args) -> Compiled:
    """Read the program of a `jax.jit` wrapper for these arguments. No Ref moves."""
    traced = function.trace(*args)
    lowered = traced.lower()
    stablehlo = lowered.as_text()
    header = lowered.compile().as_text().partition("\n")[0]
    signature = _signature(stablehlo)
    return Compiled(
        jaxpr=_jaxpr(traced.jaxpr),
        stablehlo=Listing(stablehlo, tuple(sorted(_marks(stablehlo, signature), key=_start))),
        hlo=Listing(header, tuple(Mark(*found.span(), "alias") for found in _hlo_aliases(header))),
        arguments=len(signature.arguments),
        results=len(signature.results),
        aliases=tuple(
            Alias(int(found["argument"]), int(found["result"] or 0)) for found in _hlo_aliases(header)
        ),
    )


def in_words(compiled: Compiled) -> list[str]:
    """The program in plain words."""
    sentences = [
        *(f"The Ref `{name}` comes in: JAX sees every read and every write." for name in compiled.jaxpr.marked("ref")),
        *(f"The Ref `{name}` is made inside and never leaves." for name in compiled.jaxpr.marked("made")),
        f"The compiled program has {_count(compiled.arguments, 'argument')} and "
        f"{_count(compiled.results, 'result')}.",
    ]
    for alias in compiled.aliases:
        sentences.append(
            f"Argument {alias.argument} and result {alias.result} share one buffer: "
            "the old value comes in, the new one goes out in its place."
        )
    if not compiled.aliases:
        sentences.append("No argument shares a buffer with a result.")
    return sentences


@dataclass(frozen=True)
class _Signature:
    """Where `main` has its arguments, results and returned values: spans in the text."""

    arguments: list[tuple[int, int]]
    results: list[tuple[int, int]]
    returned: list[tuple[int, int]]


_ROLES = {
    "made": re.compile(r"\b\w+:Ref\{[^}]*\}(?= = new_ref)"),
    "read": re.compile(r"(?<=\s)\w+:\S+ <- \w+\[[^\]]*\](?=\s)"),
    "write": re.compile(r"(?<=\s)\w+\[[^\]]*\] (?:<-|\+=) [^\n]*"),
}
"""How a jaxpr prints a Ref being made, a read `b:i32[] <- a[...]` and a write `a[...] <- c`."""


def _jaxpr(closed) -> Listing:
    text = str(closed)
    header = text.find(". let")
    marks = [Mark(*found.span(), "ref") for found in re.finditer(r"\w+:Ref\{[^}]*\}", text[:header])]
    marks += [Mark(*found.span(), role) for role, pattern in _ROLES.items() for found in pattern.finditer(text)]
    return Listing(text, tuple(sorted(marks, key=_start)))


def _start(mark: Mark) -> int:
    return mark.start


def _hlo_aliases(header: str) -> Iterator[re.Match]:
    start = header.find("input_output_alias={")
    return _HLO_ALIAS.finditer(header, start) if start >= 0 else iter(())


def _signature(text: str) -> _Signature:
    opening = text.index("@main(") + len("@main")
    closing = _closing(text, opening)
    arrow = text.index("->", closing) + len("-> ")
    single = text[arrow] != "("
    body = text.index("{\n", arrow if single else _closing(text, arrow))
    results = (arrow - 1, body) if single else (arrow, _closing(text, arrow))
    last = re.compile(r"^\s*return (?P<values>[^:\n]*)", re.MULTILINE).search(text, body)
    values = last.span("values") if last else (body, body)
    return _Signature(
        _parts(text, opening + 1, closing),
        _parts(text, results[0] + 1, results[1]),
        _parts(text, *values),
    )


def _marks(text: str, signature: _Signature) -> Iterator[Mark]:
    """Mark each argument that is aliased, the word that says so, and the result it is aliased to."""
    for start, stop in signature.arguments:
        found = _DONATED.search(text, start, stop)
        if found:
            result = int(found[1])
            attributes = text.find(" {", start, stop)
            yield Mark(start, attributes, "argument")
            yield Mark(*found.span(), "alias")
            result_start, result_stop = signature.results[result]
            attributes = text.find(" {", result_start, result_stop)
            yield Mark(result_start, attributes if attributes >= 0 else result_stop, "result")
            yield Mark(*signature.returned[result], "result")


def _parts(text: str, start: int, stop: int) -> list[tuple[int, int]]:
    """The spans between the commas that stand outside all brackets and quotes, trimmed."""
    spans, depth, quoted, begin = [], 0, False, start
    for position in range(start, stop):
        character = text[position]
        if character == '"':
            quoted = not quoted
        elif not quoted and character in _BRACKETS:
            depth += 1
        elif not quoted and character in _BRACKETS.values():
            depth -= 1
        elif not quoted and depth == 0 and character == ",":
            spans.append((begin, position))
            begin = position + 1
    spans.append((begin, stop))
    return [_trimmed(text, *span) for span in spans if text[span[0] : span[1]].strip()]


def _trimmed(text: str, start: int, stop: int) -> tuple[int, int]:
    piece = text[start:stop]
    return start + len(piece) - len(piece.lstrip()), stop - len(piece) + len(piece.rstrip())


def _closing(text: str, opening: int) -> int:
    """The index of the bracket that closes the one at `opening`."""
    depth, quoted = 0, False
    for position in range(opening, len(text)):
        character = text[position]
        if character == '"':
            quoted = not quoted
        elif not quoted and character == text[opening]:
            depth += 1
        elif not quoted and character == _BRACKETS[text[opening]]:
            depth -= 1
            if depth == 0:
                return position
    raise ValueError(f"the bracket at {opening} is never closed")


def _count(number: int, noun: str) -> str:
    words = {0: "no", 1: "one", 2: "two", 3: "three", 4: "four"}
    return f"{words.get(number, number)} {noun}{'' if number == 1 else 's'}"

