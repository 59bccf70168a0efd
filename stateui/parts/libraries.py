"""The lesson on libraries: its settings, the two trainings by hand, and the race of the libraries."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from html import escape
from typing import Any

import streamlit as st

from statecore import libraries
from statecore.attempt import Outcome, attempt
from statecore.libraries import network, race, watching
from statecore.libraries.race import Timed
from statecore.libraries.watching import Watched
from stateui import lesson, progress, share, show, source, theme
from stateui.figures import libraries as figures
from stateui.parts.libraries_show import libraries_show
from stateui.player import player

SETTINGS = {
    "seed": share.whole(0, 0, 2**32 - 1),
    "steps": share.choice(100, network.STEPS),
    "step": share.whole(0, 0, max(network.STEPS)),
    "library": share.choice("by_hand", tuple(libraries.LIBRARIES)),
}
SIDES = {"broken": "statistics dropped", "fixed": "statistics threaded"}
_PLAYER_HEIGHT = 404
"""Room for the player, kept before there is one."""
_BAR_HEIGHT = 64
"""Room for the progress of the race."""


@dataclass(frozen=True)
class Visit:
    """What this visitor has trained.

    Attributes:
      asked: the seed and the steps it was trained with.
      watched: both trainings by hand, by side; empty before they were run.
      runs: a run for each library trained.
    """

    asked: tuple[int, int]
    watched: Mapping[str, Watched] = field(default_factory=dict)
    runs: Mapping[str, Timed] = field(default_factory=dict)


def verdict() -> str | None:
    """Which loss of the two trainings by hand differs: `the training loss`, `the test loss` or `neither`."""
    visit: Visit | None = st.session_state.get("libraries:visit")
    if visit is None or not visit.watched:
        return None
    broken, fixed = visit.watched["broken"], visit.watched["fixed"]
    for name, ours, theirs in (
        ("the training loss", broken.loss, fixed.loss),
        ("the test loss", broken.test_loss, fixed.test_loss),
    ):
        if abs(ours[-1] - theirs[-1]) > 0.05 * theirs[-1]:
            return name
    return "neither"


def controls() -> None:
    """What is trained, and the button that trains both sides by hand."""
    share.read("libraries", SETTINGS)
    with st.container(key="controls", horizontal=True, vertical_alignment="bottom"):
        st.button("Train both", key="train_hand", type="primary", on_click=_ask, args=("hand", True))
        st.selectbox("Steps", network.STEPS, key="libraries_steps", width=110)
        st.number_input("Seed of data and params", 0, 2**32 - 1, key="libraries_seed", width=200)


@st.fragment
def stage() -> None:
    """Both sides by hand: the code with the lines that ran, and the player."""
    visit = _visit()
    _code(visit)
    if st.session_state.pop("libraries:hand", False):
        with _room():
            work = watching.watch_both(*visit.asked)
            watched = progress.drive(work, "Compiling and training")
        _store(visit, watched=watched)
        st.rerun()  # the prediction above stands outside this fragment
    if visit.watched:
        _playing(visit)
    else:
        with _room():
            st.markdown("Press **Train both**. Both steps are traced and compiled first, which takes a few seconds.")
    share.keep("libraries", SETTINGS)


def kept() -> None:
    """What jit kept of each side: which arrays of the state its program computes."""
    visit = _visit()
    whole = st.toggle("Show the whole programs", key="libraries_whole", disabled=not visit.watched)
    for column, (key, title) in zip(st.columns(2), SIDES.items(), strict=True):
        with column, st.container(key=f"{key}_program", border=True, height="stretch"):
            st.html(theme.heading(key, title))
            if not visit.watched:
                st.markdown("Nothing yet: press **Train both**.")
                continue
            st.html(_handed_on(visit.watched[key]))
            if whole:
                text = visit.watched[key].kept.text
                st.html(f'<pre class="jaxpr" tabindex="0" aria-label="jaxpr">{escape(text)}</pre>')


def racing() -> None:
    """Buttons that train with each library, their losses on one chart, and a table."""
    visit = _visit()
    names = [name for name in libraries.LIBRARIES if libraries.installed(name)]
    with st.container(key="race", horizontal=True):
        st.button("Train all", key="train_all", type="primary", on_click=_ask, args=("race", tuple(names)))
        for name in names:
            title = libraries.LIBRARIES[name].title
            st.button(title, key=f"train_{name}", on_click=_ask, args=("race", (name,)))
    asked = st.session_state.pop("libraries:race", ())
    place = st.container(height=_BAR_HEIGHT, key="race_progress", border=False)
    if asked:
        what = "Training " + ", ".join(libraries.LIBRARIES[name].title for name in asked)
        params, data = _start(visit)
        with place:
            done = progress.drive(race.race(asked, params, data, visit.asked[1]), what)
        visit = _store(visit, runs={**visit.runs, **done})
    ran = {
        name: (libraries.LIBRARIES[name].title, visit.runs[name].run.losses)
        for name in libraries.LIBRARIES
        if name in visit.runs
    }
    lesson.chart(figures.losses(ran, visit.asked[1]), "libraries_losses", figures.losses_told(ran))
    st.html(_table(visit))


def inside() -> None:
    """One library: where it keeps its state, the code that ran, and its trap."""
    st.pills(
        "Library",
        list(libraries.LIBRARIES),
        key="libraries_library",
        format_func=lambda name: libraries.LIBRARIES[name].title,
        required=True,
        label_visibility="collapsed",
    )
    name = st.session_state["libraries_library"]
    library, visit = libraries.LIBRARIES[name], _visit()
    if not libraries.installed(name):
        st.info(libraries.hint(name), icon=":material/download:")
        st.code(f'pip install "{library.requirement}"', language="bash")
        return
    if name not in visit.runs:
        st.markdown("Train it first: then its state, its code and its trap are here.")
        st.button(f"Train {library.title}", key="train_this", on_click=_ask, args=("race", (name,)))
        return
    _where(visit.runs[name].run, library.convention)
    lesson.heading(f"The code that ran: {library.title}", "code")
    _shown(name)
    lesson.heading(f"The trap: {library.title}", "trap")
    _trap(name)


# --- this visitor's trainings ------------------------------------------------------------------------


def _visit() -> Visit:
    """What the visitor has trained with the settings of now."""
    asked = (st.session_state["libraries_seed"], st.session_state["libraries_steps"])
    visit: Visit | None = st.session_state.get("libraries:visit")
    return visit if visit is not None and visit.asked == asked else _store(Visit(asked))


def _store(visit: Visit, **changes: Any) -> Visit:
    visit = replace(visit, **changes)
    st.session_state["libraries:visit"] = visit
    return visit


def _ask(what: str, value: Any) -> None:
    st.session_state[f"libraries:{what}"] = value


def _start(visit: Visit) -> tuple[network.Params, network.Data]:
    seed, _ = visit.asked
    return network.init(seed), network.make_data(seed)


# --- what is shown: the two sides by hand ------------------------------------------------------------


def _at(visit: Visit) -> int:
    """The step at which the player rests."""
    return min(st.session_state["libraries_step"], visit.asked[1]) if visit.watched else 0


def _code(visit: Visit) -> None:
    at = _at(visit)
    rows = max(source.height(step) for step in watching.STEPS.values())
    with st.container(key="stage"):
        for column, (key, step) in zip(st.columns(2), watching.STEPS.items(), strict=True):
            with column, st.container(key=key, border=True, height="stretch"):
                st.html(theme.heading(key, SIDES[key]))
                ran, kind, words = _called(visit.watched.get(key), at)
                with st.container(key=f"{key}_code"):
                    st.html(source.lit(step, ran, rows=rows))
                st.html(theme.verdict(kind, words))


def _called(watched: Watched | None, at: int) -> tuple[frozenset, str, str]:
    """The lines that ran on the call that led to this step, and in words what Python did."""
    if watched is None or at == 0:
        return frozenset(), "idle", "Not called yet."
    ran = watched.ran[at - 1]
    if ran:
        return ran, "traced", "JAX ran these lines of Python to trace them."
    return ran, "compiled", "No Python line of it ran: the compiled program did."


def _room() -> Any:
    """A box of the player's size, so that nothing below moves when it comes."""
    return st.container(height=_PLAYER_HEIGHT, key="waiting", border=True, vertical_alignment="center")


