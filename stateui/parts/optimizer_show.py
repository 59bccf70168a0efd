"""What the optimizer's player and its table of differences show: pure, data in, a `Show` or HTML out."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

import numpy as np

from statecore import line, optimizer
from statecore.history import History, columns
from statecore.line import Data, Params
from statecore.optimizer import State
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
    """Runs through the same rates on the same data: Adam without its memory, and the three that race."""

    data: Data
    forgetful: History[State]
    race: Mapping[str, History[State]]

    @property
    def threaded(self) -> History[State]:
        return self.race["Adam"]


def optimizer_show(runs: Runs, before: History[State] | None, start: int, fork: Fork) -> Show:
    """Forgetful beside threaded Adam, and the race, under one cursor.

    Args:
      before: the threaded run as it was before the last change of the rate, if any.
      start: the step at which the player opens.
      fork: the learning-rate control.
    """
    ground = _ground(runs.data)
    sent = {"grid": ground.grid.ravel()}
    for name, run in {"broken": runs.forgetful, **runs.race, **({"before": before} if before else {})}.items():
        weight, bias = (np.asarray(column) for column in run.states.params)
        sent |= {f"{name}_weight": weight, f"{name}_bias": bias, f"{name}_loss": run.loss}
    old = Walk("before_weight", "before_bias", "other", "dot", 2)
    panels = (
        _panel(
            "broken",
            "jit, Adam’s state made again at every step",
            "✗",
            ground,
            (_walk("broken", "broken", "dash"),),
            "broken",
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
    return Show(len(runs.forgetful) - 1, start, sent, panels, views, fork)


@dataclass(frozen=True)
class _Ground:
    """The loss around its minimum, wide enough to hold the start."""

    grid: np.ndarray
    xspan: tuple[float, float]
    yspan: tuple[float, float]
    best: Params
    floor: float

    def path(self, walks: tuple[Walk, ...], legend: tuple[Legend, ...]) -> Path2D:
        rise = float(self.grid.max()) - self.floor
        return Path2D(
            says="the path of weight and bias over the loss, with its minimum at the plus sign.",
            grid="grid",
            xspan=self.xspan,
            yspan=self.yspan,
            # closer together at the bottom, where the valley is
            contours=tuple(self.floor + rise * (k / 12) ** 3 for k in range(1, 12)),
            walks=walks,
            xlabel="weight",
            ylabel="bias",
            marks=(Mark(float(self.best.weight), float(self.best.bias), "+"),),
            legend=legend,
        )


def _ground(data: Data) -> _Ground:
    best = line.least_squares(data)
    away = 1.35 * max(abs(float(optimizer.START.weight - best.weight)), abs(float(optimizer.START.bias - best.bias)))
    xspan, yspan = ((float(middle) - away, float(middle) + away) for middle in best)
    grid = line.loss_on_grid(data, np.linspace(*xspan, GRID), np.linspace(*yspan, GRID))
    return _Ground(grid, xspan, yspan, best, line.smallest_loss(data))


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


# --- the table of differences ------------------------------------------------------------------------


def differences(mine: History[State], theirs: History[State]) -> str:
    """By-hand Adam beside optax: each leaf after the last step, and the largest difference of all steps."""
    pairs = zip(columns(mine.states).items(), columns(theirs.states).items(), strict=True)
    rows = [
        (_short(name), column, "" if its_name == name else _short(its_name), its_column)
        for (name, column), (its_name, its_column) in pairs
    ]
    cells = "".join(
        f"<tr><th scope='row'>{escape(name)}{f'<br>{escape(its_name)}' if its_name else ''}</th>"
        f"<td>{show.number(float(column[-1]))}<br>{show.number(float(its_column[-1]))}</td>"
        f"<td>{show.number(float(np.abs(column - its_column).max()))}</td></tr>"
        for name, column, its_name, its_column in rows
    )
    head = "<tr><th scope='col'>by hand<br>optax</th><td>at the end</td><td>largest difference</td></tr>"
    return f'<table class="state">{head}{cells}</table>'


def _short(path: str) -> str:
    return path.removeprefix(".opt_state").removeprefix(".")
