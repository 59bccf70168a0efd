"""A program on show: how it is made, and how it is called."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Made:
    """What `Program.make` gives where a program brings more than what is called.

    Attributes:
      function: what is called.
      call: the caller, where it belongs to what was made; else the program's own.
      watch: further functions whose lines are of interest.
      outside: looks at what the calls left behind; handed the explicit state where there is one.
    """

    function: Callable
    call: Callable | None = None
    watch: tuple[Callable, ...] = ()
    outside: Callable[..., Any] | None = None


@dataclass(frozen=True)
class Program:
    """A program on show.

    Attributes:
      make: builds fresh objects and a fresh wrapper and returns what is called, or a
        `Made`, so that the first call traces, for every visitor and after every reset.
      call: the line of code that calls it. `call(made, *inputs) -> value` when the
        state is hidden, `call(made, state, *inputs) -> (value, state)` when explicit.
      init: makes the first explicit state; None when the state is hidden.
      inputs: the further arguments of call k = 1, 2, ...
      watch: further functions whose lines are of interest.
    """

    make: Callable[[], Callable | Made]
    call: Callable
    init: Callable[[], Any] | None = None
    inputs: Callable[[int], tuple] = lambda k: ()
    watch: tuple[Callable, ...] = ()

    @property
    def explicit(self) -> bool:
        return self.init is not None

    def made(self) -> Made:
        """Fresh objects and a fresh wrapper, with what belongs to them."""
        made = self.make()
        if not isinstance(made, Made):
            made = Made(made)
        return Made(made.function, made.call or self.call, made.watch or self.watch, made.outside)
