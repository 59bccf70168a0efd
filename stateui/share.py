"""Settings in the address: a link leads to an exact moment of a lesson.

The plain names (`seed`, `learning_rate`, `step`, ...) are read once per arrival,
checked, and seed the widgets keyed `<lesson>_<name>`. What does not fit gets its
default and a note. The address is kept up to date in place, with no Back entry.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import streamlit as st
from streamlit.components.v2 import component


@dataclass(frozen=True)
class Setting:
    """One setting: its default, how its text is read, and in words what fits."""

    default: Any
    parse: Callable[[str], Any]
    fits: str


def whole(default: int, low: int, high: int) -> Setting:
    """A whole number from `low` to `high`."""

    def parse(text: str) -> int:
        return _within(int(text), low, high)

    return Setting(default, parse, f"a whole number from {low:,} to {high:,}")


def real(default: float, low: float, high: float) -> Setting:
    """A finite number from `low` to `high`."""

    def parse(text: str) -> float:
        return _within(float(text), low, high)

    return Setting(default, parse, f"a number from {low:g} to {high:g}")


def choice(default: Any, options: tuple) -> Setting:
    """One of a few values."""
    named = {str(option): option for option in options}
    return Setting(default, named.__getitem__, "one of " + ", ".join(named))


def read(lesson: str, settings: dict[str, Setting]) -> None:
    """Seed the widget keys of this lesson and say politely what could not be used.

    Values come from the address when somebody arrives with one, else from what
    this visitor last had here, else from the defaults.
    """
    visit = st.session_state.setdefault(f"{lesson}:share", {"values": {}, "known": {""}, "notes": []})
    address = _address({name: st.query_params[name] for name in st.query_params})
    if address not in visit["known"]:
        visit["known"].add(address)
        visit["values"], visit["notes"] = _parsed(settings)
        visit["arrived"] = True
    for name, setting in settings.items():
        key = f"{lesson}_{name}"
        if visit.get("arrived") or key not in st.session_state:
            st.session_state[key] = visit["values"].get(name, setting.default)
    visit["arrived"] = False
    with st.container():  # there even without a note, so that nothing after it is built anew
        for note in visit["notes"]:
            st.info(note, icon=":material/info:")


def start(lesson: str, last: int) -> tuple[int, str]:
    """The step at which a run of `last` steps opens, and a note where the address asks for one past its end."""
    asked = st.session_state[f"{lesson}_step"]
    step = st.session_state[f"{lesson}_step"] = min(asked, last)
    return step, f"Step {asked:,} is past the end: this is the last of {last:,} steps." if asked > last else ""


def keep(lesson: str, settings: dict[str, Setting], say: str = "") -> None:
    """Write the settings that differ from their defaults into the address, and announce `say`.

    `say` goes to a live region, so that a screen reader hears what changed.
    """
    visit = st.session_state[f"{lesson}:share"]
    visit["values"] = {name: st.session_state[f"{lesson}_{name}"] for name in settings}
    changed = {name: value for name, value in visit["values"].items() if value != settings[name].default}
    address = _address(changed)
    visit["known"].add(address)
    _announce(lesson, say, address)


def say(name: str, text: str) -> None:
    """Announce `text` to a screen reader and leave the address alone."""
    _announce(name, text, None)


def _announce(name: str, text: str, address: str | None) -> None:
    with st.container(key=f"announcer_{name}"):
        _announcer(key=f"{name}:announcer", data={"address": address, "say": text})


def _parsed(settings: dict[str, Setting]) -> tuple[dict[str, Any], list[str]]:
    values, notes = {}, []
    for name, text in st.query_params.items():
        if name not in settings:
            continue
        setting = settings[name]
        try:
            values[name] = setting.parse(text)
        except (ValueError, KeyError, OverflowError):
            shown = text if len(text) <= 40 else text[:40] + "…"
            notes.append(
                f"The address asks for {name} = “{_plain(shown)}”, which is not {setting.fits}: "
                f"using {setting.default}."
            )
    return values, notes


def _within(value: Any, low: Any, high: Any) -> Any:
    if not math.isfinite(value) or not low <= value <= high:
        raise ValueError(value)
    return value


def _address(values: dict[str, Any]) -> str:
    return "?" + urlencode(sorted(values.items())) if values else ""


def _plain(text: str) -> str:
    """The text without what Markdown would read as its own."""
    return "".join("\\" + letter if letter in "\\`*_{}[]()<>#+-!|$:~" else letter for letter in text)


_announcer = component(
    "announcer",
    html='<div role="status" aria-live="polite"></div>',
    js="""
export default function ({ data, parentElement }) {
  if (data.address !== null && location.search !== data.address) {
    history.replaceState(history.state, "", location.pathname + data.address);
  }
  const region = parentElement.querySelector("[role=status]");
  if (region.textContent !== data.say) region.textContent = data.say;
}
""",
)
