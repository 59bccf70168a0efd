"""What several test files need: work driven to its end, source lines, compilations heard."""

import inspect
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import TypeVar

import jax

T = TypeVar("T")


def finish(work: Generator[float, None, T]) -> tuple[T, list[float]]:
    """Drive a generator to its end: what it returned, and every share it yielded."""
    shares = []
    while True:
        try:
            shares.append(next(work))
        except StopIteration as finished:
            return finished.value, shares


def body_lines(function: Callable) -> set[tuple[str, int]]:
    """The lines of a function's body (its `def` and decorators left out), as (file, line) pairs."""
    code = inspect.unwrap(function).__code__
    lines = {line for _start, _end, line in code.co_lines() if line is not None}
    return {(code.co_filename, line) for line in lines if line != code.co_firstlineno}


@contextmanager
def compilations() -> Iterator[list[str]]:
    """The names of the functions that this thread has JAX trace, lower or compile meanwhile, in order.

    JAX's own helpers are among them: filter by name, or expect the list to be empty.
    """
    heard: list[str] = []
    here = threading.get_ident()  # the listener hears the whole process

    def listen(_event: str, _seconds: float, **about) -> None:
        if "fun_name" in about and threading.get_ident() == here:
            heard.append(about["fun_name"])

    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        yield heard
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)
