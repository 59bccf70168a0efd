"""The stage: programs side by side on one cursor, with the lines that ran."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import streamlit as st

from statecore import lockstep
from statecore.lockstep import Lane, Moment, Program
from stateui import share, show, source
from stateui.program import show_program
from stateui.theme import ROLES

SETTINGS = {"step": share.whole(0, 0, lockstep.MAX_CALLS)}
"""What the address says of a stage: how many calls have been made."""


@dataclass(frozen=True)
class Panel:
    """One program on the stage.

    Attributes:
      key: `plain`, `broken` or `fixed`: its role, and the name of its container.
      title: what it is, in a few words.
      program: the code that runs, and that is shown.
      tell: an outcome as the tape has it.
    """

    key: str
    title: str
    program: Program
    tell: Callable[[Any], str] = show.value


Lanes = Mapping[str, Lane]


def stage(name: str, panels: tuple[Panel, ...], compact: bool = False, linked: bool = True) -> Lanes:
    """Show programs in lockstep and return their lanes, by panel key.

    Step, Back and Reset act on all panels at once. The lanes are this visitor's
    own: they are built from fresh objects on arrival and at every Reset.

    Args:
      name: what the lanes are kept under; the lesson's name where it is linked.
      panels: the programs, from left to right.
      compact: leave out how the programs are made.
      linked: whether the address says at which call the stage is.
    """
    if linked:
        share.read(name, SETTINGS)
    lanes = _lanes(name, panels)
    with st.container(key="stage"):
        _controls(name, panels, _calls(lanes))
        rooms = _rooms(panels, lanes)
        for column, panel in zip(st.columns(len(panels)), panels, strict=True):
            with column, st.container(key=panel.key, border=True, height="stretch"):
                _panel(panel, lanes[panel.key], rooms, compact)
    said = _spoken(panels, lanes)
    if linked:
        share.keep(name, SETTINGS, say=said)
    else:
        share.say(name, said)
    return lanes


def programs(panels: tuple[Panel, ...], lanes: Lanes) -> None:
    """What jit kept of each jitted panel: in plain words first, then the jaxpr with its marks."""
    jitted = [panel for panel in panels if hasattr(lanes[panel.key].made, "trace")]
    for column, panel in zip(st.columns(len(jitted)), jitted, strict=True):
        with column, st.container(key=f"{panel.key}_program", border=True, height="stretch"):
            st.html(_heading(panel))
            lane = lanes[panel.key]
            if lane.calls and lane.kept is None:
                st.markdown("The last call raised an error: it left no program to read.")
            else:
                show_program(lane.kept, state=show.size(lane.moment.state) if panel.program.explicit else 0)


def outcome(name: str, key: str, calls: int) -> str | None:
    """What the first calls of a panel gave, or None before they were made."""
    lanes: Lanes = st.session_state.get(f"{name}:lanes", {})
    if key not in lanes or lanes[key].calls < calls:
        return None
    return ", ".join(show.value(each) for each in lanes[key].tape[:calls])


def tape(lane: Lane, tell: Callable[[Any], str] = show.value) -> str:
    """The outputs so far, separated by commas; a space before the first call."""
    return ", ".join(tell(outcome) for outcome in lane.tape) or " "


# --- moving: the state changes in the callback, so that no click is lost ---------------------------------


def _lanes(name: str, panels: tuple[Panel, ...]) -> Lanes:
    """This visitor's lanes, at the call that the address or the last click asks for."""
    lanes: Lanes = st.session_state.get(f"{name}:lanes") or _fresh(panels)
    calls = st.session_state.setdefault(f"{name}_step", 0)
    if _calls(lanes) != calls:
        lanes = {key: lockstep.go(lane, calls) for key, lane in lanes.items()}
    st.session_state[f"{name}:lanes"] = lanes
    return lanes


def _fresh(panels: tuple[Panel, ...]) -> Lanes:
    return {panel.key: lockstep.start(panel.program) for panel in panels}


def _calls(lanes: Lanes) -> int:
    return next(iter(lanes.values())).calls


def _move(name: str, by: int) -> None:
    lanes: Lanes = st.session_state[f"{name}:lanes"]
    calls = min(max(_calls(lanes) + by, 0), lockstep.MAX_CALLS)
    st.session_state[f"{name}:lanes"] = {key: lockstep.go(lane, calls) for key, lane in lanes.items()}
    st.session_state[f"{name}_step"] = calls


def _reset(name: str, panels: tuple[Panel, ...]) -> None:
    st.session_state[f"{name}:lanes"] = _fresh(panels)
    st.session_state[f"{name}_step"] = 0


# --- what is shown -----------------------------------------------------------------------------------------


