"""Recordings as JSON, and back without loss.

    {"version": 1, "tracks": [TRACK, ...], "files": [name, ...], "lines": [[file, line, ...], ...]}

Lines stand once in a table: a set of lines is an index into `lines`, whose first number
is an index into `files`, with further files behind a negative number: `[0, 3, 4, -2, 7]` is
lines 3 and 4 of file 0 and line 7 of file 1. What has its usual value is left out: no lines,
false, nothing printed, and a state before a call that is the one after the call before.
`values_notation` says how values are written.
"""

import json
import re
from collections.abc import Sequence
from typing import Any

from statecore.kept import Constant, Kept, Output
from statecore.lines import Line
from statecore.origins import Origin
from statecore.recording.data import Code, Moment, Named, Recording, Track, same
from statecore.recording.fields import Field, NotARecording, Object
from statecore.recording.values_notation import named_from, named_json, read_value, value_json
from statecore.slowmotion import TraceStep

VERSION = 1
"""Of the notation; another one is refused."""

_HALF = re.compile("[\ud800-\udfff]")  # half of a character has no bytes in UTF-8

__all__ = ["VERSION", "NotARecording", "dumps", "loads"]


def dumps(recording: Recording) -> str:
    """A recording as JSON, without spaces."""
    tables = _Tables()
    tracks = [_track_json(track, tables) for track in recording.tracks]
    whole = {"version": VERSION, "tracks": tracks, "files": list(tables.files), "lines": list(map(list, tables.sets))}
    text = json.dumps(whole, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    return _HALF.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def loads(text: str | bytes) -> Recording:
    """The recording that JSON holds. Raises NotARecording, naming the field that is wrong."""
    try:
        whole = json.loads(text, parse_constant=_no_constant, object_pairs_hook=_each_once)
    except (ValueError, TypeError, RecursionError) as error:
        raise NotARecording(f"the text is not JSON: {str(error)[:200]}") from error
    if type(whole) is dict and "version" in whole and Field(whole["version"], "version").whole() != VERSION:
        raise Field(whole["version"], "version").wrong(f"version {VERSION}")
    fields = Field(whole).object("version", "tracks", "files", "lines")
    fields["version"].whole()
    files = fields["files"].list(Field.text)
    sets = fields["lines"].list(lambda field: _lines_from(field, files))
    tracks = fields["tracks"].list(lambda field: _track_from(field, files, sets))
    if len({len(track.moments) for track in tracks}) > 1:
        raise fields["tracks"].wrong("tracks with equally many moments")
    if len({track.name for track in tracks}) < len(tracks):
        raise fields["tracks"].wrong("tracks that each have a name of their own")
    return Recording(tracks)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; one that has a field twice says two things."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a field stands twice in one object: " + ", ".join(name for name, _ in pairs)[:100])
    return found


class _Tables:
    """The files and sets of lines met so far."""

    def __init__(self) -> None:
        self.files: dict[str, int] = {}
        self.sets: dict[tuple[int, ...], int] = {}

    def file(self, name: str) -> int:
        return self.files.setdefault(name, len(self.files))

    def lines(self, lines: Sequence[Line]) -> int:
        flat: list[int] = []
        current = None
        for name, number in lines:
            at = self.file(name)
            if at != current:
                flat.append(-at - 1 if flat else at)
                current = at
            flat.append(number)
        return self.sets.setdefault(tuple(flat), len(self.sets))


def _lines_from(field: Field, files: Sequence[str]) -> tuple[Line, ...]:
    numbers = field.list(lambda each: each.whole(-len(files), None))
    if not numbers:
        return ()
    file, lines = numbers[0], []
    for place, number in enumerate(numbers):
        if place == 0 or number < 0:
            file = number if place == 0 else -number - 1
            if not 0 <= file < len(files):
                raise Field(number, f"{field.path}[{place}]").wrong("a file")
        else:
            lines.append((files[file], number))
    return tuple(lines)


# --- a track ------------------------------------------------------------------------------------------------


def _track_json(track: Track, tables: _Tables) -> dict[str, Any]:
    before, moments = track.start, []
    for moment in track.moments:
        moments.append(_moment_json(moment, before, tables))
        before = moment.after
    return {
        "name": track.name,
        "codes": [[c.role, c.name, tables.file(c.file), c.first, c.text] for c in track.codes],
        "start": named_json(track.start),
        "moments": moments,
        "programs": list(map(_kept_json, track.programs)),
    }


