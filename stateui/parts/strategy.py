"""The strategy lesson: the chosen class, its links, its runs, what is refused, and the forms of the counter."""

from collections.abc import Callable, Iterable, Iterator
from html import escape
from typing import Any

import jax
import numpy as np
import streamlit as st

from statecore.functional import unguarded
from statecore.lockstep import Lane
from statecore.strategy import counters, pairs, refusals, runs
from statecore.strategy.counters import FORMS, Form, Trial
from statecore.strategy.links import Link, Part, links
from statecore.strategy.pairs import PAIRS, Pair
from statecore.strategy.refusals import REFUSALS, Outcome, Refusal
from statecore.strategy.runs import Run
from stateui import progress, share, show, source, stage, theme
from stateui.linked import Match, Side, linked

_PAIRS = {pair.name: pair for pair in PAIRS}
_REFUSALS = {refusal.name: refusal for refusal in REFUSALS}
_FORMS = {form.name: form for form in FORMS}
_WAYS = {"functionalize": "fixed", "hand": "by_hand"}
"""How a class is made pure, and the program that does it."""

SETTINGS = stage.SETTINGS | {
    "pair": share.choice("counter", tuple(_PAIRS)),
    "by": share.choice("functionalize", tuple(_WAYS)),
    "refusal": share.choice(REFUSALS[0].name, tuple(_REFUSALS)),
}
_LABELS = {
    Part.STATE: "a name for it", Part.INIT: "made", Part.START: "{} starts", Part.STEP: "one step",
    Part.READ: "{} read", Part.WRITE: "{} written", Part.OUTPUT: "out", Part.BODY: "same line",
}  # fmt: skip


def arrive() -> Pair:
    """Read the settings; the class that is chosen. Another choice is another stage."""
    share.read("strategy", SETTINGS)
    chosen = (st.session_state["strategy_pair"], st.session_state["strategy_by"])
    if st.session_state.get("strategy:of") != chosen:
        st.session_state["strategy:of"] = chosen
        st.session_state.pop("strategy:lanes", None)
    return _PAIRS[chosen[0]]


def verdict() -> str | None:
    """Whether the pure function gave what plain Python gives, once three calls were made."""
    lanes: stage.Lanes = st.session_state.get("strategy:lanes", {})
    if not lanes or lanes["fixed"].calls < 3:
        return None
    wanted, got = (lanes[key].tape[:3] for key in ("plain", "fixed"))
    if any(isinstance(each, Exception) for each in got):
        return "an error"
    return "what plain Python gives" if all(map(_close, wanted, got)) else "the first output, again and again"


def choices() -> None:
    """Which class is on the stage, and who makes it pure."""
    with st.container(key="settings", horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            "Class", list(_PAIRS), key="strategy_pair", on_change=_afresh, width=220,
            help="Trainer and batch normalisation have lessons of their own, further on",
        )  # fmt: skip
        st.segmented_control(
            "Made pure by", list(_WAYS), key="strategy_by", on_change=_afresh, required=True, format_func=_way
        )


def panels(pair: Pair) -> tuple[stage.Panel, ...]:
    """The class in plain Python, jitted as it is, and made pure."""
    made, way = pairs.programs(pair), st.session_state["strategy_by"]
    title = "jit, made pure by functionalize" if way == "functionalize" else "jit, rewritten by hand"
    return (
        stage.Panel("plain", "Plain Python", made["plain"]),
        stage.Panel("broken", "jit, state hidden in self", made["broken"]),
        stage.Panel("fixed", title, made[_WAYS[way]]),
    )


def long(pair: Pair) -> bool:
    """True for a method so long that its stage leaves out how it is made, to fit a screen."""
    return source.height(getattr(pair.cls, pair.method)) > 5


def side_by_side(pair: Pair) -> None:
    """The class beside the functions it becomes, with matching parts linked."""
    sides = (
        Side("broken", f"The class: {pair.cls.__name__}", (pair.cls,)),
        Side(
            "fixed",
            f"State, first state, step: {pair.state.__name__}, {pair.init.__name__}, {pair.step.__name__}",
            (pair.state, pair.init, pair.step),
        ),
    )
    linked(sides, _matches(links(pair)), "strategy_linked")