def _controls(name: str, panels: tuple[Panel, ...], calls: int) -> None:
    full = calls >= lockstep.MAX_CALLS
    with st.container(key="controls", horizontal=True, vertical_alignment="center"):
        st.button("Step", key="step", type="primary", shortcut="Right", on_click=_move, args=(name, 1), disabled=full)
        st.button("Back", key="back", shortcut="Left", on_click=_move, args=(name, -1), disabled=calls == 0)
        st.button("Reset", key="reset", on_click=_reset, args=(name, panels))
        st.html(f'<span class="at" data-call="{calls}">call {calls}</span>')
        if full:
            st.caption(f"The stage stops at {lockstep.MAX_CALLS:,} calls: Back or Reset to go on.")


def _rooms(panels: tuple[Panel, ...], lanes: Lanes) -> dict[str, int]:
    """How many lines each part of a panel needs, so that the panels line up."""
    parts: dict[str, Callable] = {
        "make": lambda panel: panel.program.make,
        "call": lambda panel: panel.program.call,
    }
    rooms = {part: max(source.height(of(panel)) for panel in panels) for part, of in parts.items()}
    return rooms | {"method": max(sum(map(source.height, _called(panel, lanes[panel.key]))) for panel in panels)}


def _called(panel: Panel, lane: Lane) -> tuple[Callable, ...]:
    """What is called, and the functions below it that are watched as well."""
    return (lane.made, *panel.program.watch)


def _panel(panel: Panel, lane: Lane, rooms: Mapping[str, int], compact: bool) -> None:
    moment = lane.moment
    ran = moment.seen.ran if moment.seen else frozenset()
    st.html(_heading(panel))
    if not compact:
        st.html(_part("Made once") + source.lit(panel.program.make, rows=rooms["make"]))
    with st.container(key=f"{panel.key}_code"):
        made, *watched = _called(panel, lane)
        below = sum(map(source.height, watched))
        st.html(_part("What is called") + source.lit(made, ran, rows=0 if watched else rooms["method"]))
        for function in watched:
            rows = rooms["method"] - source.height(made) - below + source.height(function)
            st.html(_part("which calls") + source.lit(function, ran, rows=rows if function is watched[-1] else 0))
    with st.container(key=f"{panel.key}_call"):
        st.html(_part("Each call") + source.lit(panel.program.call, ran, rows=rooms["call"]))
    st.html(_verdict(moment) + _change(moment))
    st.html(_part("Out, call by call"))
    with st.container(key=f"{panel.key}_tape"):
        st.html(f'<output class="tape">{escape(tape(lane, panel.tell))}</output>')


def _heading(panel: Panel) -> str:
    mark = ROLES[panel.key].mark
    return f'<h3 class="role role-{panel.key}"><span class="mark">{mark}</span>{escape(panel.title)}</h3>'


def _part(text: str) -> str:
    return f'<p class="part">{text}</p>'


def _verdict(moment: Moment) -> str:
    """What Python did on this call, in words: the lit lines for those who cannot see them."""
    seen = moment.seen
    if seen is None:
        kind, words = "idle", "Not called yet."
    elif seen.error is not None:
        kind, words = "error", f"{type(seen.error).__name__}: {show.first_sentence(seen.error)}"
    elif seen.traced:
        kind, words = "traced", "JAX ran these lines of Python to trace them."
    elif seen.kept is not None:
        kind, words = "compiled", "No Python line of it ran: the compiled program did."
    else:
        kind, words = "python", "Python ran these lines, as on every call."
    return f'<p class="verdict" data-kind="{kind}">{escape(words)}</p>'


def _change(moment: Moment) -> str:
    """The state before and after the call, with what changed marked."""
    rows = []
    befores = show.leaves(moment.before)
    for name, now in show.leaves(moment.after).items():
        before = befores.get(name, "—")
        changed = moment.seen is not None and before != now
        word = "changed" if changed else ("no change" if moment.seen else "at the start")
        rows.append(
            f'<tr data-changed="{str(changed).lower()}"><th scope="row">{escape(name)}</th><td>{escape(before)}</td>'
            f"<td>→</td><td><span>{escape(now)}</span></td><td>{word}</td></tr>"
        )
    return f'<table class="state"><caption>State, before → after</caption>{"".join(rows)}</table>'


def _spoken(panels: tuple[Panel, ...], lanes: Lanes) -> str:
    """One sentence for a screen reader."""
    calls = _calls(lanes)
    if not calls:
        return "call 0"
    told = "; ".join(f"{panel.title}: {panel.tell(lanes[panel.key].tape[-1])}" for panel in panels)
    return f"call {calls}. {told}"
