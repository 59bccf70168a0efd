"""The lesson on Refs: what is on the stage, the compiled program, refusals, purity, cost and threads."""

from collections.abc import Callable, Generator
from html import escape
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from statecore import lockstep
from statecore.counter import Counter
from statecore.lines import executed_lines
from statecore.refs import compiled, cost, counters, inside, programs, refusals
from statecore.refs import threads as racing
from statecore.refs.compiled import Compiled, Listing
from statecore.refs.refusals import REFUSALS, Outcome, Refusal
from statecore.refs.threads import Race
from stateui import figures, lesson, progress, share, show, source, stage
from stateui.figures import refs as pictures
from stateui.stage import Lanes, Panel
from stateui.theme import heading, verdict

NAME = "refs"
COUNTERS = {"call": programs.CALL, "reset": programs.RESET, "scan": programs.SCAN}
DOES = {
    "call": "adds one",
    "reset": f"adds one; call {programs.RESET_BEFORE} resets first",
    "scan": "adds one, five times in a `scan`",
}
KEYS = {"hidden": "broken", "ref": "ref", "explicit": "fixed"}
TITLES = {
    "hidden": "jit, state hidden in self",
    "ref": "jit, a Ref in self",
    "explicit": "jit, state in, state out",
}
FIRST: dict[str, tuple[str, Callable]] = {
    "hidden": ("Where the state is made", Counter.__init__),
    "ref": ("Where the state is made", counters.RefCounter.__init__),
    "explicit": ("Where the state is made", programs.first_state),
}
WAYS = {"explicit call": "fixed", "Ref call": "ref", "explicit scan": "fixed", "Ref scan": "ref"}
"""The ways whose cost is measured, and the role of each."""

SETTINGS = {
    "step": share.whole(0, 0, lockstep.MAX_CALLS),
    "program": share.choice("call", tuple(COUNTERS)),
}
_HERE = f"{Path(__file__).parents[2]}/"


# --- the stage --------------------------------------------------------------------------------------


def begin() -> None:
    """Take the settings from the address."""
    share.read(NAME, SETTINGS)


def panels() -> tuple[Panel, ...]:
    """The three counters, doing at each call what was chosen."""
    chosen = st.session_state[f"{NAME}_program"]
    # the other programs make their state in the same way, and need the room
    first = {kind: (FIRST[kind],) if chosen == "call" else () for kind in KEYS}
    return tuple(Panel(KEYS[kind], TITLES[kind], COUNTERS[chosen][kind], first[kind]) for kind in KEYS)


def choose() -> None:
    """What each call does."""
    st.segmented_control(
        "Each call",
        list(COUNTERS),
        key=f"{NAME}_program",
        format_func=lambda name: DOES[name],
        required=True,
        on_change=_start_over,
    )


def counted() -> str | None:
    """What the first three calls of the Ref gave, once they were made."""
    if st.session_state.get(f"{NAME}_program", "call") == "call":
        found = stage.outcome(NAME, "ref", calls=3)
        if found:
            st.session_state[f"{NAME}:counted"] = found
    return st.session_state.get(f"{NAME}:counted")


def values(lanes: Lanes) -> None:
    """Every number that came out, one after another: a call of the scan gives five."""
    flat = {
        key: figures.numbers([part for value in lane.tape for part in _parts(value)]) for key, lane in lanes.items()
    }
    figure = figures.value_by_call(flat)
    figure.update_xaxes(title="count")
    lesson.chart(figure, "ref_values", figures.told({TITLES[kind]: lanes[KEYS[kind]].tape for kind in KEYS}))


def _parts(value: Any) -> list[Any]:
    return [value] if isinstance(value, Exception) else list(np.ravel(value))


def _start_over() -> None:
    """Another program: fresh objects, at call 0."""
    with stage.alone():
        st.session_state.pop(f"{NAME}:lanes", None)
        st.session_state[f"{NAME}_step"] = 0


# --- the compiled program ----------------------------------------------------------------------------


def compiled_programs() -> None:
    """The Ref's program beside that of explicit state, with and without donation, compiled when asked for."""
    st.button("Compile and read", key="compile", type="primary", on_click=_open, args=("compiled",))
    if "compiled" not in _opened():
        return
    found = _compiled()
    with st.container(key="compiled"):
        titles = {
            "ref": ("ref", "A Ref in self"),
            "explicit": ("fixed", "State in, state out"),
            "donated": ("fixed", "State in, state out, donated"),
        }
        columns = st.columns(len(titles))
        for column, (kind, (role, title)) in zip(columns, titles.items(), strict=True):
            with column, st.container(key=f"{role}_side_{kind}", border=True, height="stretch"):
                st.html(heading(role, title) + source.lit(getattr(programs, kind), rows=5))
                st.markdown("\n".join(f"- {sentence}" for sentence in compiled.in_words(found[kind])))
        form = st.segmented_control(
            "Form", list(_FORMS), key="form", default=next(iter(_FORMS)), required=True, label_visibility="collapsed"
        )
        st.caption(_FORMS[form or "StableHLO"][1])
        for kind, (role, title) in titles.items():
            listing = getattr(found[kind], _FORMS[form or "StableHLO"][0])
            st.html(heading(role, title) + f'<pre class="jaxpr wrapped" tabindex="0">{marked(listing)}</pre>')


