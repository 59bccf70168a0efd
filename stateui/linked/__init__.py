"""Two sides of code whose matching parts are linked: by number for the eye, lit together by mouse, key or finger."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from streamlit.components.v2 import component

from statecore.lines import Line
from stateui import source


@dataclass(frozen=True)
class Match:
    """Lines of both sides that do the same.

    Attributes:
      kind: a number that gives the colour; the same for what belongs together.
      label: what it is, in a word or two.
      told: what it is, in a sentence.
      lines: the lines, of either side.
    """

    kind: int
    label: str
    told: str
    lines: frozenset[Line]


@dataclass(frozen=True)
class Side:
    """One side: its title, the role it is coloured by, and the code, from top to bottom."""

    role: str
    title: str
    shown: tuple


def linked(sides: Sequence[Side], matches: Sequence[Match], key: str) -> None:
    """Show the sides with their matches numbered 1, 2, ... on a switch and at every line."""
    chips = "".join(
        f'<button class="chip" type="button" data-link="{number}" data-kind="{match.kind}" aria-pressed="false" '
        f'title="{escape(match.told)}"><b>{number}</b><span>{escape(match.label)}</span></button>'
        for number, match in enumerate(matches, 1)
    )
    told = {str(number): match.told for number, match in enumerate(matches, 1)}
    _component(key=key, data={"chips": chips, "sides": "".join(_side(side, matches) for side in sides), "told": told})


def _side(side: Side, matches: Sequence[Match]) -> str:
    blocks = "".join(
        f'<div class="code" role="group" aria-label="the code of {escape(thing.__name__)}">'
        + "".join(_line(place, text, matches) for place, text in source.lines(thing))
        + "</div>"
        for thing in side.shown
    )
    return f'<section data-side="{side.role}"><h3>{escape(side.title)}</h3>{blocks}</section>'


def _line(place: Line, text: str, matches: Sequence[Match]) -> str:
    here = [(number, match) for number, match in enumerate(matches, 1) if place in match.lines]
    tags = "".join(f'<i data-tag="{number}" data-kind="{match.kind}">{number}</i>' for number, match in here)
    links = " ".join(str(number) for number, _ in here)
    return (
        f'<div class="line" data-links="{links}"><span class="text">{text or " "}</span>'
        f'<span class="tags">{tags}</span></div>'
    )


_HERE = Path(__file__).parent
_component = component(
    "linked",
    html='<div class="linked"></div>',
    css=(_HERE / "linked.css").read_text(encoding="utf-8"),
    js=(_HERE / "linked.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)
