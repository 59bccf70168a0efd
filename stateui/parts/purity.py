"""The purity lesson: which impurity is on the stage, its calls, and what is shown of them."""

from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import streamlit as st

from statecore.lockstep import Lane
from statecore.program import Program
from statecore.purity import entries
from statecore.purity.entries import ENTRIES, Entry
from statecore.purity.programs import COMPARISONS, SYMPTOMS, Ways, printed, symptom
from statecore.purity.programs import programs as programs_of
from stateui import lesson, share, show, source, stage, theme
from stateui.figures.purity import both_ways, span
from stateui.program import show_program

CALLS = 3
"""The calls that are made of every entry."""

GROUPS = {
    "On an object": ("self_number", "self_array"),
    "In a variable": ("global_read", "global_write", "closure_rebound", "leaked_tracer"),
    "In a container or cache": (
        "list_append",
        "dict_memo",
        "mutable_default",
        "lru_cache_argument",
        "lru_cache_constant",
    ),
    "In the world": ("print_line", "numpy_random", "python_random", "clock", "iterator", "iterator_in_loop"),
    "In the argument": ("in_place", "python_if"),
}
"""Where the entries hide what they read or change."""

MEANING = {
    "jit": "`jax.jit(f)` traces the body of `f` once and runs the compiled program from then on.",
    "vmap": "`jax.vmap(f)` makes `f` work on a whole batch at once. Plain Python loops over its rows.",
    "grad": "`jax.grad(f)` gives the slope of `f`. It is compared with its jitted self.",
    "fori_loop": "`jax.lax.fori_loop(0, n, f, …)` is a loop of `n` rounds in one program; plain Python writes a `for`.",
}

SHORT = {
    "jit": ("plain", "jit"),
    "vmap": ("loop", "vmap"),
    "grad": ("grad", "jit of grad"),
    "fori_loop": ("for", "fori_loop"),
}
"""The two ways to call, as a picture names them."""

BELIEFS = {
    "none": "If the body read and changed nothing outside, that would be right.",
    "repeats": "So it goes when something is read while tracing: it becomes a constant of the program.",
    "differs": "So it goes when the body runs less often than in Python, and what it remembers is read.",
    "raises": "JAX refuses what it can see. Most impurities it cannot see.",
    "outside": "So it goes when outputs need the arguments only, and what is done on the side is done while tracing.",
}

SETTINGS = {
    "entry": share.choice("self_number", tuple(each.name for each in ENTRIES)),
    "transformation": share.choice("jit", tuple(COMPARISONS)),
    "fix": share.choice("fixed", tuple(dict.fromkeys(fix for each in ENTRIES for fix in each.fixes))),
    "step": share.whole(0, 0, CALLS),
}

_CSS = Path(__file__).with_suffix(".css").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Chosen:
    """What is on the stage.

    Attributes:
      entry, transformation, fix: what was chosen.
      lanes: of `broken` and of `fixed`, the calls made so far in plain Python and transformed.
    """

    entry: Entry
    transformation: str
    fix: str
    lanes: dict[str, Ways]

    @property
    def sides(self) -> dict[str, str]:
        """The function of each panel."""
        return {"broken": "broken", "fixed": self.fix}

    @property
    def calls(self) -> int:
        """How many calls of each are shown."""
        return self.lanes["broken"].plain.calls

    @property
    def over(self) -> bool:
        return self.calls == CALLS

    @property
    def written(self) -> tuple[str, str]:
        """How the two ways to call the broken function are written."""
        return COMPARISONS[self.transformation].written("broken")

    @property
    def programs(self) -> dict[str, Program]:
        """All that is called on the stage, by name."""
        return _programs(self.entry.name, self.transformation, self.fix)