def the_function(lane: Lane) -> None:
    """The function that makes a method pure, with the lines that ran on the stage's last call."""
    seen = lane.moment.seen
    with st.container(key="function_code"):
        st.html(source.lit(unguarded, seen.ran if seen else frozenset()))


# --- equal to eager -----------------------------------------------------------------------------------------


def transformed(pair: Pair) -> None:
    """The class under jit, scan, vmap and grad, compared with what it does in plain Python."""
    ways: dict[str, Callable] = {"jit": runs.in_jit, "scan": runs.in_scan, "vmap": runs.in_vmap, "grad": runs.in_grad}
    with st.container(horizontal=True, vertical_alignment="center", key="runs"):
        st.button("Run all four", key="run_all", type="primary", on_click=progress.ask, args=("strategy:runs",))
        name = st.pills(
            "Transformation", list(ways), key="strategy_run", default="jit", required=True, label_visibility="collapsed"
        )
    found = progress.asked("strategy:runs", pair.name, lambda: runs.run_each(pair), 4, "Comparing")
    chosen = list(ways).index(name or "jit")
    left, right = st.columns(2)
    with left, st.container(key="plain_side_run", border=True, height="stretch"):
        st.html(theme.heading("plain", "The method, in a Python loop") + source.lit(runs.in_python))
    with right, st.container(key="fixed_side_run", border=True, height="stretch"):
        way = ways[name or "jit"]
        inside = source.lit(runs.scan) if name in ("scan", "vmap", "grad") else ""
        st.html(theme.heading("fixed", f"Made pure, under {name}") + source.lit(way) + inside)
    with st.container(key="compared"):
        st.html(_compared(found, chosen))


