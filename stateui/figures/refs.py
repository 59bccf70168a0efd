"""The pictures of the lesson on Refs."""

from collections.abc import Mapping

import plotly.graph_objects as go

from stateui import show
from stateui.figures import framed, name_rows
from stateui.theme import ROLES


def costs(roles: Mapping[str, str], microseconds: Mapping[str, float]) -> go.Figure:
    """Microseconds of one count in each way, on a log scale; ways that were not measured keep their place.

    Args:
      roles: the role of each way, by its name, from top to bottom.
      microseconds: what was measured, by name.
    """
    figure = go.Figure()
    names = list(roles)
    figure.add_scatter(
        x=[microseconds.get(name) for name in names],
        y=names,
        mode="markers+text",
        text=[f"\u2002{show.number(microseconds[name])} µs" if name in microseconds else "" for name in names],
        textposition="middle right",
        cliponaxis=False,
        marker={
            "color": [ROLES[role].colour for role in roles.values()],
            "symbol": ["diamond" if role == "ref" else "circle" for role in roles.values()],
            "size": 15,
        },
        hovertemplate="%{y}: %{text}<extra></extra>",
    )
    name_rows(figure, roles, above=20)
    figure.update_xaxes(title="microseconds for one count (log scale)", type="log", range=[-3, 3.5], dtick=1)
    figure.update_yaxes(
        autorange="reversed",
        showticklabels=False,
        showgrid=False,
        categoryorder="array",
        categoryarray=names,
        type="category",
    )
    framed(figure)
    return figure.update_layout(margin={"l": 12, "r": 24, "t": 28, "b": 48})