def choose() -> Chosen:
    """Let the visitor choose an impurity and a transformation."""
    st.html(f"<style>{_CSS}</style>")
    share.read("purity", SETTINGS)
    each = entries.entry(st.session_state["purity_entry"])
    _fit(each)
    st.session_state["purity_group"] = next(group for group, names in GROUPS.items() if each.name in names)
    with st.container(key="purity_choice"):
        st.pills("Where it hides", list(GROUPS), key="purity_group", required=True, on_change=_group_chosen)
        st.pills(
            "Impurity",
            GROUPS[st.session_state["purity_group"]],
            key="purity_entry",
            format_func=lambda name: entries.entry(name).title,
            required=True,
            on_change=_other,
            label_visibility="collapsed",
        )
        with st.container(horizontal=True, vertical_alignment="center"):
            st.segmented_control(
                "Transformation",
                each.transformations,
                key="purity_transformation",
                required=True,
                on_change=_other,
                label_visibility="collapsed",
                width="content",
            )
            if len(each.fixes) > 1:
                st.segmented_control(
                    "Fix",
                    each.fixes,
                    key="purity_fix",
                    required=True,
                    on_change=_other,
                    label_visibility="collapsed",
                    width="content",
                )
            st.markdown(MEANING[st.session_state["purity_transformation"]])
    for note in st.session_state.get("purity:notes", ()):
        st.info(note, icon=":material/info:")
    return _chosen(each)


def verdict(chosen: Chosen) -> str | None:
    """What a user of the broken function noticed, or None before its calls were made."""
    return SYMPTOMS[symptom(chosen.lanes["broken"])] if chosen.over else None


def show_stage(chosen: Chosen) -> None:
    """Broken beside fixed under one cursor: the code, the lines that ran, both ways to call it."""
    with st.container(key="stage"):
        stage.controls("purity", chosen.programs, chosen.calls, CALLS)
        for column, (key, side) in zip(st.columns(2), chosen.sides.items(), strict=True):
            with column, st.container(key=key, border=True, height="stretch"):
                _panel(chosen, key, side)
    with st.container(key="purity_told"):
        _told(chosen)
    share.keep("purity", SETTINGS, say=_spoken(chosen))


def picture(chosen: Chosen) -> None:
    """Both ways of calling, call by call, for each side."""
    over = span(*(lane.tape for ways in chosen.lanes.values() for lane in ways))
    for column, (key, ways) in zip(st.columns(2), chosen.lanes.items(), strict=True):
        named = zip(_written(chosen, key), ways, strict=True)
        with column:
            st.html(theme.heading(key, " beside ".join(_written(chosen, key))))
            lesson.chart(
                both_ways(ways.plain.tape, ways.transformed.tape, key, SHORT[chosen.transformation], CALLS, over),
                f"purity_{key}_values",
                "Value by call. " + "; ".join(f"{name}: {_tape(lane) or 'no call yet'}" for name, lane in named),
            )


def programs(chosen: Chosen) -> None:
    """What jit kept of either side, where jit is in play and got to the end of its trace."""
    if chosen.transformation in ("vmap", "fori_loop"):
        st.markdown(
            f"Nothing is on show here: {_without_program(chosen)} Choose **jit** to see a program that is kept."
        )
        return
    for column, (key, ways) in zip(st.columns(2), chosen.lanes.items(), strict=True):
        lane = ways.transformed
        with column, st.container(key=f"{key}_program", border=True, height="stretch"):
            st.html(theme.heading(key, _written(chosen, key)[1]))
            if lane.moment.seen and lane.kept is None:
                st.markdown("No program: the trace ended in an error, and the next call traces again.")
            else:
                show_program(lane.kept, state=show.size(lane.moment.state) if lane.program.explicit else 0)


# --- what was chosen: the state changes in the callback, so that no click is lost -------------------------


def open_entry(name: str) -> None:
    """Put another impurity on the stage, at call 0."""
    st.session_state["purity_entry"] = name
    _other()


def _group_chosen() -> None:
    open_entry(GROUPS[st.session_state["purity_group"]][0])