def _playing(visit: Visit) -> None:
    at = _at(visit)
    st.session_state["libraries_step"] = at
    player(libraries_show(visit.watched, SIDES, at), "libraries_player", on_step=_rested)


def _rested() -> None:
    st.session_state["libraries_step"] = int(st.session_state["libraries_player"].step)


def _handed_on(watched: Watched) -> str:
    """For each part of the state, whether the program computes it or returns it as it came in."""
    rows = []
    for part, arrays in watched.handed_on.items():
        words = f"{arrays.computed} computed"
        words += f", {arrays.untouched} returned as they came in" if arrays.untouched else ""
        rows.append(
            f'<tr data-changed="{str(bool(arrays.untouched)).lower()}"><th scope="row">{escape(part)}</th>'
            f"<td>{arrays.computed + arrays.untouched}&nbsp;arrays</td><td><span>{words}</span></td></tr>"
        )
    lines = len(watched.kept.text.splitlines())
    caption = f"<caption>The state that comes out of a program of {lines:,} lines</caption>"
    return f'<table class="state">{caption}{"".join(rows)}</table>'


# --- what is shown: the libraries --------------------------------------------------------------------


def _table(visit: Visit) -> str:
    head = (
        "library", "training loss", "test loss", "accuracy", "furthest from by hand", "getting ready", "training",
    )  # fmt: skip
    body = [_row(name, visit) for name in libraries.LIBRARIES]
    cells = "".join(f'<th scope="col">{each}</th>' for each in head)
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="Results"><table class="state results">'
        f"<thead><tr>{cells}</tr></thead><tbody>{''.join(body)}</tbody></table></div>"
    )


