"""The picture of the optimizer lesson: what forgetting costs, rate by rate."""

import math
from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from stateui import show
from stateui.figures import framed
from stateui.theme import ROLES

NAMES = {"broken": "forgetful", "fixed": "threaded"}


def cost(rates: Sequence[float], steps: Mapping[str, Sequence[int | None]], limit: int) -> go.Figure:
    """Steps to a target against the learning rate; a run that never gets there lies on the line at the top.

    Args:
      rates: the rates tried.
      steps: for each role the steps needed at each rate, None for never.
      limit: how many steps a run has.
    """
    never = 2.5 * limit
    figure = go.Figure()
    for key, needed in steps.items():
        role = ROLES[key]
        figure.add_scatter(
            x=list(rates),
            y=[never if step is None else max(step, 1) for step in needed],
            name=NAMES[key],
            mode="lines+markers",
            line={"color": role.colour, "dash": role.dash, "width": 3},
            marker={"size": 9, "symbol": "x" if key == "broken" else "circle"},
            customdata=[_needed(step, limit) for step in needed],
            hovertemplate=f"{NAMES[key]}, rate %{{x}}: %{{customdata}}<extra></extra>",
        )
        figure.add_annotation(
            xref="paper",
            x=1,
            xanchor="left",
            y=_log10(needed[-1] or never),
            yshift=10 if key == "fixed" else -10,
            text=f"{role.mark} {NAMES[key]}",
            showarrow=False,
            font={"color": role.colour, "size": 14},
        )
    figure.add_hline(y=never, line={"dash": "dot", "width": 1})
    figure.add_annotation(
        xref="paper",
        x=0,
        y=_log10(never),
        text=f"not within {limit:,} steps",
        showarrow=False,
        yshift=-10,
        xanchor="left",
    )
    ticks = [10**power for power in range(5) if 10**power <= limit]
    figure.update_xaxes(
        title="learning rate (log scale)", type="log", tickvals=list(rates), ticktext=[show.number(r) for r in rates]
    )
    figure.update_yaxes(
        title="steps to the target", type="log", tickvals=ticks, ticktext=[f"{tick:,}" for tick in ticks]
    )
    return framed(figure)


def told(rates: Sequence[float], steps: Mapping[str, Sequence[int | None]], limit: int) -> str:
    """What the picture shows, in words."""
    return "Steps to the target by learning rate. " + "; ".join(
        f"{NAMES[key]}: "
        + ", ".join(f"{_needed(step, limit)} at {rate:g}" for rate, step in zip(rates, needed, strict=True))
        for key, needed in steps.items()
    )


def _needed(step: int | None, limit: int) -> str:
    return f"not within {limit:,} steps" if step is None else f"{step:,} steps"


def _log10(value: float) -> float:
    # annotations on a logarithmic axis are placed by the exponent
    return math.log10(max(value, 1))
