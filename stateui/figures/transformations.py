"""The pictures of the transformations lesson."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from statecore.transformations import RateCurve, Timing
from stateui import show
from stateui.figures import framed, name_rows
from stateui.theme import ROLES

PATTERNS = {"plain": ".", "broken": "/", "fixed": ""}


def speeds(roles: Mapping[str, str], timings: Mapping[str, Timing]) -> go.Figure:
    """Steps per second of each way on a log scale; ways that were not measured keep their place.

    Args:
      roles: the role of each way, by its name, from top to bottom.
      timings: what was measured, by name.
    """
    found = {name: timings[name].steps_per_second for name in timings}
    texts = {name: compact(speed) for name, speed in found.items() if speed}
    figure = _bars(roles, found, texts)
    measured = [speed for speed in found.values() if speed]
    low, high = (np.log10(end) for end in (min([10, *measured]), max(measured, default=1e6)))
    figure.update_xaxes(title="steps per second (log scale)", type="log", range=[np.floor(low), high + 0.8], dtick=1)
    return figure


def first_calls(roles: Mapping[str, str], timings: Mapping[str, Timing]) -> go.Figure:
    """Milliseconds of each way's first call, with the compilation in it."""
    found = {name: (timing.first_call or 0) * 1e3 for name, timing in timings.items()}
    figure = _bars(roles, found, {name: f"{show.number(ms)} ms" for name, ms in found.items()})
    figure.update_xaxes(title="first call, in milliseconds", range=[0, max([100, *found.values()]) * 1.35])
    return figure


def _bars(roles: Mapping[str, str], values: Mapping[str, float | None], texts: Mapping[str, str]) -> go.Figure:
    figure = go.Figure()
    names = list(roles)
    figure.add_bar(
        y=names,
        x=[values.get(name) for name in names],
        orientation="h",
        width=0.42,
        text=[texts.get(name, "") for name in names],
        textposition="outside",
        cliponaxis=False,
        marker={
            "color": [ROLES[role].colour for role in roles.values()],
            "pattern": {"shape": [PATTERNS[role] for role in roles.values()]},
        },
        hovertemplate="%{y}: %{text}<extra></extra>",
    )
    name_rows(figure, roles, above=18)
    figure.update_yaxes(autorange="reversed", showticklabels=False)
    framed(figure)
    return figure.update_layout(height=380, margin={"l": 12, "r": 12, "t": 20, "b": 48})


def loss_by_rate(curve: RateCurve, rate: float, loss: float, slope: float, learned: RateCurve | None) -> go.Figure:
    """The loss after a run against its learning rate, the tangent at one rate, and the rates learned from there."""
    figure = go.Figure()
    figure.add_scatter(
        x=curve.rate,
        y=curve.loss,
        mode="lines",
        line={"color": ROLES["plain"].colour, "width": 3},
        name="loss",
        hovertemplate="rate %{x:.4g}: loss %{y:.4g}<extra></extra>",
    )
    near = np.geomspace(rate / 1.5, rate * 1.5, 41)
    tangent = loss + slope * (near - rate)
    inside = tangent > 0
    figure.add_scatter(
        x=near[inside],
        y=tangent[inside],
        mode="lines",
        line={"color": ROLES["cursor"].colour, "width": 4, "dash": "dash"},
        name="slope",
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=[rate],
        y=[loss],
        mode="markers",
        marker={"color": ROLES["cursor"].colour, "size": 12, "symbol": "diamond"},
        name="this rate",
        hovertemplate="rate %{x:.4g}: loss %{y:.4g}<extra></extra>",
    )
    _named(figure, rate, loss, "◆ slope by grad", 22)
    if learned is not None:
        _path(figure, learned)
    figure.update_xaxes(title="learning rate (log scale)", type="log", tickvals=_decades(curve.rate))
    low, high = np.nanmin(curve.loss), np.nanmax(curve.loss[: len(curve.loss) * 9 // 10])
    figure.update_yaxes(
        title="loss after the run (log scale)", type="log", range=[np.log10(low) - 0.2, np.log10(high) + 0.4], dtick=1
    )
    framed(figure)
    return figure.update_layout(height=360, margin={"l": 64, "r": 24, "t": 16, "b": 48})


def _path(figure: go.Figure, learned: RateCurve) -> None:
    colour = ROLES["fixed"].colour
    figure.add_scatter(
        x=learned.rate,
        y=learned.loss,
        mode="lines+markers",
        line={"color": colour, "width": 2},
        marker={"color": colour, "size": 7},
        name="learned",
        hovertemplate="rate %{x:.4g}: loss %{y:.4g}<extra></extra>",
    )
    _named(figure, float(learned.rate[-1]), float(learned.loss[-1]), "✓ learned", -20)


def _named(figure: go.Figure, x: float, y: float, text: str, shift: int) -> None:
    figure.add_annotation(
        x=np.log10(x), y=np.log10(y), text=text, showarrow=False, xanchor="left", xshift=8, yshift=shift,
        font={"size": 14},
    )  # fmt: skip


def _decades(rates: np.ndarray) -> list[float]:
    ticks = [digit * 10.0**power for power in range(-5, 2) for digit in (1, 2, 5)]
    return [tick for tick in ticks if rates[0] <= tick <= rates[-1]]


def compact(speed: float) -> str:
    """A speed in few characters: 3.7 M, 42 k, 160."""
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if speed >= size:
            return f"{speed / size:.3g} {unit}"
    return f"{speed:.3g}"


def told(timings: Sequence[Timing]) -> str:
    """The chart of speeds in words."""
    parts = [f"{each.name}: {compact(each.steps_per_second)}" for each in timings if each.steps_per_second]
    return "Steps per second. " + ("; ".join(parts) or "Nothing measured yet.")
