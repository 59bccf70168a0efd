"""The checker's word on one impurity, and the whole catalogue played in one table."""

import re
from dataclasses import dataclass
from html import escape

import streamlit as st
from streamlit.components.v2 import component

from statecore.checker import CANNOT_SEE, KINDS, Report
from statecore.lockstep import Lane
from statecore.purity import programs as playing
from statecore.purity.entries import ENTRIES, Entry
from statecore.purity.programs import SYMPTOMS, Ways
from statecore.work import Work
from stateui import progress, show, source
from stateui.parts.purity import CALLS, GROUPS, Chosen, open_entry
from stateui.theme import heading

COLUMNS = (
    "plain",
    "with JAX, broken",
    "with JAX, fixed",
    "left outside, plain → JAX",
    "what you notice",
    "the checker",
)
"""What the table of the catalogue says of an entry."""


def checker(chosen: Chosen) -> None:
    """Ask `statecore.checker.check` about both sides, and say what it cannot see."""
    asked = (chosen.entry.name, chosen.fix)
    left, right = st.columns([3, 2])
    with left:
        st.html(source.lit(playing.checked))
        st.button("Ask the checker", key="check", type="primary", on_click=_ask, args=(asked,))
        for column, (key, side) in zip(st.columns(2), chosen.sides.items(), strict=True):
            with column, st.container(key=f"{key}_check", border=True, height="stretch"):
                st.html(heading(key, side))
                st.html(_said(_report(chosen.entry, side, asked), chosen.entry.unseen if key == "broken" else ""))
    with right:
        st.markdown("**What it cannot see**\n\n" + "\n".join(f"- {each}" for each in CANNOT_SEE))


def overview() -> None:
    """Every entry with what came of it, as far as it has been played."""
    rows: dict[str, Row] = st.session_state.setdefault("purity:rows", {})
    missing = [each for each in ENTRIES if each.name not in rows]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Play them all", key="play_all", type="primary", disabled=not missing, on_click=_want, args=(True,))
        st.markdown(f"{len(rows)} of {len(ENTRIES)} played, {_caught(rows)}.")
    if st.session_state.get("purity:wanted"):
        progress.drive(_played(missing, rows), "Playing the catalogue", on_cancel=_want_nothing)
        _want_nothing()
        st.rerun()
    heads = "".join(f"<div>{name}</div>" for name in COLUMNS)
    st.html(f'<div class="cells heads" aria-hidden="true">{heads}</div>')
    for group, names in GROUPS.items():
        st.markdown(f"**{group}**")
        with st.container(key=f"purity_rows_{group.replace(' ', '_')}"):
            for name in names:
                each = next(each for each in ENTRIES if each.name == name)
                with st.container(key=f"purity_row_{name}", horizontal=True, vertical_alignment="center"):
                    st.button(each.title, key=f"open_{name}", type="tertiary", on_click=_open, args=(name,), width=210)
                    st.html(_cells(rows.get(name)), width="stretch")
    with st.container(key="purity_busy_jump"):
        _jump(key="purity_jump", data={"serial": st.session_state.get("purity:opened", 0)})


# --- the checker ----------------------------------------------------------------------------------------------


def _ask(asked: tuple[str, str]) -> None:
    st.session_state["purity:asked"] = asked


def _report(each: Entry, side: str, asked: tuple[str, str]) -> Report | None:
    """What the checker said of a side, once it was asked."""
    if st.session_state.get("purity:asked") != asked:
        return None
    reports = st.session_state.setdefault("purity:reports", {})
    if (each.name, side) not in reports:
        with st.spinner("Checking"):
            reports[each.name, side] = playing.checked(each, side)
    return reports[each.name, side]


def _said(report: Report | None, unseen: str) -> str:
    if report is None:
        return "<p>Not asked yet.</p>"
    found = [f"<li><b>{KINDS[each.kind]}</b>: {_code(each.words)}</li>" for each in report.findings]
    found += [f"<li>{_code(f'`{name}` could not be copied.')}</li>" for name in report.not_copied]
    listed = f'<ul class="report">{"".join(found)}</ul>' if found else ""
    if not report.pure:
        return listed
    why = f" It cannot see this impurity: {escape(unseen)}." if unseen else ""
    return f"<p>No impurity showed in {len(report.outcomes)} calls.{why}</p>{listed}"


def _code(words: str) -> str:
    """Words with `code` in them, as HTML."""
    parts = escape(words).split("`")
    return "".join(f"<code>{each}</code>" if k % 2 else each for k, each in enumerate(parts))


# --- the table -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """What came of an entry: both sides played, and the broken one checked."""

    broken: Ways
    fixed: Ways
    report: Report


def _played(missing: list[Entry], rows: dict[str, Row]) -> Work[None]:
    """Play what has not been played; each row is kept as soon as it is there."""
    for k, each in enumerate(missing):
        yield k / len(missing)
        how = each.transformations[0]
        sides = [playing.lanes(each, side, how, CALLS) for side in ("broken", each.fixes[0])]
        rows[each.name] = Row(sides[0], sides[1], playing.checked(each))


def _want(wanted: bool) -> None:
    st.session_state["purity:wanted"] = wanted


def _want_nothing() -> None:
    _want(False)


def _open(name: str) -> None:
    open_entry(name)
    st.session_state["purity:opened"] = st.session_state.get("purity:opened", 0) + 1


def _caught(rows: dict[str, Row]) -> str:
    caught = sum(not (row.report.pure and row.report.traceable) for row in rows.values())
    return f"{caught} caught by the checker" if rows else "nothing to count yet"


def _cells(row: Row | None) -> str:
    if row is None:
        return '<div class="cells"><div class="idle">not played yet</div></div>'
    plain, broken, fixed = row.broken.plain, row.broken.transformed, row.fixed.transformed
    kinds = ", ".join(KINDS[finding.kind] for finding in row.report.findings)
    told = (
        _outputs(plain),
        _outputs(broken),
        _outputs(fixed),
        _left(plain, broken),
        SYMPTOMS[playing.symptom(row.broken)],
        kinds or "no impurity showed",
    )
    cells = (f"<div><small>{name}</small>{_breakable(text)}</div>" for name, text in zip(COLUMNS, told, strict=True))
    return f'<div class="cells">{"".join(cells)}</div>'


def _left(plain: Lane, broken: Lane) -> str:
    if lines := playing.printed(plain):
        return f"{len(lines)} lines → {len(playing.printed(broken))}"
    left = plain.moment.outside
    return "—" if left is None else f"{show.value(left)} → {show.value(broken.moment.outside)}"


def _breakable(text: str) -> str:
    """The text as HTML, where `UnexpectedTracerError` may break between its words."""
    return re.sub("(?<=[a-z])(?=[A-Z])", "<wbr>", escape(text))


def _outputs(lane: Lane) -> str:
    told = list(map(show.value, lane.tape))
    return ", ".join(dict.fromkeys(told) if all(isinstance(each, Exception) for each in lane.tape) else told)


_jump = component(
    "purity_jump",
    html="<span></span>",
    js="""
// an entry opened from the table is shown at the top of the page
const seen = new WeakMap();
export default function ({ data, parentElement }) {
  const before = seen.get(parentElement) ?? data.serial;
  seen.set(parentElement, data.serial);
  if (data.serial > before) document.querySelector(".st-key-purity_choice")?.scrollIntoView();
}
""",
)
