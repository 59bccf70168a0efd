"""`statecore record`: the calls of a program side by side, as plain Python, jitted, and made pure."""

import argparse
from collections.abc import Iterator

from statecore import recording
from statecore.command import calling, checking, page
from statecore.command.page import Line
from statecore.command.telling import baked, value
from statecore.recording import Code, Moment, Recording, Track
from statecore.recording.values import Raised

RAN, NOT = "●", "·"
_STYLES = {"plain": "", "jit": "red", "pure, jit": "green"}


def run(options: argparse.Namespace) -> int:
    """Record and print. Returns 0."""
    programs, refused = calling.programs(options.file, options.expression, options.arguments)
    recorded = recording.record(programs, options.calls)
    if options.json:
        print(recording.dumps(recorded))
        return 0
    recorded, at_the_call = _made_pure(recorded)
    page.show(_lines(recorded, options, refused or at_the_call))
    return 0


def _made_pure(recorded: Recording) -> tuple[Recording, str]:
    """The recording, without the pure program where only its call showed that it cannot be made, and why."""
    *others, last = recorded.tracks
    for outcome in last.tape:
        if isinstance(outcome, Raised) and outcome.type in ("CannotFunctionalize", "NotTheSame"):
            return Recording(tuple(others)), outcome.message
    return recorded, ""


def _lines(recorded: Recording, options: argparse.Namespace, refused: str) -> Iterator[Line]:
    calls = f"{options.calls} call{'' if options.calls == 1 else 's'}"
    yield [(f"{options.file}: {options.expression}, {calls}", "bold")]
    yield []
    yield from _table([_heads(recorded), *map(_row, _rows(recorded))], recorded)
    for code in _shown(recorded):
        yield []
        yield from _source(code, recorded)
    for track in recorded.tracks:
        yield from _notes(track)
    if refused:
        yield []
        yield [("Not made pure: ", "bold"), (refused, "")]
    yield []
    report = checking.of(options)
    yield from ([(line, "yellow" if line.startswith("- ") else "bold")] for line in str(report).split("\n"))


# --- what came out ------------------------------------------------------------------------------------------


def _heads(recorded: Recording) -> list[str]:
    return ["", *(track.name for track in recorded.tracks)]


def _rows(recorded: Recording) -> Iterator[tuple[str, list[str]]]:
    for call in range(recorded.calls):
        yield f"call {call + 1}", [value(track.moments[call].outcome) for track in recorded.tracks]
    yield "state before", [_state(track, 0) for track in recorded.tracks]
    yield "state after", [_state(track, recorded.calls) for track in recorded.tracks]
    yield "its body ran", [_times(sum(moment.runs for moment in track.moments)) for track in recorded.tracks]


def _row(row: tuple[str, list[str]]) -> list[str]:
    return [row[0], *row[1]]


def _state(track: Track, call: int) -> str:
    named = track.moments[call - 1].after if call else track.start
    return ", ".join(f"{name} {value(each)}" for name, each in named) or "none in sight"


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number} times")


def _table(rows: list[list[str]], recorded: Recording) -> Iterator[Line]:
    """The programs side by side where they fit, else one under the other."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    styles = ["dim", *(_STYLES[track.name] for track in recorded.tracks)]
    if sum(widths) + 3 * len(widths) <= page.width():
        for row in rows:
            yield [(f"{cell:<{width}}   ", style) for cell, width, style in zip(row, widths, styles, strict=True)]
        return
    for column, style in enumerate(styles[1:], start=1):
        yield [(rows[0][column], f"bold {style}".strip())]
        for row in rows[1:]:
            yield [(f"  {row[0]:<{widths[0]}}   ", "dim"), (row[column], style)]


# --- the code, with the lines that ran -----------------------------------------------------------------------


def _shown(recorded: Recording) -> list[Code]:
    """The code that was called, each piece once."""
    return list(dict.fromkeys(code for track in recorded.tracks for code in track.codes if code.role == "program"))


def _source(code: Code, recorded: Recording) -> Iterator[Line]:
    widths = [max(2 * recorded.calls, len(track.name) + 1) for track in recorded.tracks]
    tracks = list(zip(recorded.tracks, widths, strict=True))
    numbers = "".join(str(call % 10) + " " for call in range(1, recorded.calls + 1))
    yield [(f"{track.name:<{width}}  ", _STYLES[track.name]) for track, width in tracks]
    yield [(f"{numbers:<{width}}  ", "dim") for _, width in tracks]
    for at, text in enumerate(code.text.split("\n"), start=code.first):
        marks = [(_marks(code.file, at, track.moments, width), _STYLES[track.name]) for track, width in tracks]
        yield [*marks, (f"{at:>4}  ", "dim"), (text, "")]


def _marks(file: str, line: int, moments: tuple[Moment, ...], width: int) -> str:
    marks = "".join((RAN if (file, line) in moment.ran else NOT) + " " for moment in moments)
    return f"{marks:<{width}}  "


# --- what else was seen --------------------------------------------------------------------------------------


def _notes(track: Track) -> Iterator[Line]:
    """What was printed, what was baked in, and what the exceptions say; each once."""
    printed = [f"call {k}: {line}" for k, moment in enumerate(track.moments, 1) for line in moment.printed]
    errors = [moment.outcome for moment in track.moments if isinstance(moment.outcome, Raised)]
    told = [f"{error.type}: {error.message}" for error in dict.fromkeys(errors)]
    kept = [sentence for program in track.programs for sentence in baked(program)]
    titles = {f"{track.name} printed": printed, f"{track.name}: what jit kept": kept, track.name: told}
    for title, lines in titles.items():
        if lines:
            yield []
            yield [(title, "bold")]
            yield from ([(f"  {part}", _STYLES[track.name])] for line in lines for part in line.split("\n"))
