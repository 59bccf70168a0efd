"""Programs called side by side: each call observed, each with its own time machine."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import jax

from statecore.kept import Kept
from statecore.observe import Observation, hidden_state, observe
from statecore.timeline import Timeline

MAX_CALLS = 1000
"""A lane makes no more calls than this."""


@dataclass(frozen=True)
class Program:
    """A program on show.

    Attributes:
      make: builds fresh objects and a fresh wrapper and returns what is called, so
        that the first call traces, for every visitor and after every reset.
      call: the line of code that calls it. `call(made, *inputs) -> value` when the
        state is hidden, `call(made, state, *inputs) -> (value, state)` when explicit.
      init: makes the first explicit state; None when the state is hidden.
      inputs: the further arguments of call k = 1, 2, ...
      watch: further functions whose lines are of interest.
    """

    make: Callable[[], Callable]
    call: Callable
    init: Callable[[], Any] | None = None
    inputs: Callable[[int], tuple] = lambda k: ()
    watch: tuple[Callable, ...] = ()

    @property
    def explicit(self) -> bool:
        return self.init is not None


@dataclass(frozen=True)
class Moment:
    """A program after one call (or before the first, when `seen` is None).

    Attributes:
      call: how many calls have been made.
      before, after: the state around the call, by name: `state`, or `self.n`.
      seen: the observed call.
      state: the explicit state, to be handed to the next call.
      programs: what jit had traced by then, each as it was read right after its trace.
    """

    call: int
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    seen: Observation | None = None
    state: Any = None
    programs: tuple[Kept, ...] = ()


@dataclass(frozen=True)
class Lane:
    """One program and every call it has made, seen from the cursor.

    Attributes:
      made: the live callable. Where the state is hidden, it *is* the state: it
        cannot be rewound, only rebuilt and called again.
      moments: the history; step k is the program after call k.
      outputs: the outcome of each recorded call, `outputs[k - 1]` for call k.
      work: how many calls were really made, those made again included.
    """

    program: Program
    made: Callable
    moments: Timeline[Moment]
    outputs: tuple[Any, ...] = ()
    work: int = 0

    @property
    def calls(self) -> int:
        """How many calls have been made at the cursor."""
        return self.moments.cursor

    @property
    def moment(self) -> Moment:
        """The program at the cursor."""
        return self.moments.state()

    @property
    def tape(self) -> tuple[Any, ...]:
        """What the calls up to the cursor gave: a value, or the exception raised."""
        return self.outputs[: self.calls]

    @property
    def kept(self):
        """The program of the last call: None before the first call, and after one that raised."""
        seen = self.moment.seen
        return seen.kept if seen else None


def start(program: Program) -> Lane:
    """Fresh objects, a fresh wrapper, no call made."""
    made = program.make()
    state = program.init() if program.init else None
    shown = _shown(program, made, state)
    # every moment is kept: a call made again would not be the call that traced
    return Lane(program, made, Timeline.start(Moment(0, shown, shown, state=state), limit=MAX_CALLS + 1))


def step(lane: Lane) -> Lane:
    """Make the next call, or show it again where an explicit past holds it."""
    if not lane.moments.at_end:
        return replace(lane, moments=lane.moments.forward())
    if lane.calls >= MAX_CALLS:
        return lane
    moment = _call(lane, lane.moment)
    seen = moment.seen
    assert seen is not None
    outcome = seen.value if seen.error is None else seen.error
    return replace(lane, moments=lane.moments.push(moment), outputs=(*lane.outputs, outcome), work=lane.work + 1)


def go(lane: Lane, calls: int) -> Lane:
    """Show the program after `calls` calls.

    Explicit states are an index away. A hidden state cannot be taken back: the
    objects are built anew and all the calls up to there are made again.
    Raises ValueError outside 0..MAX_CALLS.
    """
    if not 0 <= calls <= MAX_CALLS:
        raise ValueError(f"a lane goes from call 0 to call {MAX_CALLS}, not to {calls}")
    if lane.program.explicit and calls <= lane.moments.last:
        return replace(lane, moments=lane.moments.go(calls))
    if calls < lane.calls:
        lane = replace(start(lane.program), work=lane.work)
    while lane.calls < calls:
        lane = step(lane)
    return lane


def back(lane: Lane) -> Lane:
    """One call back; at call 0, the same lane."""
    return go(lane, lane.calls - 1) if lane.calls else lane


def _call(lane: Lane, previous: Moment) -> Moment:
    """Make one call after `previous` and record it."""
    program, made = lane.program, lane.made
    inputs = program.inputs(previous.call + 1)
    before = _shown(program, made, previous.state)
    args = (previous.state, *inputs) if program.explicit else inputs
    seen = observe(made, *args, caller=program.call, watch=program.watch)
    state = previous.state
    if program.explicit and seen.error is None:
        value, state = seen.value
        seen = replace(seen, value=value)
    programs, read = previous.programs, seen.kept
    if read is not None:
        # a wrapper may hold several programs; the origins of one are known right after its trace only
        known = None if seen.traced else _same(read, programs)
        seen = replace(seen, kept=known or read)
        programs = programs if known else (*programs, read)
    return Moment(previous.call + 1, before, _shown(program, made, state), seen, state, programs)


def _same(kept: Kept, programs: tuple[Kept, ...]) -> Kept | None:
    """The program among those read before that has this text and holds these very constants."""
    for each in reversed(programs):
        values = zip(each.constants, kept.constants, strict=False)
        if each.text == kept.text and all(mine.value is its.value for mine, its in values):
            return each
    return None


def _shown(program: Program, made: Callable, state: Any) -> dict[str, Any]:
    """The state by name, as a reader may look at it: explicit, or peeked at on the object."""
    if program.explicit:
        return {"state": jax.tree.map(lambda leaf: leaf, state)}
    return jax.tree.map(lambda leaf: leaf[...] if isinstance(leaf, jax.Ref) else leaf, hidden_state(made))
