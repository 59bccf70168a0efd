"""Long work with a progress bar and a way out."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import streamlit as st

from statecore.work import Work

T = TypeVar("T")


def drive(
    work: Work[T],
    what: str,
    on_cancel: Callable[[], None] | None = None,
    visible: bool = True,
    name: str = "",
) -> T:
    """Do the work to its end, showing how far it is.

    Cancel needs no flag: pressing it makes Streamlit run the page anew, which ends
    this run at its next sign of progress and leaves what was there before; `on_cancel`
    puts in order what has to be.

    Call it inside a container that is always there: an element that comes and goes
    moves those after it, and Streamlit then builds them anew, players included.

    Args:
      work: yields the share done, from 0 to 1, and returns the result.
      what: what is being done, in a few words.
      on_cancel: called when Cancel is pressed, before the page runs anew; None where nothing has to be put in order.
      visible: False for work that is over before a bar could be read.
      name: tells works apart that one run of the page may do one after the other.
    """
    place, bar = None, None
    if visible:
        place = st.empty()
        with place.container(horizontal=True, vertical_alignment="center", key=f"progress{name}"):
            bar = st.progress(0.0, text=what)
            st.button("Cancel", key=f"cancel{name}", on_click=on_cancel)
    while True:
        try:
            share = next(work)
        except StopIteration as finished:
            if place is not None:
                place.empty()
            return finished.value
        if bar is not None:
            bar.progress(share, text=f"{what}: {share:.0%}")


def ask(name: str) -> None:
    """Ask for the work called `name`: the callback of its button."""
    st.session_state[f"{name}:asked"] = True


def asked(name: str, of: Any, pieces: Callable[[], Iterable[T]], size: int, what: str) -> tuple[T, ...] | None:
    """The results of a work of several pieces, done now if its button was pressed.

    Args:
      name: what the results are kept under.
      of: what they are the results of: where this has changed, they are gone.
      pieces: does the work, piece by piece.
      size: how many pieces there are.
      what: what is being done, in a few words.
    """
    done = st.session_state.get(f"{name}:done")
    if st.session_state.get(f"{name}:asked"):
        found = drive(_shares(pieces(), size), what, on_cancel=lambda: _forget(name), name=f"_{name}")
        done = st.session_state[f"{name}:done"] = (of, found)
        _forget(name)
    return done[1] if done is not None and done[0] == of else None


def _forget(name: str) -> None:
    st.session_state[f"{name}:asked"] = False


def _shares(pieces: Iterable[T], size: int) -> Work[tuple[T, ...]]:
    found: list[T] = []
    yield 0.0
    for piece in pieces:
        found.append(piece)
        yield len(found) / size
    return tuple(found)
