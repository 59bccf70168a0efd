"""The pictures that change at rest: data in, a Plotly figure out. Nothing here knows Streamlit."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas  # noqa: F401  # Plotly uses it as soon as another thread begins to import it: wait until it is whole
import plotly.graph_objects as go

from stateui import show
from stateui.theme import ROLES

HEIGHT = 300
MARGIN = {"l": 56, "r": 88, "t": 16, "b": 48}


UNDER = ("plain", "ref")
"""Roles whose line is wide, because the fixed one lies on it."""
SYMBOLS = {"broken": "x", "ref": "diamond"}


def numbers(outcomes: Sequence[Any]) -> list[float | None]:
    """The outcomes of calls as numbers; None where a call raised or gave something else."""
    return [None if isinstance(each, Exception) or np.ndim(each) else float(each) for each in outcomes]


def told(tapes: Mapping[str, Sequence[Any]]) -> str:
    """What the chart of value by call shows, in words."""
    return "Value by call. " + "; ".join(
        f"{title}: {', '.join(show.value(each) for each in tape) or 'no call yet'}" for title, tape in tapes.items()
    )


def value_by_call(values: Mapping[str, Sequence[float | None]]) -> go.Figure:
    """The value that each call returned, one line for each role, named at its end.

    Args:
      values: for each role (`plain`, `broken`, `fixed`) the values of calls 1, 2, ...;
        None where a call gave no number.
    """
    longest = max((len(line) for line in values.values()), default=0)
    numbers = [value for line in values.values() for value in line if value is not None]
    figure = go.Figure(
        [_line(key, line) for key, line in values.items()],
        {
            "annotations": [_name(key, line) for key, line in values.items() if line and line[-1] is not None],
            "xaxis": {
                "title": {"text": "call"},
                "range": [0.5, max(longest, 5) + 0.5],
                "dtick": 1 if longest <= 20 else None,
            },
            "yaxis": {"title": {"text": "value returned"}, "range": [0, max([5, *numbers]) * 1.12]},
        },
    )
    return framed(figure)


def _line(key: str, line: Sequence[float | None]) -> dict[str, Any]:
    role = ROLES[key]
    return {
        "type": "scatter",
        "x": list(range(1, len(line) + 1)),
        "y": list(line),
        "name": key,
        "mode": "lines+markers",
        # plain, ref and fixed lie on each other: the wide line stays visible under the green one
        "line": {"color": role.colour, "dash": role.dash, "width": 8 if key in UNDER else 3},
        "marker": {"size": 13 if key in UNDER else 8, "symbol": SYMBOLS.get(key, "circle")},
        "hovertemplate": f"{key}, call %{{x}}: %{{y}}<extra></extra>",
    }


def _name(key: str, line: Sequence[float | None]) -> dict[str, Any]:
    """The role's name at the end of its line, plain above the point that it shares with fixed."""
    role = ROLES[key]
    return {
        "x": len(line), "y": line[-1], "text": f"{role.mark} {key}", "showarrow": False, "xanchor": "left",
        "xshift": 12, "yshift": {"plain": 14, "ref": 14, "fixed": -14}.get(key, 0),
        "font": {"color": role.colour, "size": 14},
    }  # fmt: skip


def name_rows(figure: go.Figure, roles: Mapping[str, str], above: int) -> None:
    """Name each row of a chart at its left, `above` pixels over it, with the mark of its role.

    Args:
      roles: the rows by name, each with its role.
    """
    for name, role in roles.items():
        text = f"{ROLES[role].mark} {name}"
        figure.add_annotation(x=0, xref="paper", y=name, text=text, showarrow=False, xanchor="left", yshift=above)


def framed(figure: go.Figure) -> go.Figure:
    """The same size, margins and manners for every picture."""
    return figure.update_layout(height=HEIGHT, margin=MARGIN, showlegend=False, hovermode="closest")
