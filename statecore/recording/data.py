"""A recording: what programs did, call by call, as plain data that can be kept, sent and compared."""

from dataclasses import dataclass

from statecore.kept import Kept
from statecore.lines import Line
from statecore.recording.values import Plain
from statecore.slowmotion import TraceStep

Named = tuple[tuple[str, Plain], ...]
"""Values by name, such as `self.n`."""


def same(one: object, other: object) -> bool:
    """True when two pieces of plain data are the same, unlike in Python also where 1 and True, 0.0 and -0.0 differ."""
    return repr(one) == repr(other)


class _Exact:
    """Equal when it is the `same`."""

    def __eq__(self, other: object) -> bool:
        return same(self, other) if type(self) is type(other) else NotImplemented

    def __hash__(self) -> int:
        return hash(repr(self))


@dataclass(frozen=True)
class Code:
    """A piece of the source that was run.

    Attributes:
      role: `made` for what builds the program, `program` for what is called, `caller` for what calls it.
      name: such as `Counter.count`.
      file: the file it stands in, as in the lines of the moments.
      first: the number of its first line there.
      text: its lines, without the indentation that they share.
    """

    role: str
    name: str
    file: str
    first: int
    text: str


@dataclass(frozen=True, eq=False)
class Moment(_Exact):
    """One call of one program.

    Attributes:
      ran: the lines of the program that ran, in order of their place.
      called: the lines of the caller that ran.
      traced: True when JAX ran the Python to trace it.
      runs: how often the body ran.
      outcome: what it returned, or what it raised.
      before, after: the state around the call, by name.
      kept: which of the track's programs `jit` kept after this call; None when there is none.
      printed: the lines that it printed.
      outside: what the calls have left outside, where the program looks at that.
      trace: tracing in slow motion, for a call that traced.
      again: how many calls were made again on new objects just before this one, because the
        objects of the call before it were gone or could not be taken back.
    """

    ran: tuple[Line, ...] = ()
    called: tuple[Line, ...] = ()
    traced: bool = False
    runs: int = 0
    outcome: Plain = None
    before: Named = ()
    after: Named = ()
    kept: int | None = None
    printed: tuple[str, ...] = ()
    outside: Plain = None
    trace: tuple[TraceStep, ...] = ()
    again: int = 0

    @property
    def changed(self) -> tuple[str, ...]:
        """The names whose value is not what it was before the call."""
        before = dict(self.before)
        return tuple(name for name, value in self.after if name not in before or not same(before[name], value))


@dataclass(frozen=True, eq=False)
class Track(_Exact):
    """What one program did.

    Attributes:
      name: what the program is called in the recording.
      codes: the code that ran.
      start: the state before the first call, by name.
      moments: one for each call; `moments[k - 1]` is call k.
      programs: what `jit` kept, each once; the values in it are plain.
    """

    name: str
    codes: tuple[Code, ...]
    start: Named
    moments: tuple[Moment, ...] = ()
    programs: tuple[Kept, ...] = ()

    @property
    def tape(self) -> tuple[Plain, ...]:
        """The outcome of each call."""
        return tuple(moment.outcome for moment in self.moments)


@dataclass(frozen=True, eq=False)
class Recording(_Exact):
    """Programs that were called equally often, side by side."""

    tracks: tuple[Track, ...]

    @property
    def calls(self) -> int:
        """How many calls are recorded."""
        return len(self.tracks[0].moments) if self.tracks else 0

    def __getitem__(self, name: str) -> Track:
        """The track of that name. Raises KeyError, naming those there are."""
        for track in self.tracks:
            if track.name == name:
                return track
        raise KeyError(f"no track {name!r}: there are {', '.join(track.name for track in self.tracks)}")


def first_difference(one: Recording, other: Recording) -> str | None:
    """Where two recordings first differ, such as `broken, call 2: outcome`; None when they are equal.

    Calls are compared in the order in which they were made, so what is named is the
    earliest call at which anything differs. What lies in the code and its line numbers counts too.
    """
    names, others = ([track.name for track in each.tracks] for each in (one, other))
    if names != others:
        return f"the programs: {', '.join(names)} and {', '.join(others)}"
    for mine, its in zip(one.tracks, other.tracks, strict=True):
        for field in ("codes", "start"):
            if not same(getattr(mine, field), getattr(its, field)):
                return f"{mine.name}: {field}"
    for call in range(min(one.calls, other.calls)):
        for mine, its in zip(one.tracks, other.tracks, strict=True):
            if found := _differing(mine, its, call):
                return f"{mine.name}, call {call + 1}: {found}"
    return None if one.calls == other.calls else f"the number of calls: {one.calls} and {other.calls}"


def _differing(mine: Track, its: Track, call: int) -> str | None:
    one, other = mine.moments[call], its.moments[call]
    for field in Moment.__dataclass_fields__:
        if field != "kept" and not same(getattr(one, field), getattr(other, field)):
            return field
    kept = [
        None if moment.kept is None else track.programs[moment.kept] for moment, track in ((one, mine), (other, its))
    ]
    return None if same(*kept) else "kept"