_FORMS = {
    "StableHLO": (
        "stablehlo",
        "What JAX hands to the compiler. `tf.aliasing_output` names the result that takes the argument’s memory.",
    ),
    "HLO": (
        "hlo",
        "The first line of what the compiler made. `input_output_alias` is its table of shared buffers.",
    ),
    "jaxpr": (
        "jaxpr",
        "What JAX traced: the Ref is still a Ref, with reads `<- a[...]` and a write `a[...] <-`.",
    ),
}
_MARKS = {
    "ref": ("argument", "the Ref comes in"),
    "made": ("argument", "the Ref is made here"),
    "read": ("result", "a read"),
    "write": ("alias", "a write"),
    "argument": ("argument", "the old value comes in"),
    "alias": ("alias", "argument and result share one buffer"),
    "result": ("result", "the new value goes out"),
}


def marked(listing: Listing) -> str:
    """A listing as HTML, with its marks."""
    pieces, at = [], 0
    for mark in listing.marks:
        kind, title = _MARKS[mark.role]
        text = escape(listing.text[mark.start : mark.stop])
        pieces += [
            escape(listing.text[at : mark.start]),
            f'<mark class="{kind}" data-role="{mark.role}" title="{title}">{text}</mark>',
        ]
        at = mark.stop
    return "".join(pieces) + escape(listing.text[at:])


def _compiled() -> dict[str, Compiled]:
    """Compiled once for each visitor, from wrappers of their own."""
    key = f"{NAME}:compiled"
    if key not in st.session_state:
        with st.spinner("Compiling…"), stage.alone():
            state = programs.first_state()
            st.session_state[key] = {
                "ref": compiled.read(programs.ref()),
                "explicit": compiled.read(programs.explicit(), state),
                "donated": compiled.read(programs.donated(), state),
            }
    return st.session_state[key]


# --- refusals -----------------------------------------------------------------------------------------


def refused() -> None:
    """One refusal at a time: the program that fails beside the one that works, both run when asked."""
    titles = [refusal.title for refusal in REFUSALS]
    chosen = st.pills("Refusal", titles, key="refusal", default=titles[0], required=True, label_visibility="collapsed")
    refusal = REFUSALS[titles.index(chosen or titles[0])]
    st.button("Run both", key="run_both", type="primary", on_click=_attempt, args=(refusal,))
    found = st.session_state.get(f"{NAME}:refusals", {}).get(refusal.title)
    rows = max(source.height(refusal.broken), source.height(refusal.fixed))
    sides = {"broken": ("What fails", refusal.broken), "fixed": ("What works", refusal.fixed)}
    for column, (role, (title, function)) in zip(st.columns(2), sides.items(), strict=True):
        with column, st.container(key=f"{role}_side_refusal", border=True, height="stretch"):
            outcome, ran = found[role] if found else (None, frozenset())
            st.html(heading(role, title) + source.lit(function, ran, rows=rows))
            with st.container(key=f"{role}_outcome"):
                st.html(_outcome(outcome))
    with st.container(key="refusal_why"):
        st.markdown(refusal.why if found else "What will JAX say to the left one? Press **Run both**.")


def _attempt(refusal: Refusal) -> None:
    """Run both programs, really; each makes a Ref of its own."""
    found = {}
    with stage.alone():
        for role, function in (("broken", refusal.broken), ("fixed", refusal.fixed)):
            with executed_lines(function) as ran:
                outcome = refusals.attempt(function)
            found[role] = (outcome, frozenset(ran))
    st.session_state.setdefault(f"{NAME}:refusals", {})[refusal.title] = found


def _outcome(outcome: Outcome | None) -> str:
    if outcome is None:
        return verdict("idle", "Not run yet.")
    kind = "idle" if outcome.error is None else "error"
    told = ("gives " if outcome.error is None else "") + outcome.text.replace(_HERE, "")
    return verdict(kind, escape(told))


# --- purity --------------------------------------------------------------------------------------------


def eye_of_the_caller() -> None:
    """The same sums with a Ref outside and inside, put through the transformations when asked."""
    st.button("Put both through", key="put_through", type="primary", on_click=_open, args=("through",))
    sides: dict[str, tuple[str, Callable, Callable]] = {
        "broken": ("The Ref lives outside", inside.LeakyTotals.totals, lambda: inside.LeakyTotals().totals),
        "fixed": ("The Ref lives inside", inside.totals, lambda: inside.totals),
    }
    rows = max(source.height(function) for _, function, _ in sides.values())
    found = _through(sides) if "through" in _opened() else {}
    for column, (role, (title, function, _)) in zip(st.columns(2), sides.items(), strict=True):
        with column, st.container(key=f"{role}_side_purity", border=True, height="stretch"):
            st.html(heading(role, title) + source.lit(function, rows=rows))
            with st.container(key=f"{role}_through"):
                st.html(_table(found.get(role)))


