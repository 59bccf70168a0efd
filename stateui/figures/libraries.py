"""The pictures of the lesson on libraries."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from statecore.libraries.network import Leaf
from stateui.figures import framed
from stateui.theme import ROLES


@dataclass(frozen=True)
class Look:
    """How one library is drawn: the widest lies at the bottom, so that equal curves are all seen."""

    colour: str
    dash: str
    width: float
    symbol: str
    sign: str


LOOKS = {
    "by_hand": Look(ROLES["fixed"].colour, "solid", 11, "circle", "●"),
    "flax": Look(ROLES["cursor"].colour, "solid", 6.5, "square", "■"),
    "equinox": Look("#E69F00", "solid", 3, "diamond", "◆"),
    "haiku": Look("#CC79A7", "dot", 2, "triangle-up", "▲"),
}
KINDS = {"parameter": "#0072B2", "statistic": "#E69F00", "counter": "#CC79A7", "optimizer": "#7A7A7A"}
"""The colour of each kind of state; its name is written on it."""


def losses(runs: Mapping[str, tuple[str, np.ndarray]], steps: int) -> go.Figure:
    """The training loss by step, one line for each library, named at the right.

    Args:
      runs: for each library its title and its losses at steps 1, 2, ...
      steps: how long a run is.
    """
    figure = go.Figure()
    for order, (name, (title, loss)) in enumerate(runs.items()):
        look = LOOKS[name]
        x = np.arange(1, len(loss) + 1)
        figure.add_scatter(
            x=x, y=loss, mode="lines", line={"color": look.colour, "dash": look.dash, "width": look.width},
            hovertemplate=f"{title}, step %{{x}}: %{{y:.4g}}<extra></extra>",
        )  # fmt: skip
        # each has its signs at steps of its own
        at = slice(steps // 20 + order * steps // 40, None, max(steps // 10, 1))
        figure.add_scatter(
            x=x[at], y=loss[at], mode="markers", hoverinfo="skip",
            marker={"color": look.colour, "symbol": look.symbol, "size": 12, "line": {"color": "white", "width": 1.5}},
        )  # fmt: skip
        figure.add_annotation(
            x=1.01, y=1 - 0.13 * order, xref="paper", yref="paper", xanchor="left", yanchor="top", showarrow=False,
            text=f'<span style="color:{look.colour}">{look.sign}</span> {title}', font={"size": 14},
        )  # fmt: skip
    if not runs:
        figure.add_annotation(x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False, text="Nothing trained yet")
    figure.update_xaxes(title="step", range=[0, steps])
    figure.update_yaxes(title="training loss (log scale)", type="log", range=None if runs else [-2, 0])
    ticks = [k * 10.0**power for power in range(-6, 2) for k in (1, 2, 5)]
    figure.update_yaxes(tickvals=ticks, ticktext=[f"{tick:g}" for tick in ticks])
    return framed(figure).update_layout(margin_r=110)


def losses_told(runs: Mapping[str, tuple[str, np.ndarray]]) -> str:
    """What that chart shows, in words."""
    ends = [f"{title} from {loss[0]:.4g} to {loss[-1]:.4g}" for title, loss in runs.values() if len(loss)]
    return "Training loss by step. " + ("; ".join(ends) or "Nothing trained yet")


def kept(leaves: Sequence[Leaf]) -> go.Figure:
    """Every array that a run keeps, by kind; the area is how many numbers it holds."""
    sizes = [int(np.prod(leaf.shape)) for leaf in leaves]
    totals: Counter[str] = Counter()
    for leaf, size in zip(leaves, sizes, strict=True):
        totals[leaf.kind] += size
    kinds = list(totals)
    figure = go.Figure(
        go.Treemap(
            ids=[*kinds, *(leaf.path for leaf in leaves)],
            labels=[*(f"{kind}: {totals[kind]:,} numbers" for kind in kinds), *(leaf.path for leaf in leaves)],
            parents=[*("" for _ in kinds), *(leaf.kind for leaf in leaves)],
            values=[*totals.values(), *sizes],
            branchvalues="total",
            marker={"colors": [*(KINDS[kind] for kind in kinds), *(KINDS[leaf.kind] for leaf in leaves)]},
            customdata=[*("" for _ in kinds), *(f"{leaf.dtype}{list(leaf.shape)}" for leaf in leaves)],
            hovertemplate="%{label}<br>%{customdata}<extra></extra>",
            pathbar={"visible": False},
            # kinds are bands, so that each has room for its name
            tiling={"pad": 1, "packing": "dice-slice"},
            text=[*(f"{kind}: {totals[kind]:,} numbers" for kind in kinds), *("" for _ in leaves)],
            textinfo="text",
        )
    )
    return framed(figure).update_layout(margin={"l": 0, "r": 0, "t": 0, "b": 0}, height=360)


def kept_told(leaves: Sequence[Leaf]) -> str:
    """What that picture shows, in words."""
    arrays = Counter(leaf.kind for leaf in leaves)
    return "Arrays by kind: " + ", ".join(f"{count} {kind}" for kind, count in arrays.items())
