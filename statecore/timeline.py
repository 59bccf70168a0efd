"""A time machine: an immutable history of immutable states, with a cursor and branches."""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeVar

S = TypeVar("S")
S_co = TypeVar("S_co", covariant=True)


class States(Protocol[S_co]):
    """What holds states: a tuple, or a run that makes them from its arrays."""

    def __len__(self) -> int: ...

    def __getitem__(self, step: int, /) -> S_co: ...


@dataclass(frozen=True)
class Branch(Generic[S]):
    """One line of history, from step 0 to its last step.

    Attributes:
      label: what a reader calls it, such as `learning rate 0.1`.
      steps: the steps whose state is kept, ascending, the first being 0.
      states: the kept states, one for each of `steps`.
      last: the last step recorded, kept or not.
      parent: the index of the branch it left, or None for the first.
      forked_at: the step at which it left its parent.
    """

    label: str
    steps: tuple[int, ...] | range
    states: States[S]
    last: int
    parent: int | None = None
    forked_at: int = 0


@dataclass(frozen=True)
class Timeline(Generic[S]):
    """States 0, 1, 2, ... of one or more branches, and which of them is shown.

    Every method returns a new timeline; none changes an old one. Stepping back is
    an index, forking is keeping a prefix. A branch built by `push` keeps at most
    `limit` states: beyond that the history is thinned, evenly (the first and the
    last always stay), and `state` recomputes a dropped one from the nearest kept before it.
    """

    branches: tuple[Branch[S], ...]
    current: int = 0
    cursor: int = 0
    limit: int = 512

    @classmethod
    def start(cls, state: S, limit: int = 512, label: str = "") -> "Timeline[S]":
        """A history that holds its first state, at step 0."""
        if limit < 4:
            raise ValueError(f"limit must be at least 4 states, got {limit}")
        return cls((Branch(label, (0,), (state,), 0),), limit=limit)

    @classmethod
    def of(cls, states: States[S], label: str = "") -> "Timeline[S]":
        """A history that is known already, such as a whole training run; nothing is dropped."""
        if not len(states):
            raise ValueError("a timeline needs at least its first state")
        return cls((Branch(label, range(len(states)), states, len(states) - 1),))

    @property
    def branch(self) -> Branch[S]:
        """The branch shown."""
        return self.branches[self.current]

    @property
    def last(self) -> int:
        """The last step of the branch shown."""
        return self.branch.last

    @property
    def at_end(self) -> bool:
        return self.cursor == self.last

    def go(self, step: int) -> "Timeline[S]":
        """Show step `step`. Raises IndexError outside 0..last."""
        if not 0 <= step <= self.last:
            raise IndexError(f"step {step} is not in this history: it has the steps 0 to {self.last}")
        return replace(self, cursor=step)

    def back(self) -> "Timeline[S]":
        """One step back; at step 0, the same timeline."""
        return self.go(max(self.cursor - 1, 0))

    def forward(self) -> "Timeline[S]":
        """One step forward into what is recorded; at the end, the same timeline."""
        return self.go(min(self.cursor + 1, self.last))

    def push(self, state: S) -> "Timeline[S]":
        """Record `state` as the step after the cursor and show it.

        In the past this forks first, so that no recorded future is lost.
        """
        if not self.at_end:
            return self.fork(self.branch.label).push(state)
        step = self.last + 1
        steps, states = (
            (*self.branch.steps, step),
            (*(self.branch.states[k] for k in range(len(self.branch.states))), state),
        )
        if len(steps) > self.limit:
            steps, states = _thin(steps, states, self.limit // 2)
        longer = replace(self.branch, steps=steps, states=states, last=step)
        return replace(self, branches=_replaced(self.branches, self.current, longer), cursor=step)

    def fork(self, label: str = "", states: States[S] | None = None) -> "Timeline[S]":
        """Leave the branch shown at the cursor, keeping the past up to it.

        Args:
          label: the name of the new branch.
          states: its whole history where that is known already; its first
            `cursor + 1` states are the shared past.
        """
        old, kept_to = self.branch, bisect_right(self.branch.steps, self.cursor)
        if states is None:
            new = Branch(label, tuple(old.steps[:kept_to]), tuple(old.states[k] for k in range(kept_to)), self.cursor)
        elif len(states) <= self.cursor:
            raise ValueError(f"a branch that leaves at step {self.cursor} needs more than {len(states)} states")
        else:
            new = Branch(label, range(len(states)), states, len(states) - 1)
        new = replace(new, parent=self.current, forked_at=self.cursor)
        return replace(self, branches=(*self.branches, new), current=len(self.branches))

    def switch(self, branch: int) -> "Timeline[S]":
        """Show another branch, at the same step where it has one, else at its end."""
        if not 0 <= branch < len(self.branches):
            raise IndexError(f"branch {branch} does not exist: there are {len(self.branches)}")
        return replace(self, current=branch, cursor=min(self.cursor, self.branches[branch].last))

    def nearest(self) -> tuple[int, S]:
        """The last kept step at or before the cursor, and its state."""
        index = bisect_right(self.branch.steps, self.cursor) - 1
        return self.branch.steps[index], self.branch.states[index]

    def state(self, step: Callable[[S], S] | None = None) -> S:
        """The state at the cursor; `step` recomputes it where it was dropped.

        Raises LookupError when it was dropped and no `step` is given.
        """
        found, state = self.nearest()
        if found != self.cursor and step is None:
            raise LookupError(f"step {self.cursor} was thinned out: pass the step function to recompute it")
        for _ in range(self.cursor - found):
            state = step(state)  # type: ignore[misc]  # a gap without a step was refused above
        return state


def _thin(steps: tuple[int, ...], states: tuple, most: int) -> tuple[tuple[int, ...], tuple]:
    """Keep at most `most` evenly spaced steps, and the last one.

    The spacing is a power of two, so that what an earlier thinning kept is enough
    for a later one, and no gap is longer than a few times `last / most`.
    """
    last, stride = steps[-1], 1
    while last // stride >= most:
        stride *= 2
    left = [k for k, step in enumerate(steps) if step % stride == 0 or step == last]
    return tuple(steps[k] for k in left), tuple(states[k] for k in left)


def _replaced(branches: tuple, index: int, branch: Branch) -> tuple:
    return (*branches[:index], branch, *branches[index + 1 :])
