"""Long work in pieces: a generator that yields the share done and returns the result."""

from collections.abc import Generator
from typing import TypeVar

T = TypeVar("T")

Work = Generator[float, None, T]
"""Yields the share done, from 0 to 1, and returns a `T`."""


def between(work: Work[T], start: float, end: float) -> Work[T]:
    """The same work as a part of a whole: its shares run from `start` to `end`."""
    while True:
        try:
            share = next(work)
        except StopIteration as finished:
            return finished.value
        yield start + (end - start) * share


def finish(work: Work[T]) -> T:
    """Do the work to its end, without a pause, and return its result."""
    while True:
        try:
            next(work)
        except StopIteration as finished:
            return finished.value