def _other() -> None:
    """Something else is on the stage: its calls have not been made, and nothing is predicted of them."""
    each = entries.entry(st.session_state["purity_entry"])
    st.session_state["purity_transformation"] = _one_of(
        each.transformations, st.session_state.get("purity_transformation")
    )
    st.session_state["purity_fix"] = _one_of(each.fixes, st.session_state.get("purity_fix"))
    st.session_state["purity_guess"] = None
    st.session_state["purity:notes"] = ()
    _reset()


def _fit(each: Entry) -> None:
    """An address may ask for a transformation or a fix that the entry does not have."""
    for setting, there_are in (("transformation", each.transformations), ("fix", each.fixes)):
        asked = st.session_state[f"purity_{setting}"]
        if asked in there_are:
            continue
        st.session_state[f"purity_{setting}"] = there_are[0]
        if asked != SETTINGS[setting].default:
            note = f"“{each.title}” is not shown with {setting} = {asked}: using {there_are[0]}."
            st.session_state["purity:notes"] = (*st.session_state.get("purity:notes", ()), note)


def _one_of(there_are: tuple[str, ...], asked: Any) -> str:
    return asked if asked in there_are else there_are[0]


def _reset() -> None:
    stage.reset("purity")


def _chosen(each: Entry) -> Chosen:
    transformation, fix = (st.session_state[f"purity_{name}"] for name in ("transformation", "fix"))
    with stage.alone():
        lanes = stage.called("purity", _programs(each.name, transformation, fix))
    ways = {key: Ways(lanes[f"{key}_plain"], lanes[key]) for key in ("broken", "fixed")}
    return Chosen(each, transformation, fix, ways)


@cache
def _programs(name: str, transformation: str, fix: str) -> dict[str, Program]:
    """Both sides of an entry, each in plain Python and transformed; making them calls nothing."""
    made = {}
    for key, side in (("broken", "broken"), ("fixed", fix)):
        made[f"{key}_plain"], made[key] = programs_of(entries.entry(name), side, transformation)
    return made


# --- what is shown ------------------------------------------------------------------------------------------


def _panel(chosen: Chosen, key: str, side: str) -> None:
    above, *sides = _code(chosen)
    seen = chosen.lanes[key].transformed.moment.seen
    parts = [(each.text, each.first_line) for each in (above, sides[list(chosen.sides).index(key)]) if each.text]
    rows = max(len(each.text.split("\n")) for each in sides) + (len(above.text.split("\n")) + 1 if above.text else 0)
    st.html(theme.heading(key, f"{chosen.entry.title}: {key}"))
    with st.container(key=f"{key}_code"):
        st.html(
            source.lit_text(
                parts,
                str(chosen.entry.path),
                seen.ran | seen.called if seen else frozenset(),
                f"the code of {side}",
                rows=rows,
            )
        )
    st.html(_verdict(chosen, key))
    for lane, written, name in zip(chosen.lanes[key], _written(chosen, key), ("plain_tape", "tape"), strict=True):
        bodies = ", ".join(str(each.seen.runs) for each in _moments(lane)) or "—"
        st.html(f'<p class="way"><code>{escape(written)}</code><span>its body ran <b>{bodies}</b> times</span></p>')
        with st.container(key=f"{key}_{name}"):
            kind = "batch" if chosen.transformation == "vmap" else "row"
            st.html(f'<output class="tape {kind}">{escape(_tape(lane)) or " "}</output>')
    _log(chosen, key)
    _left(chosen, key)


def _verdict(chosen: Chosen, key: str) -> str:
    """What Python did on this call, in words: the lit lines for those who cannot see them."""
    seen = chosen.lanes[key].transformed.moment.seen
    if seen is None or seen.error is not None:
        return stage.verdict(chosen.lanes[key].transformed.moment)
    if not seen.runs:
        return theme.verdict("compiled", "No line of its body ran: the compiled program did.")
    batch = chosen.transformation == "vmap"
    return theme.verdict("traced", f"JAX ran the body {'for the whole batch at once' if batch else 'to trace it'}.")


