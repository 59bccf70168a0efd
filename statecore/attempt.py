"""Try something that may raise: its value or its error, and the lines that ran."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax

from statecore.lines import Line, executed_lines


@dataclass(frozen=True)
class Outcome:
    """What came of an attempt.

    Attributes:
      value: what it gave; None when it raised.
      error: the exception it raised, without its traceback, or None.
      ran: the lines of Python that executed, of the function and of what is watched.
    """

    value: Any
    error: Exception | None
    ran: frozenset[Line]

    @property
    def outcome(self) -> Any:
        """The value, or the exception."""
        return self.value if self.error is None else self.error


def without_frames(error: BaseException) -> Any:
    """The exception, and those it is chained to, without tracebacks: these would keep every local of their frames."""
    pending: list[BaseException | None] = [error]
    seen: set[int] = set()
    while pending:
        each = pending.pop()
        if each is not None and id(each) not in seen:
            seen.add(id(each))
            each.__traceback__ = None
            pending += [each.__cause__, each.__context__, *getattr(each, "exceptions", ())]
    return error


def attempt(function: Callable, *args: Any, watch: tuple[Callable, ...] = (), **kwargs: Any) -> Outcome:
    """Call `function(*args, **kwargs)` to its end and keep what came of it, whatever it raises."""
    value, error = None, None
    with executed_lines(function, *watch) as ran:
        try:
            value = jax.block_until_ready(function(*args, **kwargs))
        except Exception as raised:
            error = without_frames(raised)
    return Outcome(value, error, frozenset(ran))