def _row(name: str, visit: Visit) -> str:
    library, timed = libraries.LIBRARIES[name], visit.runs.get(name)
    sign = f'<span style="color:{figures.LOOKS[name].colour}" aria-hidden="true">{figures.LOOKS[name].sign}</span>'
    if not libraries.installed(name):
        return f'<tr><th scope="row">{library.title}</th><td colspan="6">{escape(libraries.hint(name))}</td></tr>'
    known = "JAX " if name == "by_hand" else ""
    title = f'<th scope="row">{sign} {library.title} <small>{known}{libraries.version(name)}</small></th>'
    if timed is None:
        return f"<tr>{title}{'<td>—</td>' * 6}</tr>"
    base = visit.runs.get("by_hand")
    apart = show.number(race.apart(timed.run, base.run)) if base else "—"
    told = (
        show.number(float(timed.run.losses[-1])), show.number(timed.run.test_loss), f"{timed.run.accuracy:.1%}", apart,
        f"{timed.ready:.2f} s", f"{timed.seconds:.2f} s",
    )  # fmt: skip
    return f"<tr>{title}{''.join(f'<td>{each}</td>' for each in told)}</tr>"


def _where(run: network.Run, convention: str) -> None:
    left, right = st.columns(2)
    with left:
        lesson.chart(figures.kept(run.leaves), "libraries_kept", figures.kept_told(run.leaves))
    with right:
        rows = [
            {"path": leaf.path, "shape": str(list(leaf.shape)), "type": leaf.dtype, "kind": leaf.kind}
            for leaf in run.leaves
        ]
        st.dataframe(rows, key="libraries_leaves", height=360, hide_index=True)
    st.markdown(f"{figures.kept_told(run.leaves)}. Its running statistics: {convention}")


def _shown(name: str) -> None:
    functions = libraries.load(name).SHOWN
    half = (len(functions) + 1) // 2
    for column, part in zip(st.columns(2), (functions[:half], functions[half:]), strict=True):
        with column:
            for function in part:
                st.html(source.lit(function))


def _trap(name: str) -> None:
    trap = libraries.load(name).TRAP
    sides = {"broken": (trap.parts[0], trap.broken), "fixed": (trap.parts[1], trap.fixed)}
    key = f"libraries:trap_{name}"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Run both", key="run_trap", type="primary", on_click=_ask, args=(f"asked_{name}", True))
        place = st.empty()
    if st.session_state.pop(f"libraries:asked_{name}", False):
        with place, st.spinner("Running both"):
            st.session_state[key] = {side: _ran(*each) for side, each in sides.items()}
    results = st.session_state.get(key, {})
    rows = [max(map(source.height, pair)) for pair in zip(*sides.values(), strict=True)]
    for column, (side, functions) in zip(st.columns(2), sides.items(), strict=True):
        with column, st.container(key=f"{side}_trap", border=True, height="stretch"):
            outcome: Outcome | None = results.get(side)
            ran = outcome.ran if outcome else frozenset()
            st.html(theme.heading(side, functions[1].__name__))
            for function, room in zip(functions, rows, strict=True):
                st.html(source.lit(function, ran, rows=room))
            st.html(theme.verdict(*_told(outcome)))
    st.markdown(trap.claim if results else "&nbsp;")


def _ran(part: Any, function: Any) -> Outcome:
    """Run one side of a trap, and watch the class or function that it is about."""
    watched = [each for each in vars(part).values() if callable(each)] if isinstance(part, type) else [part]
    return attempt(function, watch=tuple(watched))


def _told(outcome: Outcome | None) -> tuple[str, str]:
    """The kind of an outcome, and the outcome in words."""
    if outcome is None:
        return "idle", "Not run yet."
    if outcome.error is not None:
        return "error", show.error_html(outcome.error)
    return "python", f"gives <b>{escape(show.value(outcome.value))}</b>"
