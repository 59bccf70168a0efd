"""Long work with a progress bar and a way out."""

from collections.abc import Callable, Generator
from typing import TypeVar

import streamlit as st

T = TypeVar("T")


def drive(work: Generator[float, None, T], what: str, on_cancel: Callable[[], None], visible: bool = True) -> T:
    """Do the work to its end, showing how far it is.

    Cancel needs no flag: pressing it makes Streamlit run the page anew, which ends
    this run at its next sign of progress; `on_cancel` then puts things in order.

    Call it inside a container that is always there: an element that comes and goes
    moves those after it, and Streamlit then builds them anew, players included.

    Args:
      work: yields the share done, from 0 to 1, and returns the result.
      what: what is being done, in a few words.
      on_cancel: called when Cancel is pressed, before the page runs anew.
      visible: False for work that is over before a bar could be read.
    """
    place, bar = None, None
    if visible:
        place = st.empty()
        with place.container(horizontal=True, vertical_alignment="center", key="progress"):
            bar = st.progress(0.0, text=what)
            st.button("Cancel", key="cancel", on_click=on_cancel)
    while True:
        try:
            share = next(work)
        except StopIteration as finished:
            if place is not None:
                place.empty()
            return finished.value
        if bar is not None:
            bar.progress(share, text=f"{what}: {share:.0%}")
