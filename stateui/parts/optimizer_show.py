"""What the optimizer's player and its tables show: pure, data in, a `Show` or HTML out."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

import numpy as np

from statecore import optimizer, regression
from statecore.optimizer import Row, Run, State
from statecore.regression import Data, Params
from stateui import show
from stateui.player.spec import (
    Curves,
    Dash,
    Fork,
    Legend,
    Level,
    Mark,
    Panel,
    Path2D,
    Readout,
    Series,
    Shared,
    Show,
    Walk,
)

GRID = 41
"""The loss surface is computed on GRID x GRID places."""
DASHES: Mapping[str, tuple[str, Dash]] = {
    "SGD": ("plain", "dot"),
    "momentum": ("sky", "dash"),
    "Adam": ("fixed", "solid"),
}
"""How each optimizer looks in the race: its role and its dash."""


@dataclass(frozen=True)
class Runs:
    """Runs through the same rates on the same data: Adam made anew at every step, and the three that race."""

    data: Data
    forgetful: Run
    race: Mapping[str, Run]

    @property
    def threaded(self) -> Run:
        return self.race["Adam"]


def optimizer_show(runs: Runs, before: Run | None, start: int, fork: Fork) -> Show:
    """Forgetful beside threaded Adam, and the race, under one cursor.

    Args:
      before: the threaded run as it was before the last change of the rate, if any.
      start: the step at which the player opens.
      fork: the learning-rate control.
    """
    ground = _ground(runs.data)
    columns = {"grid": ground.surface.loss.ravel()}
    for name, run in {"broken": runs.forgetful, **runs.race, **({"before": before} if before else {})}.items():
        columns |= {f"{name}_weight": run.weight, f"{name}_bias": run.bias, f"{name}_loss": run.loss}
    old = Walk("before_weight", "before_bias", "other", "dot", 2)
    panels = (
        _panel(
            "broken", "jit, Adam made anew at every step", "✗", ground, (_walk("broken", "broken", "dash"),), "broken"
        ),
        _panel(
            "fixed",
            "jit, Adam’s state handed on",
            "✓",
            ground,
            (*([old] if before else []), _walk("Adam", "fixed", "solid")),
            "Adam",
        ),
    )
    race = tuple(_walk(name, *DASHES[name]) for name in runs.race)
    views = (
        Shared("Loss by step", _losses(ground.floor, bool(before))),
        Shared(
            "The race, each with its state handed on",
            ground.path(race, tuple(Legend(name, dash, role) for name, (role, dash) in DASHES.items())),
        ),
    )
    return Show(len(runs.forgetful) - 1, start, columns, panels, views, fork)


@dataclass(frozen=True)
class _Ground:
    """The loss around its minimum, wide enough to hold the start."""

    surface: optimizer.Surface
    best: Params
    floor: float

    def path(self, walks: tuple[Walk, ...], legend: tuple[Legend, ...]) -> Path2D:
        rise = float(self.surface.loss.max()) - self.floor
        return Path2D(
            says="the path of weight and bias over the loss, with its minimum at the plus sign.",
            grid="grid",
            xspan=_ends(self.surface.weight),
            yspan=_ends(self.surface.bias),
            # closer together at the bottom, where the valley is
            contours=tuple(self.floor + rise * (k / 12) ** 3 for k in range(1, 12)),
            walks=walks,
            xlabel="weight",
            ylabel="bias",
            marks=(Mark(float(self.best.weight), float(self.best.bias), "+"),),
            legend=legend,
        )


def _ground(data: Data) -> _Ground:
    best = regression.least_squares(data)
    away = 1.35 * max(abs(float(optimizer.START.weight - best.weight)), abs(float(optimizer.START.bias - best.bias)))
    weight, bias = ((float(middle) - away, float(middle) + away) for middle in best)
    return _Ground(optimizer.surface(data, weight, bias, GRID), best, optimizer.smallest_loss(data))


def _ends(values: np.ndarray) -> tuple[float, float]:
    return float(values[0]), float(values[-1])


def _walk(name: str, role: str, dash: Dash) -> Walk:
    return Walk(f"{name}_weight", f"{name}_bias", role, dash)


def _panel(key: str, title: str, mark: str, ground: _Ground, walks: tuple[Walk, ...], name: str) -> Panel:
    legend = [Legend("forgetful", "dash", "broken") if key == "broken" else Legend("threaded", "solid", "fixed")]
    if len(walks) > 1:
        legend.append(Legend("before the rate was changed", "dot", "other"))
    values = (Readout(each, each, f"{name}_{each}") for each in ("loss", "weight", "bias"))
    return Panel(key, title, mark, ground.path(walks, tuple(legend)), (Readout("step", "steps made"), *values))


def _losses(floor: float, before: bool) -> Curves:
    return Curves(
        says="the loss at every step, against the least-squares floor.",
        series=(
            *([Series("before_loss", "other", "dot", 2)] if before else []),
            Series("broken_loss", "broken", "dash"),
            Series("Adam_loss", "fixed"),
        ),
        ylabel="loss (log scale)",
        levels=(Level(floor),),
        legend=(
            Legend("forgetful", "dash", "broken"),
            Legend("threaded", "solid", "fixed"),
            *([Legend("before", "dot", "other")] if before else []),
            Legend("least-squares floor", "dot"),
        ),
        log=True,
    )


# --- tables ------------------------------------------------------------------------------------------


def tree(state: State) -> str:
    """A state as a tree: each leaf with its value now and its type; a branch without leaves says so."""
    lines = ["<tr><th scope='row'>State</th><td></td><td></td></tr>"]
    parts = state._asdict()
    for name, part in parts.items():
        last = name == list(parts)[-1]
        rows = optimizer.describe(part)
        note = "" if rows else "nothing"
        lines.append(_line(("└─ " if last else "├─ ") + name, note, ""))
        lines += _branches(rows, "   " if last else "│  ")
    return f'<table class="state tree">{"".join(lines)}</table>'


def _branches(rows: tuple[Row, ...], indent: str) -> list[str]:
    """The lines below one branch; rows that share the first part of their path share a line."""
    grouped: dict[str, list[tuple[str, Row]]] = {}
    for row in rows:
        first = re.match(r"\.?\w+|\[[^]]*\]", row.path)
        assert first is not None
        grouped.setdefault(first[0], []).append((row.path[first.end() :], row))
    lines = []
    for number, (part, members) in enumerate(grouped.items(), start=1):
        last = number == len(grouped)
        label = indent + ("└─ " if last else "├─ ") + part.removeprefix(".")
        below = tuple(Row(rest, row.shape, row.dtype, row.value) for rest, row in members if rest)
        if below:
            lines += [_line(label, "", ""), *_branches(below, indent + ("   " if last else "│  "))]
        else:
            row = members[0][1]
            lines.append(_line(label, show.value(row.value), f"{row.dtype}[{','.join(map(str, row.shape))}]"))
    return lines


def _line(label: str, value: str, kind: str) -> str:
    head = f"<th scope='row' style='white-space: pre'>{escape(label)}</th>"
    return f"<tr>{head}<td>{escape(value)}</td><td>{escape(kind)}</td></tr>"


def differences(mine: Run, theirs: Run) -> str:
    """By-hand Adam beside optax: each leaf after the last step, and the largest difference of all steps."""
    rows = [("params.weight", mine.weight, "", theirs.weight), ("params.bias", mine.bias, "", theirs.bias)]
    rows += [
        (name.removeprefix("."), column, its_name, its_column)
        for (name, column), (its_name, its_column) in zip(mine.memory.items(), theirs.memory.items(), strict=True)
    ]
    cells = "".join(
        f"<tr><th scope='row'>{escape(name)}{f'<br>{escape(its_name)}' if its_name else ''}</th>"
        f"<td>{show.number(float(column[-1]))}<br>{show.number(float(its_column[-1]))}</td>"
        f"<td>{show.number(float(np.abs(column - its_column).max()))}</td></tr>"
        for name, column, its_name, its_column in rows
    )
    head = "<tr><th scope='col'>by hand<br>optax</th><td>at the end</td><td>largest difference</td></tr>"
    return f'<table class="state">{head}{cells}</table>'