def _through(sides: dict[str, tuple[str, Callable, Callable]]) -> dict[str, dict[str, Outcome]]:
    key = f"{NAME}:through"
    if key not in st.session_state:
        with st.spinner("Calling, compiling, batching, differentiating…"), stage.alone():
            xs = jnp.asarray(inside.XS)
            st.session_state[key] = {
                role: inside.through_transformations(make, xs) for role, (_, _, make) in sides.items()
            }
    return st.session_state[key]


def _table(outcomes: dict[str, Outcome] | None) -> str:
    names = ("first call", "second call", "jit", "vmap", "grad")
    rows = []
    for name in names:
        outcome = outcomes[name] if outcomes else None
        text = outcome.text if outcome else "—"
        kind = "error" if outcome and outcome.error is not None else "value"
        rows.append(f'<tr><th scope="row">{name}</th><td data-kind="{kind}">{escape(text)}</td></tr>')
    return f'<table class="state through"><caption>What came out for {inside.XS}</caption>{"".join(rows)}</table>'


# --- cost ----------------------------------------------------------------------------------------------


def price() -> DeltaGenerator:
    """The cost of a count, as measured on this machine; returns the room for the progress of a measurement."""
    with st.container(key="cost_controls", horizontal=True, vertical_alignment="center"):
        st.button("Measure", key="measure", type="primary", on_click=_ask)
        room = st.container()
    found: dict[str, float] = st.session_state.get(f"{NAME}:cost", {})
    told = "; ".join(f"{name}: {show.number(value)} µs" for name, value in found.items())
    lesson.chart(pictures.costs(WAYS, found), "costs", f"Microseconds for one count. {told or 'Nothing measured yet.'}")
    with st.container(key="cost_words"):
        st.markdown(_compared(found) if found else "Nothing measured yet: press **Measure**.")
    return room


def measure(room: DeltaGenerator) -> None:
    """Measure if that was asked for: at the end of the page, so that all of it can be read meanwhile."""
    if st.session_state.pop(f"{NAME}:asked", False):
        with room:
            found = progress.drive(_measured(), "Measuring on this machine")
        st.session_state[f"{NAME}:cost"] = found
        st.rerun()  # so that the chart shows it


def _measured() -> Generator[float, None, dict[str, float]]:
    last = None
    for last in cost.measure(calls=1_000, batches=5):
        yield last.done / last.total
    assert last is not None
    return {timing.name: timing.median for timing in last.timings}


def _ask() -> None:
    st.session_state[f"{NAME}:asked"] = True


def _compared(found: dict[str, float]) -> str:
    call, loop = (found[f"Ref {kind}"] / found[f"explicit {kind}"] for kind in ("call", "scan"))
    return (
        f"A call with a Ref took **{show.number(call)} times** as long as one with explicit state, and a step of a "
        f"compiled loop **{show.number(loop)} times**. What JAX does for a Ref, it does in Python around each call; "
        "inside a compiled program a Ref is a value like any other."
    )


# --- threads ---------------------------------------------------------------------------------------------


def threads() -> None:
    """Many threads on one Ref, with a lock around each call or without."""
    races: dict[bool, Race] = st.session_state.get(f"{NAME}:races", {})
    left, right = st.columns([3, 2])
    left.html(source.lit(racing.one_at_a_time))
    with right, st.container(key="races"):
        st.markdown("Threads that all count on one Ref: with the lock around each call, and without it.")
        with st.container(horizontal=True):
            st.button("Race with the lock", key="race_locked", type="primary", on_click=_race, args=(True,))
            st.button("Race without it", key="race_free", on_click=_race, args=(False,))
        told = [_raced(locked, races[locked]) for locked in (True, False) if locked in races]
        st.markdown("\n".join(f"- {each}" for each in told) or "No race was run yet.")
        if False in races:
            st.markdown("How many calls fail without the lock depends on the moment, down to none.")


def _race(locked: bool) -> None:
    # not more calls: each that fails also writes a line to the log of the server
    st.session_state.setdefault(f"{NAME}:races", {})[locked] = racing.race(threads=4, calls=100, locked=locked)


def _raced(locked: bool, race: Race) -> str:
    errors = "; ".join(f"{number} times “{message}”" for message, number in race.errors.items()) or "no error"
    return (
        f"{'With' if locked else 'Without'} the lock: {race.calls} calls, counted **{race.counted}**, {escape(errors)}."
    )


# --- what was asked for -----------------------------------------------------------------------------------


def _open(name: str) -> None:
    st.session_state[f"{NAME}:opened"] = _opened() | {name}


def _opened() -> frozenset[str]:
    return st.session_state.get(f"{NAME}:opened", frozenset())
