"""Programs and the calls they have made, each observed; going back is an index."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import jax

from statecore.attempt import attempt
from statecore.kept import Kept
from statecore.observation import Observation, hidden_state, observe
from statecore.program import Made, Program

MAX_CALLS = 1000
"""A lane makes no more calls than this."""


@dataclass(frozen=True)
class Moment:
    """A program after one call (or before the first, when `seen` is None).

    Attributes:
      call: how many calls have been made.
      before, after: the state around the call, by name: `state`, or `self.n`.
      seen: the observed call.
      state: the explicit state, to be handed to the next call.
      programs: what jit had traced by then, each as it was read right after its trace.
      outside: what the calls have left outside, as the program looks at it: a value, or
        the exception that looking at it raised. None before the first call.
    """

    call: int
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    seen: Observation | None = None
    state: Any = None
    programs: tuple[Kept, ...] = ()
    outside: Any = None


@dataclass(frozen=True)
class Lane:
    """One program and every call it has made, seen from the cursor.

    Attributes:
      objects: what is alive. Where the state is hidden, it *is* the state: it cannot be
        taken back, only built and called again.
      moments: every moment from call 0 on; moment k is the program after call k.
      cursor: the moment that is shown.
      again: how many calls were made again, to go on from a past moment.
    """

    program: Program
    objects: Made
    moments: tuple[Moment, ...]
    cursor: int = 0
    again: int = 0

    @property
    def made(self) -> Callable:
        """What is called."""
        return self.objects.function

    @property
    def calls(self) -> int:
        """How many calls have been made at the cursor."""
        return self.cursor

    @property
    def moment(self) -> Moment:
        """The program at the cursor."""
        return self.moments[self.cursor]

    @property
    def tape(self) -> tuple[Any, ...]:
        """What the calls up to the cursor gave: a value, or the exception raised."""
        return tuple(each.seen.outcome for each in self.moments[1 : self.cursor + 1] if each.seen)

    @property
    def kept(self) -> Kept | None:
        """The program of the last call: None before the first call, and after one that raised."""
        return self.moment.seen.kept if self.moment.seen else None


def start(program: Program) -> Lane:
    """Fresh objects, a fresh wrapper, no call made."""
    made = program.made()
    state = program.init() if program.init else None
    seen = shown(program, made, state)
    return Lane(program, made, (Moment(0, seen, seen, state=state),))


def step(lane: Lane) -> Lane:
    """One call further; at call MAX_CALLS, the same lane."""
    return go(lane, min(lane.cursor + 1, MAX_CALLS))


def go(lane: Lane, calls: int) -> Lane:
    """Show the program after `calls` calls: those that were made are an index away, the others are made.

    Raises ValueError outside 0..MAX_CALLS.
    """
    if not 0 <= calls <= MAX_CALLS:
        raise ValueError(f"a lane goes from call 0 to call {MAX_CALLS}, not to {calls}")
    moments = list(lane.moments)
    while len(moments) <= calls:
        moments.append(_call(lane.program, lane.objects, moments[-1]))
    return replace(lane, moments=tuple(moments), cursor=calls)


def go_on(lane: Lane) -> Lane:
    """A lane of its own that goes on from the moment shown, as if nothing had been called after it.

    An explicit state is simply handed over again. Where the state is hidden, is a Ref, or
    was donated, it cannot be: fresh objects are built, and all the calls up to there are
    made again, which `again` counts.
    """
    # before the first call nobody can tell whether the state will be donated
    lost = len(lane.moments) == 1 or any(map(_is_lost, lane.moments))
    if lane.program.explicit and not lost:
        return replace(lane, moments=lane.moments[: lane.cursor + 1], again=0)
    return rebuilt(lane.program, lane.cursor)


def rebuilt(program: Program, calls: int) -> Lane:
    """A new lane whose calls are made again, which `again` counts."""
    return replace(go(start(program), calls), again=calls)


def _is_lost(moment: Moment) -> bool:
    """True when an explicit state cannot be handed over again: it was donated, or it is written into."""
    leaves = jax.tree.leaves(moment.state)
    return any(isinstance(leaf, jax.Ref) or (isinstance(leaf, jax.Array) and leaf.is_deleted()) for leaf in leaves)


def _call(program: Program, made: Made, previous: Moment) -> Moment:
    """Make one call after `previous` and observe it."""
    inputs = program.inputs(previous.call + 1)
    before = shown(program, made, previous.state)
    args = (previous.state, *inputs) if program.explicit else inputs
    seen = observe(made.function, *args, caller=made.call, watch=made.watch)
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
    after = shown(program, made, state)
    return Moment(previous.call + 1, before, after, seen, state, programs, _outside(program, made, state))


def _same(kept: Kept, programs: tuple[Kept, ...]) -> Kept | None:
    """The program among those read before that has this text and holds these very constants."""
    for each in reversed(programs):
        if each.text == kept.text and len(each.constants) == len(kept.constants):
            values = zip(each.constants, kept.constants, strict=True)
            if all(mine.text == its.text and (mine.value is its.value or ":" in mine.text) for mine, its in values):
                return each
    return None


def shown(program: Program, made: Made, state: Any) -> dict[str, Any]:
    """The state by name, as a reader may look at it: explicit, or peeked at on the object."""
    if program.explicit:
        return {"state": jax.tree.map(lambda leaf: leaf, state)}
    return hidden_state(made.function)


def _outside(program: Program, made: Made, state: Any) -> Any:
    if made.outside is None:
        return None
    return attempt(made.outside, *([state] if program.explicit else [])).outcome
