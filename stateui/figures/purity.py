"""The picture of the catalogue: the same calls as Python makes them and as JAX does."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from stateui.figures import framed
from stateui.theme import ROLES

REACH = 0.24
"""How far the rows of a batch are spread around their call."""


def span(*outcomes: Sequence[Any]) -> tuple[float, float] | None:
    """The least and the greatest number among the outcomes, or None when there is none."""
    numbers = np.concatenate([_flat(each) for line in outcomes for each in line] or [np.empty(0)])
    return (float(numbers.min()), float(numbers.max())) if numbers.size else None


def both_ways(
    plain: Sequence[Any],
    transformed: Sequence[Any],
    role: str,
    names: tuple[str, str],
    calls: int,
    over: tuple[float, float] | None,
) -> go.Figure:
    """The outcomes of one side, plain and transformed, call by call.

    Args:
      plain, transformed: the outcomes so far: numbers, arrays (one mark for each
        row of a batch), or exceptions, which are named where they were raised.
      role: `broken` or `fixed`.
      names: what the two ways to call are named at the end of their lines.
      calls: how many calls there will be.
      over: the least and greatest value to leave room for.
    """
    figure = go.Figure()
    low, high = over or (0.0, 1.0)
    room = 0.16 * (high - low) or max(abs(high), 1.0) * 0.5
    _add(figure, plain, "plain", names[0], 15, "circle-open")
    _add(figure, transformed, role, names[1], 9, "x" if role == "broken" else "circle")
    raised = any(isinstance(outcome, Exception) for outcome in transformed)
    for k, outcome in enumerate(transformed, 1):
        if isinstance(outcome, Exception):
            figure.add_annotation(
                x=k,
                y=0.02,
                yref="paper",
                yanchor="bottom",
                text=f"{ROLES[role].mark} raised",
                showarrow=False,
                font={"color": ROLES[role].colour, "size": 13},
            )
    figure.update_xaxes(title="call", range=[0.5, calls + 0.5], dtick=1)
    figure.update_yaxes(title="value returned", range=[low - (2.5 if raised else 1) * room, high + room])
    return framed(figure)


def _add(figure: go.Figure, outcomes: Sequence[Any], key: str, name: str, size: int, symbol: str) -> None:
    role = ROLES[key]
    rows = [_flat(outcome) for outcome in outcomes]
    scalar = all(row.size <= 1 for row in rows)
    x = [k + place for k, row in enumerate(rows, 1) for place in _places(row.size)]
    y = [float(number) for row in rows for number in row]
    figure.add_scatter(
        x=x,
        y=y,
        name=name,
        mode="lines+markers" if scalar else "markers",
        line={"color": role.colour, "dash": role.dash, "width": 2 if key == "plain" else 3},
        marker={"size": size, "symbol": symbol, "color": role.colour, "line": {"width": 3, "color": role.colour}},
        hovertemplate=f"{name}, call %{{x:.0f}}: %{{y:.4g}}<extra></extra>",
    )
    if y:
        figure.add_annotation(
            x=x[-1],
            y=y[-1],
            text=f"{role.mark} {name}",
            showarrow=False,
            xanchor="left",
            xshift=14,
            yshift=9 if key == "plain" else -9,
            font={"color": role.colour, "size": 13},
        )


def _flat(outcome: Any) -> np.ndarray:
    return np.empty(0) if isinstance(outcome, Exception) else np.asarray(outcome, float).ravel()


def _places(size: int) -> np.ndarray:
    return np.linspace(-REACH, REACH, size) if size > 1 else np.zeros(size)
