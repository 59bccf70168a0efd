"""The compiled program of a jitted function, with every place where a Ref shows."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from statecore.reading import lowered as reading


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
      stablehlo: what it gave to the compiler.
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


def read(function: Any, *args: Any) -> Compiled:
    """Read the program of a `jax.jit` wrapper for these arguments. No Ref moves.

    Raises Unreadable where JAX prints its programs in a form that is not known.
    """
    traced = function.trace(*args)
    lowered = traced.lower()
    entry, stablehlo = reading.entry(lowered), lowered.as_text()
    header = lowered.compile().as_text().partition("\n")[0]
    shared = reading.shared_buffers(header)
    return Compiled(
        jaxpr=_jaxpr(traced.jaxpr),
        stablehlo=_listing(stablehlo, _marks(entry, reading.places(stablehlo, entry))),
        hlo=_listing(header, (Mark(*each.place, "alias") for each in shared)),
        arguments=len(entry.arguments),
        results=len(entry.results),
        aliases=tuple(Alias(each.argument, each.result) for each in shared),
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


def _jaxpr(closed: Any) -> Listing:
    found = reading.ref_places(closed)
    return _listing(str(closed), (Mark(*span, role) for role, spans in found.items() for span in spans))


def _listing(text: str, marks: Iterator[Mark]) -> Listing:
    return Listing(text, tuple(sorted(marks, key=lambda mark: mark.start)))


def _marks(entry: reading.Entry, places: reading.Places) -> Iterator[Mark]:
    """Mark each argument that is aliased, the word that says so, and the result it is aliased to."""
    for argument, result in entry.aliased.items():
        yield Mark(*places.arguments[argument], "argument")
        yield Mark(*places.aliases[argument], "alias")
        yield Mark(*places.results[result], "result")
        yield Mark(*places.returned[result], "result")


def _count(number: int, noun: str) -> str:
    words = {0: "no", 1: "one", 2: "two", 3: "three", 4: "four"}
    return f"{words.get(number, number)} {noun}{'' if number == 1 else 's'}"
