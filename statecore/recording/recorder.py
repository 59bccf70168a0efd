"""Programs that are alive, and the recording of what they did so far."""

import inspect
import os
import sys
import textwrap
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from statecore import lockstep
from statecore.kept import Kept
from statecore.lines import Line
from statecore.lockstep import Lane
from statecore.observation import body_of
from statecore.program import Program
from statecore.recording.data import Code, Moment, Named, Recording, Track
from statecore.slowmotion import TraceStep
from statecore.recording.values import plain


def record(programs: Mapping[str, Program], calls: int) -> Recording:
    """Build each program, call it `calls` times, and record what it did.

    Raises ValueError for a number of calls outside 0..`lockstep.MAX_CALLS`.
    """
    return Recorder(programs).until(calls)


class Recorder:
    """Live programs whose calls are recorded; made by one thread at a time, for one visitor.

    A recording is plain data. The objects that go on from it live here, and can be let
    go: `Recorder.after` builds them again.
    """

    def __init__(self, programs: Mapping[str, Program]) -> None:
        self._take({name: lockstep.start(program) for name, program in programs.items()})
        self._recorded = Recording(tuple(_start(name, lane) for name, lane in self._lanes.items()))

    def _take(self, lanes: dict[str, Lane]) -> None:
        self._lanes = lanes
        self._lock = threading.RLock()
        self._again = {name: lane.again for name, lane in lanes.items()}

    @classmethod
    def after(cls, recording: Recording, programs: Mapping[str, Program]) -> "Recorder":
        """Go on from a recording whose objects are gone.

        They are built again and called as often as is recorded; the next moment of each
        program says so. Raises ValueError when the programs are not those of the recording.
        """
        if list(programs) != [track.name for track in recording.tracks]:
            raise ValueError(f"the recording has {[track.name for track in recording.tracks]}, not {list(programs)}")
        return cls._of(recording, {name: _again(program, recording.calls) for name, program in programs.items()})

    def from_call(self, call: int) -> "Recorder":
        """Go on from a past call, as if nothing had been called after it; this recorder stays as it is.

        An explicit state is handed over once more. Where the state is hidden, new objects
        are built and called `call` times; the next moment says so. Raises IndexError for a
        call that is not recorded.
        """
        with self._lock:
            if not 0 <= call <= self._recorded.calls:
                raise IndexError(f"call {call} is not recorded: there are the calls 0 to {self._recorded.calls}")
            lanes = {name: lockstep.go_on(lockstep.go(lane, call)) for name, lane in self._lanes.items()}
            return self._of(until(self._recorded, call), lanes)

    @classmethod
    def _of(cls, recording: Recording, lanes: dict[str, Lane]) -> "Recorder":
        made = cls.__new__(cls)
        made._take(lanes)
        made._recorded = recording
        return made

    @property
    def recording(self) -> Recording:
        """What has been recorded so far."""
        return self._recorded

    def until(self, calls: int) -> Recording:
        """Record up to call `calls`; calls that are recorded already are not made again."""
        with self._lock:
            if calls > self._recorded.calls:
                self._lanes = {name: lockstep.go(lane, calls) for name, lane in self._lanes.items()}
                tracks = [_longer(track, self._lanes[track.name], self._again[track.name]) for track in self._recorded.tracks]
                self._recorded, self._again = Recording(tuple(tracks)), dict.fromkeys(self._lanes, 0)
            elif calls < 0:
                raise ValueError(f"a recording has no call {calls}")
            return self._recorded


def until(recording: Recording, call: int) -> Recording:
    """The recording up to and including a call."""
    return Recording(tuple(replace(track, moments=track.moments[:call]) for track in recording.tracks))


def _again(program: Program, calls: int) -> Lane:
    return replace(lockstep.go(lockstep.start(program), calls), again=calls)


def _start(name: str, lane: Lane) -> Track:
    return Track(name, tuple(_codes(lane)), _named(lane.moments[0].after))


def _longer(track: Track, lane: Lane, again: int) -> Track:
    """The track with the calls that its lane has made since."""
    moments, programs = list(track.moments), list(track.programs)
    sources: dict[int, int] = {}  # a program that was read before is the same object
    for live in lane.moments[len(moments) + 1 :]:
        seen = live.seen
        assert seen is not None
        if seen.kept is not None and id(seen.kept) not in sources:
            kept = _plain_kept(seen.kept)
            if kept not in programs:
                programs.append(kept)
            sources[id(seen.kept)] = programs.index(kept)
        moments.append(
            Moment(
                ran=_lines(seen.ran),
                called=_lines(seen.called),
                traced=seen.traced,
                runs=seen.runs,
                outcome=plain(seen.outcome),
                before=_named(live.before),
                after=_named(live.after),
                kept=None if seen.kept is None else sources[id(seen.kept)],
                printed=seen.printed,
                outside=plain(live.outside),
                trace=tuple(map(_step, seen.trace)),
                again=again,
            )
        )
        again = 0
    return replace(track, moments=tuple(moments), programs=tuple(programs))


def _named(state: Mapping[str, Any]) -> Named:
    return tuple((name, plain(value)) for name, value in state.items())


def _lines(lines: Iterable[Line]) -> tuple[Line, ...]:
    return tuple(sorted((_short(file), number) for file, number in lines))


def _step(step: TraceStep) -> TraceStep:
    file, number = step.line
    return replace(step, line=(_short(file), number))


@lru_cache(maxsize=512)
def _short(file: str) -> str:
    """A file from where Python found it on: no path of this machine is part of a recording."""
    roots = [root for root in (*sys.path, os.getcwd()) if root and file.startswith(os.path.join(root, ""))]
    return os.path.relpath(file, max(roots, key=len)) if roots else os.path.basename(file)


def _plain_kept(kept: Kept) -> Kept:
    """The program with plain values."""
    return replace(
        kept,
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


def _codes(lane: Lane) -> Iterable[Code]:
    """What is made, what is called and what calls it, where its source can be read; each once."""
    made = lane.objects
    called = made.watch or (made.function,)
    parts = (("made", lane.program.make), *(("program", each) for each in called), ("caller", made.call))
    for role, function in parts:
        code = getattr(body_of(function), "__code__", None) if function else None
        try:
            lines, first = inspect.getsourcelines(code) if code else ([], 0)
        except (OSError, TypeError):
            continue
        if code and lines:
            text = textwrap.dedent("".join(lines)).rstrip("\n")
            yield Code(role, _name(function), _short(code.co_filename), first, text)


def _name(function: Callable | None) -> str:
    return getattr(body_of(function), "__qualname__", "") if function else ""
