"""Programs that are alive, and the recording of what they did so far."""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from statecore import lockstep
from statecore.kept import Kept
from statecore.lines import Line
from statecore.lockstep import Lane
from statecore.program import Program
from statecore.recording.codes import codes
from statecore.recording.data import Moment, Named, Recording, Track
from statecore.recording.texts import readable, short
from statecore.recording.values import plain
from statecore.slowmotion import TraceStep


def record(programs: Mapping[str, Program], calls: int) -> Recording:
    """Build each program, call it `calls` times, and record what it did.

    Raises ValueError for a number of calls outside 0..`lockstep.MAX_CALLS`.
    """
    return Recorder(programs).until(calls)


class Recorder:
    """Live programs whose calls are recorded, for one visitor; one thread at a time makes the calls.

    A recording is plain data. The objects that go on from it live here, and can be let
    go: `Recorder.after` builds them again.
    """

    def __init__(self, programs: Mapping[str, Program]) -> None:
        self._take([_Live.started(name, program) for name, program in programs.items()])

    def _take(self, live: "list[_Live]") -> None:
        self._lock = threading.RLock()
        self._live = live
        self._recorded = Recording(tuple(each.track for each in live))

    @classmethod
    def after(cls, recording: Recording, programs: Mapping[str, Program]) -> "Recorder":
        """Go on from a recording whose objects are gone.

        They are built again and called as often as is recorded; the next moment of each
        program says so. Raises ValueError when the programs are not those of the recording.
        """
        if list(programs) != [track.name for track in recording.tracks]:
            raise ValueError(f"the recording has {[track.name for track in recording.tracks]}, not {list(programs)}")
        tracks = zip(recording.tracks, programs.values(), strict=True)
        return cls._of([_Live(track, lockstep.rebuilt(program, recording.calls)) for track, program in tracks])

    def from_call(self, call: int) -> "Recorder":
        """Go on from a past call, as if nothing had been called after it; this recorder stays as it is.

        An explicit state is handed over once more. Where the state is hidden, is a Ref, or was
        donated, new objects are built and called `call` times; the next moment says so.
        Raises IndexError for a call that is not recorded.
        """
        with self._lock:
            return self._of([each.from_call(call, until(self._recorded, call)) for each in self._live])

    @classmethod
    def _of(cls, live: "list[_Live]") -> "Recorder":
        made = cls.__new__(cls)
        made._take(live)
        return made

    @property
    def recording(self) -> Recording:
        """What has been recorded so far."""
        return self._recorded

    def until(self, calls: int) -> Recording:
        """Record up to call `calls`; calls that are recorded already are not made again.

        Raises ValueError for a number of calls outside 0..`lockstep.MAX_CALLS`.
        """
        if not 0 <= calls <= lockstep.MAX_CALLS:
            raise ValueError(f"a recording has the calls 0 to {lockstep.MAX_CALLS}, not {calls}")
        with self._lock:
            if calls > self._recorded.calls:
                for each in self._live:
                    each.until(calls)
                self._recorded = Recording(tuple(_shorter(each.track, calls) for each in self._live))
            return self._recorded


def until(recording: Recording, call: int) -> Recording:
    """The recording up to and including a call. Raises IndexError for a call that is not recorded."""
    if not 0 <= call <= recording.calls:
        raise IndexError(f"call {call} is not recorded: there are the calls 0 to {recording.calls}")
    return Recording(tuple(_shorter(track, call) for track in recording.tracks))


def _shorter(track: Track, call: int) -> Track:
    """The first calls of a track, and what `jit` had kept by then."""
    moments = track.moments[:call]
    programs = max((moment.kept + 1 for moment in moments if moment.kept is not None), default=0)
    return replace(track, moments=moments, programs=track.programs[:programs])


class _Live:
    """One live program with its track; each call is recorded as soon as it is made.

    A later call may write into what an earlier one gave, or give its memory away, so
    nothing can be read afterwards.
    """

    def __init__(self, track: Track, lane: Lane) -> None:
        self.track, self.lane, self.again = track, lane, lane.again
        self.read: dict[int, tuple[Kept, int]] = {}  # a program that was read before is the same object

    @classmethod
    def started(cls, name: str, program: Program) -> "_Live":
        lane = lockstep.start(program)
        return cls(Track(name, codes(lane), _named(lane.moment.after)), lane)

    def from_call(self, call: int, recording: Recording) -> "_Live":
        return _Live(recording[self.track.name], lockstep.go_on(lockstep.go(self.lane, call)))

    def until(self, calls: int) -> None:
        moments = list(self.track.moments)
        try:
            while len(moments) < calls:
                moments.append(self.call())
        finally:  # what was called was called, also when a call could not be observed
            self.track = replace(self.track, moments=tuple(moments))

    def call(self) -> Moment:
        """Make the next call."""
        lane = self.lane
        before = _named(lockstep.shown(lane.program, lane.objects, lane.moments[-1].state))
        self.lane = lockstep.go(lane, len(lane.moments))
        live, again, self.again = self.lane.moment, self.again, 0
        seen = live.seen
        assert seen is not None
        return Moment(
            ran=_lines(seen.ran),
            called=_lines(seen.called),
            traced=seen.traced,
            runs=seen.runs,
            outcome=plain(seen.outcome),
            before=before,
            after=_named(live.after),
            kept=None if seen.kept is None else self.kept(seen.kept),
            printed=tuple(map(readable, seen.printed)),
            outside=plain(live.outside),
            trace=tuple(map(_step, seen.trace)),
            again=again,
        )

    def kept(self, kept: Kept) -> int:
        """Which of the track's programs this is; a new one is added."""
        if id(kept) not in self.read:
            found = _plain_kept(kept)
            if found not in self.track.programs:
                self.track = replace(self.track, programs=(*self.track.programs, found))
            self.read[id(kept)] = kept, self.track.programs.index(found)
        return self.read[id(kept)][1]


def _named(state: Mapping[str, Any]) -> Named:
    return tuple((name, plain(value)) for name, value in state.items())


def _lines(lines: Iterable[Line]) -> tuple[Line, ...]:
    return tuple(sorted((short(file), number) for file, number in lines))


def _step(step: TraceStep) -> TraceStep:
    file, number = step.line
    return replace(step, line=(short(file), number), equations=tuple(map(readable, step.equations)))


def _plain_kept(kept: Kept) -> Kept:
    """The program with plain values."""
    return replace(
        kept,
        text=readable(kept.text),
        constants=tuple(
            replace(
                each,
                value=plain(each.value),
                origin=each.origin and each.origin._replace(first=plain(each.origin.first)),
            )
            for each in kept.constants
        ),
        outputs=tuple(replace(each, constant=plain(each.constant)) for each in kept.outputs),
    )
