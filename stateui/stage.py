"""The stage: programs side by side on one cursor, with the lines that ran."""

import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from html import escape
from typing import Any

import streamlit as st

from statecore import lockstep
from statecore.lockstep import Lane, Moment
from statecore.program import Program
from stateui import share, show, source, theme
from stateui.program import show_program

SETTINGS = {"step": share.whole(0, 0, lockstep.MAX_CALLS)}
"""What the address says of a stage: how many calls have been made."""


@dataclass(frozen=True)
class Panel:
    """One program on the stage.

    Attributes:
      key: `plain`, `broken`, `fixed` or `ref`: its role, and the name of its container.
      title: what it is, in a few words.
      program: the code that runs, and that is shown.
      also: further code to show first, each with what it is.
      tell: an outcome as the tape has it.
    """

    key: str
    title: str
    program: Program
    also: tuple[tuple[str, Callable], ...] = ()
    tell: Callable[[Any], str] = show.value


Lanes = Mapping[str, Lane]
Programs = Mapping[str, Program]
Settings = dict[str, share.Setting]


def stage(
    name: str,
    panels: tuple[Panel, ...],
    compact: bool = False,
    linked: bool = True,
    settings: Settings | None = None,
    types: bool = False,
) -> Lanes:
    """Show programs in lockstep and return their lanes, by panel key.

    Step, Back and Reset act on all panels at once. The lanes are this visitor's
    own: they are built from fresh objects on arrival and at every Reset.

    Args:
      name: what the lanes are kept under; the lesson's name where it is linked.
      panels: the programs, from left to right.
      compact: leave out how the programs are made.
      linked: whether the address says at which call the stage is.
      settings: all that the address says of this lesson, `SETTINGS` included, where it
        says more than that; the lesson has read them already.
      types: show the type of each part of the state beside its value.
    """
    if linked and settings is None:
        share.read(name, SETTINGS)
    with alone():
        lanes = _stage(name, panels, compact, types)
        said = _spoken(panels, lanes)
    if linked:
        share.keep(name, settings or SETTINGS, say=said)
    else:
        share.say(name, said)
    return lanes


def _stage(name: str, panels: tuple[Panel, ...], compact: bool, types: bool) -> Lanes:
    programs = {panel.key: panel.program for panel in panels}
    lanes = called(name, programs)
    with st.container(key="stage"):
        controls(name, programs, _calls(lanes), title="Stage")
        rooms = _rooms(panels, lanes)
        for column, panel in zip(st.columns(len(panels)), panels, strict=True):
            with column, st.container(key=panel.key, border=True, height="stretch"):
                _panel(panel, lanes[panel.key], rooms, compact, types)
    return lanes


def programs(panels: tuple[Panel, ...], lanes: Lanes) -> None:
    """What jit kept of each jitted panel: in plain words first, then the jaxpr with its marks."""
    jitted = [panel for panel in panels if hasattr(lanes[panel.key].made, "trace")]
    for column, panel in zip(st.columns(len(jitted)), jitted, strict=True):
        with column, st.container(key=f"{panel.key}_program", border=True, height="stretch"):
            st.html(theme.heading(panel.key, panel.title))
            with alone():
                moment, kept = lanes[panel.key].moment, lanes[panel.key].kept
            if kept is None and moment.seen:
                st.markdown("Nothing: the call ended in an error, so there is no program.")
            else:
                show_program(kept, state=show.size(moment.state) if panel.program.explicit else 0)


def outcome(name: str, key: str, calls: int) -> str | None:
    """What the first calls of a panel gave, or None before they were made."""
    lanes: Lanes = st.session_state.get(f"{name}:lanes", {})
    if key not in lanes or lanes[key].calls < calls:
        return None
    return ", ".join(show.value(each) for each in lanes[key].tape[:calls])


def tape(lane: Lane, tell: Callable[[Any], str] = show.value) -> str:
    """The outputs so far, separated by commas; a space before the first call."""
    return ", ".join(tell(outcome) for outcome in lane.tape) or " "


def alone() -> AbstractContextManager:
    """Let this visitor's programs be called by one thread at a time.

    Two runs of a page overlap when clicks come fast, and a Ref, among others, is not thread-safe.
    """
    return st.session_state.setdefault("calls_lock", threading.RLock())


# --- moving: the state changes in the callback, so that no click is lost ---------------------------------


def called(name: str, programs: Programs) -> Lanes:
    """This visitor's lanes, at the call that the address or the last click asks for."""
    lanes: Lanes = st.session_state.get(f"{name}:lanes") or _fresh(programs)
    calls = st.session_state.setdefault(f"{name}_step", 0)
    if _calls(lanes) != calls:
        lanes = {key: lockstep.go(lane, calls) for key, lane in lanes.items()}
    st.session_state[f"{name}:lanes"] = lanes
    return lanes


def reset(name: str) -> None:
    """Let the objects go: at call 0 new ones are made."""
    with alone():
        st.session_state.pop(f"{name}:lanes", None)
        st.session_state[f"{name}_step"] = 0