def _log(chosen: Chosen, key: str) -> None:
    """The lines that were printed, into this visitor's own log."""
    if not any("print(" in each.text for each in _code(chosen)):
        return
    with st.container(key=f"{key}_log"):
        cells = []
        for lane, written in zip(chosen.lanes[key], _written(chosen, key), strict=True):
            lines = printed(lane)
            cells.append(_cell(f"{written} printed {len(lines)}", "\n".join(lines)))
        rows = 5 if chosen.transformation == "vmap" else CALLS
        st.html(f'<div class="aside log" style="--rows: {rows}">{"".join(cells)}</div>')


def _left(chosen: Chosen, key: str) -> None:
    """What the calls so far have left outside."""
    if not any("def after_" in each.text for each in _code(chosen)):
        return
    with st.container(key=f"{key}_after"):
        cells = []
        for lane, written in zip(chosen.lanes[key], _written(chosen, key), strict=True):
            looked = lane.objects.outside is not None
            told = show.value(lane.moment.outside) if lane.calls else ""
            cells.append(_cell(f"after {written}", told if looked else "nothing is left outside"))
        st.html(f'<div class="aside">{"".join(cells)}</div>')


def _cell(title: str, text: str) -> str:
    return f'<div><p class="way"><code>{escape(title)}</code></p><output>{escape(text) or " "}</output></div>'


def _told(chosen: Chosen) -> None:
    """What happened and why, once it has been seen; and where people met it."""
    each = chosen.entry
    if not chosen.over:
        st.markdown(
            f"Step to call {CALLS} and see. Each Step makes one more call of every function, "
            "in files loaded for you alone."
        )
        return
    about = "" if chosen.transformation == each.transformations[0] else f"Under {each.transformations[0]}: "
    st.markdown(f"**{about}{each.claim}** {each.reason}")
    if each.issue:
        st.markdown(f"People met it here: [jax#{each.issue}, “{each.issue_title}”]({each.url})")
    with st.container(horizontal=True):
        for name, error in _errors(chosen).items():
            with st.popover(f"{name}, in full"):
                st.code(str(error), language=None, wrap_lines=True)
        for aside in each.asides:
            with st.popover(f"The fix {aside}"):
                shown = entries.source(each, aside)
                st.html(source.lit_text([(shown.text, shown.first_line)], str(each.path), label=aside))
                st.markdown("It prints to the console of the process, which no visitor of a page would see.")


def _errors(chosen: Chosen) -> dict[str, Exception]:
    """The exceptions that were raised by the calls or by looking at what is left, one of each type."""
    lanes = [lane for ways in chosen.lanes.values() for lane in ways]
    outcomes = [outcome for lane in lanes for outcome in (*lane.tape, lane.moment.outside)]
    return {type(each).__name__: each for each in outcomes if isinstance(each, Exception)}


def _without_program(chosen: Chosen) -> str:
    if chosen.transformation == "vmap":
        return "`jax.vmap` keeps no program: it runs the body at every call."
    return "`fori_loop` keeps its program to itself."


def _spoken(chosen: Chosen) -> str:
    """One sentence for a screen reader."""
    if not chosen.calls:
        return "call 0"
    told = "; ".join(f"{key}: {show.value(ways.transformed.tape[-1])}" for key, ways in chosen.lanes.items())
    return f"call {chosen.calls}. {told}"


def _code(chosen: Chosen) -> tuple[entries.Source, ...]:
    """What stands above both sides, and the two sides."""
    each = chosen.entry
    return entries.imports(each), *(entries.source(each, side) for side in chosen.sides.values())


def _written(chosen: Chosen, key: str) -> tuple[str, str]:
    return COMPARISONS[chosen.transformation].written(chosen.sides[key])


def _moments(lane: Lane) -> list[Any]:
    """The calls so far."""
    return [moment for moment in lane.moments[1 : lane.cursor + 1] if moment.seen]


def _tape(lane: Lane) -> str:
    return ", ".join(map(show.value, lane.tape))