def _compared(found: tuple[Run, ...] | None, chosen: int) -> str:
    if found is None:
        return theme.verdict("idle", "Not run yet. Both sides get the same inputs, and fresh objects.")
    judged = " · ".join(
        f"{'✓' if each.equal else '✗'} {each.name} {'equal' if each.equal else 'different'}" for each in found
    )
    run = found[chosen]
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(_few(old))}</td><td>{escape(_few(new))}</td></tr>'
        for name, old, new in _leaves(run)
    )
    told = (
        f"<b>{judged}</b><br>{escape(run.name)}: {escape(run.what)}. "
        f"Largest difference, relative: {show.number(run.difference)}."
    )
    return theme.verdict("idle", told) + (
        '<table class="state two"><thead><tr><th></th><td>plain Python</td><td>made pure</td></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def _leaves(run: Run) -> Iterator[tuple[str, Any, Any]]:
    olds, news = (jax.tree_util.tree_leaves_with_path(tree) for tree in (run.expected, run.got))
    for (path, old), (_, new) in zip(olds, news, strict=True):
        where = jax.tree_util.keystr(path)
        if run.name == "grad":
            yield "gradient", old, new
        else:
            yield "outputs" if where == "[0]" else where.replace("[1]", "state", 1), old, new


def _few(array: Any) -> str:
    """The first numbers of an array, and its shape where there are more."""
    flat = np.asarray(array).ravel()
    shape = " × ".join(map(str, np.shape(array)))
    return ", ".join(show.value(each) for each in flat[:5]) + (f", … ({shape})" if flat.size > 5 else "")


# --- refused ------------------------------------------------------------------------------------------------


def refused() -> None:
    """What functionalize refuses: the class as written, and mended, each really called."""
    done: dict[str, Outcome] = st.session_state.setdefault("strategy:refused", {})
    with st.container(horizontal=True, vertical_alignment="bottom", key="refusing"):
        name = st.selectbox("State that hides in", list(_REFUSALS), key="strategy_refusal", width=320)
        st.button("Call both three times", key="refuse", type="primary", on_click=_refuse, args=(name,))
    refusal = _REFUSALS[name]
    outcome = done.get(name)
    left, right = st.columns(2)
    with left, st.container(key="broken_side_refusal", border=True, height="stretch"):
        st.html(theme.heading("broken", "As somebody would write it") + source.lit(refusal.shown[0]))
        st.html(_told_refusal(outcome))
    with right, st.container(key="fixed_side_refusal", border=True, height="stretch"):
        st.html(theme.heading("fixed", "Mended") + source.lit(refusal.shown[1]))
        st.html(show.table({"functionalize, then jit": _values(outcome.mended) if outcome else " "}))


def _refuse(name: str) -> None:
    refusal: Refusal = _REFUSALS[name]
    st.session_state["strategy:refused"][name] = refusals.outcome(refusal)


def _told_refusal(outcome: Outcome | None) -> str:
    """What the class gives without checks, and the error that says so instead."""
    if outcome is None:
        return show.table({"in plain Python": " ", "made pure without checks, jit": " "}) + theme.verdict(
            "idle", '<span class="quiet">Not called yet.</span>', "refusal"
        )
    without = outcome.without_guard
    rows = {
        "in plain Python": _values(outcome.eager),
        "made pure without checks, jit": type(without).__name__
        if isinstance(without, Exception)
        else f"{_values(without)} {_judged(outcome.eager, without)}",
    }
    error = outcome.error
    return show.table(rows) + theme.verdict(
        "error",
        f"<b>{type(error).__name__}</b>: <code>{escape(error.attribute)}</code> {escape(error.problem)}. "
        f"<b>{escape(error.remedy)}</b>",
        "refusal",
    )


def _judged(wanted: list, got: list) -> str:
    if all(map(_close, wanted, got)):
        return "— right this time; the reason it is refused is below"
    return "✗ wrong, and nothing said so"


# --- the exercise -------------------------------------------------------------------------------------------


def forms() -> None:
    """CounterV2 beside another form of the same counter, and what all of them give."""
    first, *others = FORMS
    with st.container(horizontal=True, vertical_alignment="center", key="forms"):
        st.button("Run all five", key="try_all", type="primary", on_click=progress.ask, args=("strategy:trials",))
        name = st.pills(
            "Beside it",
            [form.name for form in others],
            key="strategy_form",
            default=others[0].name,
            required=True,
            label_visibility="collapsed",
        )
    chosen = _FORMS[name or others[0].name]
    trials = progress.asked("strategy:trials", "all", lambda: map(counters.trial, FORMS), len(FORMS), "Running")
    for column, form in zip(st.columns(2), (first, chosen), strict=True):
        with column, st.container(key=f"form_{FORMS.index(form)}", border=True, height="stretch"):
            st.html(
                theme.heading("fixed", form.name)
                + source.lit(form.shown)
                + source.lit(form.make)
                + f'<p class="weigh"><b>+</b> {escape(form.gains)}<br><b>−</b> {escape(form.costs)}</p>'
            )
    for index, column in enumerate(st.columns(len(FORMS))):
        with column, st.container(key=f"trial_{index}", border=True, height="stretch"):
            st.html(_told_trial(FORMS[index], trials[index] if trials else None))
    st.caption(
        "traces: how often its Python ran in three jitted calls. 2nd one: another is made and jitted while the first "
        "is alive; does it share the first one’s trace?"
    )


def _told_trial(form: Form, trial: Trial | None) -> str:
    again = {None: " ", True: "traced anew", False: "same trace"}[trial.traced_again if trial else None]
    return f'<p class="part">{escape(form.name)}</p>' + show.table(
        {
            "jit": _values(trial.jitted) if trial else " ",
            "scan": _values(trial.scanned) if trial else " ",
            "traces": str(trial.traces) if trial else " ",
            "2nd one": again,
        }
    )


# --- small things ---------------------------------------------------------------------------------------------


def _matches(found: Iterable[Link]) -> list[Match]:
    """The links, those with the very same lines as one."""
    same: dict[tuple, list[Link]] = {}
    for link in found:
        same.setdefault((link.of_class, link.of_functions), []).append(link)
    return [
        Match(
            list(Part).index(group[0].part),
            _joined(_LABELS[link.part].format(link.attribute) for link in group),
            _joined(_sentence(link) for link in group),
            lines[0] | lines[1],
        )
        for lines, group in same.items()
    ]


def _sentence(link: Link) -> str:
    return f"{link.attribute}: {link.part}" if link.attribute else str(link.part)


def _joined(words: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(words))


def _values(values: list) -> str:
    return ", ".join(show.value(each) for each in values)


def _close(wanted: Any, got: Any) -> bool:
    return not isinstance(got, Exception) and bool(np.allclose(wanted, got, rtol=1e-4, atol=1e-5))


def _way(name: str) -> str:
    return "functionalize" if name == "functionalize" else "us, by hand"


def _afresh() -> None:
    """Another class starts at call 0, so that its first call is seen."""
    st.session_state["strategy_step"] = 0
