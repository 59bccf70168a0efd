"""A time machine: immutable histories of immutable states, with a cursor and branches."""

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
    """One line of history.

    Attributes:
      states: its states, at steps 0, 1, 2, ...
      parent: the index of the branch it left, or None for the first.
      forked_at: the step at which it left its parent.
    """

    states: States[S]
    parent: int | None = None
    forked_at: int = 0

    @property
    def last(self) -> int:
        """Its last step."""
        return len(self.states) - 1


@dataclass(frozen=True)
class Timeline(Generic[S]):
    """One or more branches, and which step of which is shown.

    Every method returns a new timeline; none changes an old one. Going back is an index.
    """

    branches: tuple[Branch[S], ...]
    current: int = 0
    cursor: int = 0

    @classmethod
    def of(cls, states: States[S]) -> "Timeline[S]":
        """One branch with these states. Raises ValueError when there are none."""
        if not len(states):
            raise ValueError("a timeline needs at least its first state")
        return cls((Branch(states),))

    @property
    def branch(self) -> Branch[S]:
        """The branch shown."""
        return self.branches[self.current]

    @property
    def last(self) -> int:
        """The last step of the branch shown."""
        return self.branch.last

    @property
    def state(self) -> S:
        """The state at the cursor."""
        return self.branch.states[self.cursor]

    def go(self, step: int) -> "Timeline[S]":
        """Show step `step`. Raises IndexError outside 0..last."""
        if not 0 <= step <= self.last:
            raise IndexError(f"step {step} is not in this history: it has the steps 0 to {self.last}")
        return replace(self, cursor=step)

    def fork(self, states: States[S]) -> "Timeline[S]":
        """Leave the branch shown at the cursor.

        Args:
          states: the whole history of the new branch; its first `cursor + 1` states are
            the shared past. Raises ValueError when there are not so many.
        """
        if len(states) <= self.cursor:
            raise ValueError(f"a branch that leaves at step {self.cursor} needs more than {len(states)} states")
        new = Branch(states, self.current, self.cursor)
        return replace(self, branches=(*self.branches, new), current=len(self.branches))

    def switch(self, branch: int) -> "Timeline[S]":
        """Show another branch, at the same step where it has one, else at its end. Raises IndexError."""
        if not 0 <= branch < len(self.branches):
            raise IndexError(f"branch {branch} does not exist: there are {len(self.branches)}")
        return replace(self, current=branch, cursor=min(self.cursor, self.branches[branch].last))
