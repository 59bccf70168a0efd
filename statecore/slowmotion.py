"""Tracing in slow motion: the lines in order, the tracers in sight, and the equations that each line wrote."""

from bisect import bisect_right
from dataclasses import dataclass

from jax.extend import core

from statecore.lines import Line
from statecore.reading import jaxprs as reading
from statecore.witness import Witness


@dataclass(frozen=True)
class TraceStep:
    """One line of the program while JAX traced it.

    Attributes:
      line: which line; it ran once, or several times in a row.
      tracers: the names that held tracers when it was about to run, each with its type.
      equations: what it wrote into the jaxpr, as printed; lines of functions that it
        called, and that are not shown themselves, count as its own.
    """

    line: Line
    tracers: tuple[tuple[str, str], ...]
    equations: tuple[str, ...]


def trace_steps(closed: core.ClosedJaxpr, seen: Witness) -> tuple[TraceStep, ...]:
    """The steps of one trace, in order.

    JAX notes for every equation the line that wrote it. A line that ran several times, as
    in a loop, gets those that were written since it last began. Equations of which JAX
    names no line that was seen belong to no step.
    """
    written: list[list[str]] = [[] for _ in seen.steps]
    befores = [step.before for step in seen.steps]
    ran: dict[Line, list[int]] = {}
    for line, step in seen.places:
        if step >= 0:
            ran.setdefault(line, []).append(step)
    for number, (equation, text) in enumerate(zip(closed.jaxpr.eqns, reading.equations(closed), strict=True)):
        place = reading.place(equation)
        steps = ran.get((place.file, place.line), []) if place else []
        if steps:
            now = bisect_right(befores, number) - 1  # the step that was running when it was written
            written[steps[max(0, bisect_right(steps, now) - 1)]].append(text)
    return tuple(
        TraceStep(step.line, step.tracers, tuple(texts)) for step, texts in zip(seen.steps, written, strict=True)
    )
