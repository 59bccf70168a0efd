"""The picture of the batch normalisation lesson: what each call put out."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from stateui import show
from stateui.figures import framed
from stateui.theme import ROLES

SHIFT = {"plain": -0.2, "broken": 0.0, "fixed": 0.2}
"""The three stand side by side at each call."""


def outputs_by_call(tapes: Mapping[str, Sequence[Any]], train_first: bool) -> go.Figure:
    """Mean and standard deviation of each call's output, as a mark with a bar; a call that raised has a word.

    Args:
      tapes: for each role the outputs of calls 1, 2, ..., arrays or exceptions.
      train_first: whether call 1 trains; training and evaluation take turns.
    """
    figure = go.Figure()
    calls = max(5, *(len(tape) for tape in tapes.values()))
    for key, tape in tapes.items():
        role = ROLES[key]
        given = [(k, np.asarray(y)) for k, y in enumerate(tape, start=1) if not isinstance(y, Exception)]
        figure.add_scatter(
            x=[k + SHIFT[key] for k, _ in given],
            y=[float(y.mean()) for _, y in given],
            error_y={"type": "data", "array": [float(y.std()) for _, y in given], "color": role.colour, "thickness": 2},
            name=key,
            mode="markers",
            marker={"size": 11, "color": role.colour, "symbol": "x" if key == "broken" else "circle"},
            hovertemplate=f"{key}, call %{{customdata}}: mean %{{y:.3f}} ± %{{error_y.array:.3f}}<extra></extra>",
            customdata=[k for k, _ in given],
        )
        for k in (k for k, y in enumerate(tape, start=1) if isinstance(y, Exception)):
            figure.add_annotation(
                x=k + SHIFT[key],
                y=0,
                text=f"{role.mark} error",
                textangle=-90,
                showarrow=False,
                font={"color": role.colour, "size": 14},
            )
    for number, (key, role) in enumerate((key, ROLES[key]) for key in tapes):
        figure.add_annotation(
            xref="paper",
            yref="paper",
            x=1.01,
            y=1 - number * 0.12,
            xanchor="left",
            text=f"{role.mark} {key}",
            showarrow=False,
            font={"color": role.colour, "size": 14},
        )
    figure.update_xaxes(
        range=[0.5, calls + 0.5],
        tickvals=list(range(1, calls + 1)),
        ticktext=[f"{k}<br>{mode(k, train_first)}" for k in range(1, calls + 1)] if calls <= 20 else None,
        title="call" if calls > 20 else None,
    )
    figure.update_yaxes(title="output, mean ± std")
    return framed(figure)


def told(tapes: Mapping[str, Sequence[Any]], train_first: bool) -> str:
    """What the picture shows, in words."""
    return "Mean and standard deviation of the output by call. " + "; ".join(
        f"{key}: "
        + (", ".join(f"{mode(k, train_first)} {spread(y)}" for k, y in enumerate(tape, start=1)) or "no call yet")
        for key, tape in tapes.items()
    )


def mode(call: int, train_first: bool) -> str:
    """What that call does: `train` or `evaluate`."""
    return "train" if (call % 2 == 1) == train_first else "evaluate"


def spread(y: Any) -> str:
    """An output as the tape has it: mean ± standard deviation, or the error's name."""
    if isinstance(y, Exception):
        return show.value(y)
    mean, std = (round(float(value), 3) + 0.0 for value in (np.mean(y), np.std(y)))
    return f"{mean:.3f} ± {std:.3f}".replace("-", "−")