def controls(name: str, programs: Programs, calls: int, most: int = lockstep.MAX_CALLS, title: str = "") -> None:
    """Step, Back and Reset, and at which call all programs are.

    Args:
      most: no more calls than this are made.
      title: the heading that a screen reader hears.
    """
    full = calls >= most
    with st.container(key="controls", horizontal=True, vertical_alignment="center"):
        to = (name, programs, most)
        st.button("Step", key="step", type="primary", shortcut="Right", on_click=_move, args=(1, *to), disabled=full)
        st.button("Back", key="back", shortcut="Left", on_click=_move, args=(-1, *to), disabled=calls == 0)
        st.button("Reset", key="reset", on_click=reset, args=(name,))
        heard = f'<h2 class="heard">{title}</h2>' if title else ""
        st.html(f'{heard}<span class="at" data-call="{calls}">call {calls}</span>')
        if full and most == lockstep.MAX_CALLS:
            st.caption(f"The stage stops at {most:,} calls: Back or Reset to go on.")


def _fresh(programs: Programs) -> Lanes:
    return {key: lockstep.start(program) for key, program in programs.items()}


def _calls(lanes: Lanes) -> int:
    return next(iter(lanes.values())).calls


def _move(by: int, name: str, programs: Programs, most: int) -> None:
    with alone():
        lanes: Lanes = st.session_state.get(f"{name}:lanes") or _fresh(programs)
        calls = min(max(_calls(lanes) + by, 0), most)
        st.session_state[f"{name}:lanes"] = {key: lockstep.go(lane, calls) for key, lane in lanes.items()}
        st.session_state[f"{name}_step"] = calls


# --- what is shown -----------------------------------------------------------------------------------------


def _rooms(panels: tuple[Panel, ...], lanes: Lanes) -> dict[str, int]:
    """How many lines each piece of code needs, so that the panels line up."""
    rooms: dict[str, int] = {}
    for panel in panels:
        parts = {
            "also": tuple(function for _, function in panel.also),
            "make": (panel.program.make,),
            "method": _called(panel, lanes[panel.key]),
            "call": (panel.program.call,),
        }
        for name, functions in parts.items():
            for i, function in enumerate(functions):
                rooms[f"{name}{i}"] = max(rooms.get(f"{name}{i}", 0), source.height(function))
    return rooms


def _called(panel: Panel, lane: Lane) -> tuple[Callable, ...]:
    """What is called: the functions that the program names, where what jit wraps is only a shell around them."""
    return lane.objects.watch or (lane.made,)


def _panel(panel: Panel, lane: Lane, rooms: Mapping[str, int], compact: bool, types: bool) -> None:
    moment = lane.moment
    ran = moment.seen.ran | moment.seen.called if moment.seen else frozenset()
    st.html(theme.heading(panel.key, panel.title))
    for i, (label, function) in enumerate(panel.also):
        st.html(part(label) + source.lit(function, ran, rows=rooms[f"also{i}"]))
    if not compact:
        st.html(part("Made once") + source.lit(panel.program.make, ran, rows=rooms["make0"]))
    called = _called(panel, lane)
    with st.container(key=f"{panel.key}_code"):
        codes = [source.lit(each, ran, rows=rooms[f"method{i}"]) for i, each in enumerate(called)]
        st.html(part("What is called") + "".join(codes))
    with st.container(key=f"{panel.key}_call"):
        st.html(part("Each call") + source.lit(panel.program.call, ran, rows=rooms["call0"]))
    st.html(verdict(moment) + _change(moment, types))
    st.html(part("Out, call by call"))
    with st.container(key=f"{panel.key}_tape"):
        st.html(f'<output class="tape">{escape(tape(lane, panel.tell))}</output>')


def part(text: str) -> str:
    """The small title of a part of a panel, as HTML."""
    return f'<p class="part">{text}</p>'


def verdict(moment: Moment) -> str:
    """What Python did on this call, in words: the lit lines for those who cannot see them."""
    seen = moment.seen
    if seen is None:
        kind, words = "idle", "Not called yet."
    elif seen.error is not None:
        kind, words = "error", show.error(seen.error)
    elif seen.traced:
        kind, words = "traced", "JAX ran these lines of Python to trace them."
    elif seen.kept is not None:
        kind, words = "compiled", "No Python line of it ran: the compiled program did."
    else:
        kind, words = "python", "Python ran these lines, as on every call."
    return theme.verdict(kind, escape(words))


def _change(moment: Moment, types: bool) -> str:
    """The state before and after the call, with what changed marked."""
    befores = show.leaves(moment.before, types)
    if not befores:
        return '<table class="state"><caption>State: none in sight</caption></table>'
    # a long name or value leaves a second line from the start, so that no click moves the stage
    long = any(len(name) > 8 or len(value) > 10 or " " in value for name, value in befores.items())
    rows = []
    for name, now in show.leaves(moment.after, types).items():
        before = befores.get(name, "—")
        changed = moment.seen is not None and before != now
        word = "changed" if changed else ("no change" if moment.seen else "at the start")
        if long:
            arrow = f'{escape(before)} → <span>{escape(now)}</span> <i class="heard">{word}</i>'
            cells = f"<td>{arrow if changed else f'{escape(now)} <i>{word}</i>'}</td>"
        else:
            cells = f"<td>{escape(before)}</td><td>→</td><td><span>{escape(now)}</span></td><td>{word}</td>"
        rows.append(f'<tr data-changed="{str(changed).lower()}"><th scope="row">{escape(name)}</th>{cells}</tr>')
    kind = "state long" if long else "state"
    return f'<table class="{kind}"><caption>State, before → after</caption>{"".join(rows)}</table>'


def _spoken(panels: tuple[Panel, ...], lanes: Lanes) -> str:
    """One sentence for a screen reader."""
    calls = _calls(lanes)
    if not calls:
        return "call 0"
    told = "; ".join(f"{panel.title}: {panel.tell(lanes[panel.key].tape[-1])}" for panel in panels)
    return f"call {calls}. {told}"