def _track_from(field: Field, files: Sequence[str], sets: Sequence[tuple[Line, ...]]) -> Track:
    fields = field.object("name", "codes", "start", "moments", "programs")
    programs = fields["programs"].list(_kept_from)
    start = fields["start"].list(named_from)
    before = start

    def moment(each: Field) -> Moment:
        nonlocal before
        made = _moment_from(each, before, files, sets, len(programs))
        before = made.after
        return made

    moments = fields["moments"].list(moment)
    codes = fields["codes"].list(lambda each: _code_from(each, files))
    return Track(fields["name"].text(), codes, start, moments, programs)


def _code_from(field: Field, files: Sequence[str]) -> Code:
    role, name, file, first, text = field.list(lambda each: each, 5)
    return Code(role.text(), name.text(), files[file.whole(below=len(files))], first.whole(), text.text())


_MOMENT = (
    "ran",
    "called",
    "traced",
    "runs",
    "outcome",
    "before",
    "after",
    "kept",
    "printed",
    "outside",
    "trace",
    "again",
)


def _moment_json(moment: Moment, before: Named, tables: _Tables) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    shown |= {name: tables.lines(getattr(moment, name)) for name in ("ran", "called") if getattr(moment, name)}
    shown |= {"traced": True} if moment.traced else {}
    shown |= {name: getattr(moment, name) for name in ("runs", "again") if getattr(moment, name)}
    shown |= {
        name: value_json(getattr(moment, name)) for name in ("outcome", "outside") if getattr(moment, name) is not None
    }
    shown |= {"before": named_json(moment.before)} if not same(moment.before, before) else {}
    shown |= {"after": named_json(moment.after)} if not same(moment.after, moment.before) else {}
    shown |= {"kept": moment.kept} if moment.kept is not None else {}
    shown |= {"printed": list(moment.printed)} if moment.printed else {}
    if moment.trace:
        shown["trace"] = [
            [tables.lines((step.line,)), [list(each) for each in step.tracers], list(step.equations)]
            for step in moment.trace
        ]
    return shown


def _moment_from(
    field: Field, before: Named, files: Sequence[str], sets: Sequence[tuple[Line, ...]], programs: int
) -> Moment:
    fields: Object = field.object(*_MOMENT)

    def lines(each: Field) -> tuple[Line, ...]:
        return sets[each.whole(below=len(sets))]

    def step(each: Field) -> TraceStep:
        line, tracers, equations = each.list(lambda part: part, 3)
        where = lines(line)
        if len(where) != 1:
            raise line.wrong("a set of one line")
        pairs = tracers.list(lambda pair: pair.list(Field.text, 2))
        return TraceStep(where[0], tuple((name, kind) for name, kind in pairs), equations.list(Field.text))

    before = fields.get("before", lambda each: each.list(named_from), before)
    return Moment(
        ran=fields.get("ran", lines, ()),
        called=fields.get("called", lines, ()),
        traced=fields.get("traced", Field.flag, False),
        runs=fields.get("runs", Field.whole, 0),
        outcome=fields.get("outcome", read_value, None),
        before=before,
        after=fields.get("after", lambda each: each.list(named_from), before),
        kept=fields.get("kept", lambda each: each.whole(below=programs), None),
        printed=fields.get("printed", lambda each: each.list(Field.text), ()),
        outside=fields.get("outside", read_value, None),
        trace=fields.get("trace", lambda each: each.list(step), ()),
        again=fields.get("again", Field.whole, 0),
    )


# --- a program ----------------------------------------------------------------------------------------------


def _kept_json(kept: Kept) -> dict[str, Any]:
    return {
        "text": kept.text,
        "inputs": list(kept.inputs),
        "constants": [
            [
                each.text,
                value_json(each.value),
                each.origin and [each.origin.name, each.origin.written, value_json(each.origin.first)],
                list(each.candidates),
            ]
            for each in kept.constants
        ],
        "outputs": [[list(each.inputs), value_json(each.constant), each.same_as] for each in kept.outputs],
    }


def _kept_from(field: Field) -> Kept:
    fields = field.object("text", "inputs", "constants", "outputs")

    def constant(each: Field) -> Constant:
        text, value, origin, candidates = each.list(lambda part: part, 4)
        return Constant(text.text(), read_value(value), _origin_from(origin), candidates.list(Field.text))

    def output(each: Field) -> Output:
        inputs, value, same = each.list(lambda part: part, 3)
        return Output(inputs.list(Field.text), read_value(value), None if same.value is None else same.text())

    return Kept(
        fields["text"].text(),
        fields["inputs"].list(Field.text),
        fields["constants"].list(constant),
        fields["outputs"].list(output),
    )


def _origin_from(field: Field) -> Origin | None:
    if field.value is None:
        return None
    name, written, first = field.list(lambda part: part, 3)
    return Origin(name.text(), written.flag(), read_value(first))
