"""The pictures of the randomness lesson: the key tree, and pairs of draws as points."""

import numpy as np
import plotly.graph_objects as go

from statecore.randomness.keys import Key
from statecore.randomness.keytree import KeyTree
from stateui.figures import framed
from stateui.theme import ROLES

SIGNS = {
    "again": ("x", "✗", "used again", ROLES["broken"].colour),
    "split": ("square", "■", "split", ROLES["cursor"].colour),
    "folded": ("diamond", "◆", "folded", "#CC79A7"),
    "drawn": ("circle", "●", "drawn from once", ROLES["fixed"].colour),
    "idle": ("circle-open", "○", "not used", ROLES["plain"].colour),
}
"""What became of a key: its marker, the same sign as text, its name, its colour."""


def key_tree(tree: KeyTree) -> go.Figure:
    """The keys of one call: the first on top, each below the key it was made from."""
    across = _across(tree.keys)
    again = {key.index: sum(len(each.used_by) for each in same) for same in tree.reused for key in same}
    figure = go.Figure()
    edges = [(key.parent, key.index) for key in tree.keys if key.parent is not None]
    figure.add_scatter(
        x=[at for parent, child in edges for at in (across[parent], across[child], None)],
        y=[at for parent, child in edges for at in (tree.keys[parent].depth, tree.keys[child].depth, None)],
        mode="lines",
        line={"color": "#9AA3AD", "width": 1.5},
        hoverinfo="skip",
    )
    for kind, (symbol, _, name, colour) in SIGNS.items():
        keys = [key for key in tree.keys if became(key, again) == kind]
        figure.add_scatter(
            x=[across[key.index] for key in keys],
            y=[key.depth for key in keys],
            name=name,
            mode="markers+text" if kind == "again" else "markers",
            marker={"symbol": symbol, "size": 13, "color": colour, "line": {"width": 2, "color": colour}},
            text=[f"used {again.get(key.index, 0)}×" for key in keys] if len(keys) <= 2 else None,
            textposition="bottom center",
            textfont={"size": 14, "color": colour},
            customdata=[
                [" ".join(map(str, key.data)), key.made_by, ", ".join(key.used_by) or "nothing"] for key in keys
            ],
            hovertemplate="key %{customdata[0]}<br>made by %{customdata[1]}<br>used by %{customdata[2]}<extra></extra>",
        )
    figure.update_xaxes(visible=False, range=[-0.75, max(across) + 0.75])
    depth = max(tree.depth, 1)
    figure.update_yaxes(title="splits and folds from the first", range=[depth + 0.6, -0.6], dtick=1 if depth < 9 else 2)
    return framed(figure)


def became(key: Key, again: dict[int, int]) -> str:
    """What became of a key, as a name of `SIGNS`."""
    if key.index in again:
        return "again"
    if "split" in key.used_by:
        return "split"
    if key.consumed:
        return "drawn"
    return "folded" if key.children else "idle"


def cloud(x: np.ndarray, y: np.ndarray, role: str, xlabel: str, ylabel: str) -> go.Figure:
    """Pairs of draws as points."""
    figure = go.Figure()
    figure.add_scattergl(
        x=x,
        y=y,
        mode="markers",
        marker={
            "symbol": "x" if role == "broken" else "circle",
            "size": 5,
            "color": ROLES[role].colour,
            "opacity": 0.7,
        },
        hovertemplate="%{x:.3f}, %{y:.3f}<extra></extra>",
    )
    figure.update_xaxes(title=xlabel, zeroline=False)
    figure.update_yaxes(title=ylabel, zeroline=False)
    return framed(figure).update_layout(margin={"r": 16})


def _across(keys: tuple[Key, ...]) -> list[float]:
    """Where each key stands: the last of a line side by side, the others above the middle of their own."""
    places = [0.0] * len(keys)
    free = 0
    for key in sorted(keys, key=_line_of(keys)):
        if not key.children:
            places[key.index] = free
            free += 1
    for key in reversed(keys):  # a key comes after the one it was made from
        if key.children:
            places[key.index] = sum(places[child] for child in key.children) / len(key.children)
    return places


def _line_of(keys: tuple[Key, ...]):
    """The way from a first key to this one, so that sorting by it keeps families together."""

    def line(key: Key) -> list[int]:
        way = [key.index]
        while (parent := keys[way[0]].parent) is not None:
            way.insert(0, parent)
        return way

    return line
