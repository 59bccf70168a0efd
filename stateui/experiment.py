"""Experiments: a few lines of real code, a question, and the result when they are run."""

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from io import StringIO
from typing import Any

import streamlit as st

from statecore.attempt import attempt
from stateui import show, source, theme


@dataclass(frozen=True)
class Experiment:
    """Something to try.

    Attributes:
      title: its name on the switch.
      run: the code that is shown and run.
      question: what to think about before running it.
      why: what the result means, read after it.
      args: makes its arguments, afresh for every run.
    """

    title: str
    run: Callable
    question: str
    why: str
    args: Callable[[], tuple] = tuple


def bench(lesson: str, experiments: tuple[Experiment, ...]) -> None:
    """Offer experiments one at a time: the code beside its question and its result."""
    titles = [each.title for each in experiments]
    key = f"{lesson}_experiment"
    chosen = st.pills("Experiment", titles, key=key, default=titles[0], required=True, label_visibility="collapsed")
    experiment = experiments[titles.index(chosen or titles[0])]
    result = st.session_state.get(f"{lesson}:{experiment.title}")
    left, right = st.columns([3, 2])
    with left, st.container(key="experiment_code"):
        st.html(source.lit(experiment.run, result["ran"] if result else frozenset()))
    with right, st.container(key="experiment", height="stretch"):
        st.markdown(experiment.question)
        st.button("Run it", key="run", type="primary", on_click=_run, args=(lesson, experiment))
        with st.container(key="experiment_result"):
            st.html(f'<output class="tape">{escape(_told(result))}</output>')
        st.markdown(experiment.why if result else "&nbsp;")


def look(function: Callable, *args: Any, why: str) -> None:
    """Do something right now and show its code with what came of it: a value, a printed line or an error."""
    out = StringIO()
    printing = "out" in function.__code__.co_varnames[: function.__code__.co_argcount]
    with st.container(border=True, height="stretch"):
        st.html(source.lit(function))
        try:
            value = function(*args, out) if printing else function(*args)
            told = escape(out.getvalue().strip() if printing else show.value(value))
            kind, told = "idle", f"{'prints' if printing else 'gives'} {told}"
        except Exception as error:  # whatever it raises is what is to be seen
            kind, told = "error", show.error_html(error)
        st.html(theme.verdict(kind, told))
        st.markdown(why)


def _run(lesson: str, experiment: Experiment) -> None:
    outcome = attempt(experiment.run, *experiment.args())
    told = show.value(outcome.value) if outcome.error is None else show.error(outcome.error)
    st.session_state[f"{lesson}:{experiment.title}"] = {"told": told, "ran": outcome.ran}


def _told(result: dict[str, Any] | None) -> str:
    return result["told"] if result else " "
