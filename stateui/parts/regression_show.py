"""What the regression's player shows of a training: pure, data in, a `Show` out."""

import numpy as np

from statecore import line
from statecore.line import Params
from statecore.regression.sides import Sides
from statecore.training import Training
from stateui import show
from stateui.player.spec import (
    Curves,
    Fit,
    Fork,
    Legend,
    Level,
    Line,
    Mark,
    Panel,
    Path2D,
    Readout,
    Series,
    Shared,
    Show,
    Walk,
)

DRAWN_POINTS = 1_000
"""Of more points than this, evenly spaced ones are drawn."""
GRID = 40
"""The loss surface is computed on GRID x GRID places."""

_BROKEN, _FIXED = Legend("broken", "dash", "broken"), Legend("fixed", "solid", "fixed")
_OTHERS = Legend("other branches", "dot", "other")


def regression_show(sides: Sides, truth: tuple[float, float], start: int, fork: Fork) -> Show:
    """Both sides of a training under one cursor, with all its branches.

    Args:
      sides: the training, and the jitted trainer beside it.
      truth: the weight and bias that the data were made with.
      start: the step at which the player opens.
      fork: the learning-rate control.
    """
    run = sides.training
    now = run.timeline.current
    others = [branch for branch in range(len(run.rates)) if branch != now]
    best = line.least_squares(run.data)
    around = _Surroundings.of(run, best)
    return Show(
        steps=run.steps,
        step=start,
        columns=_columns(sides) | {"grid": around.grid.ravel()},
        panels=(_broken(truth, best, sides.beside.left), _fixed(truth, best, now, others)),
        views=(
            Shared("Loss by step", _losses(now, others, around.floor)),
            Shared("Path on the loss surface", _path(now, others, best, around)),
        ),
        fork=fork,
    )


def _columns(sides: Sides) -> dict[str, np.ndarray]:
    run, baked = sides.training, sides.beside.baked
    stride = -(-run.data.x.shape[0] // DRAWN_POINTS)
    columns = {
        "x": np.asarray(run.data.x[::stride, 0]),
        "y": np.asarray(run.data.y[::stride, 0]),
        "hidden": sides.beside.losses,
        "baked_weight": np.array([baked.weight]),
        "baked_bias": np.array([baked.bias]),
    }
    for branch, history in enumerate(run.histories):
        weight, bias = (np.asarray(column) for column in history.states)
        columns |= {f"weight{branch}": weight, f"bias{branch}": bias, f"loss{branch}": history.loss}
    return columns


def _still(truth: tuple[float, float], best: Params) -> tuple[Line, Line]:
    return Line(*truth, "dot"), Line(float(best.weight), float(best.bias), "dashdot")


_STILL_LEGEND = (Legend("truth", "dot"), Legend("least squares", "dashdot"))


def _broken(truth: tuple[float, float], best: Params, left: Params) -> Panel:
    """The jitted trainer: the line that its program holds, and what it has `left` on self."""
    view = Fit(
        says="the points, and the line of the params that jit baked in.",
        x="x",
        y="y",
        lines=(Line("baked_weight", "baked_bias", "dash", "broken"),),
        still=_still(truth, best),
        legend=(Legend("baked in", "dash", "broken"), *_STILL_LEGEND),
    )
    readouts = (
        Readout("step", "calls made"),
        Readout("loss", "loss", "hidden"),
        Readout("weight", "weight", text=show.value(left.weight)),
        Readout("bias", "bias", text=show.value(left.bias)),
    )
    return Panel("broken", "jit, params hidden in self", "✗", view, readouts)


def _fixed(truth: tuple[float, float], best: Params, now: int, others: list[int]) -> Panel:
    view = Fit(
        says="the points, and the line learned so far.",
        x="x",
        y="y",
        lines=(
            *(Line(f"weight{branch}", f"bias{branch}", "dot", "other", 1.5) for branch in others),
            Line(f"weight{now}", f"bias{now}", "solid"),
        ),
        still=_still(truth, best),
        legend=(Legend("learned", "solid", "fixed"), *([_OTHERS] if others else []), *_STILL_LEGEND),
    )
    readouts = (
        Readout("step", "calls made"),
        Readout("loss", "loss", f"loss{now}"),
        Readout("weight", "weight", f"weight{now}"),
        Readout("bias", "bias", f"bias{now}"),
    )
    return Panel("fixed", "jit, params in, params out", "✓", view, readouts)


def _losses(now: int, others: list[int], floor: float) -> Curves:
    return Curves(
        says="the loss at every step, against the least-squares floor.",
        series=(
            *(Series(f"loss{branch}", "other", "dot", 2) for branch in others),
            Series("hidden", "broken", "dash"),
            Series(f"loss{now}", "fixed"),
        ),
        ylabel="loss (log scale)",
        levels=(Level(floor),),
        legend=(_BROKEN, _FIXED, *([_OTHERS] if others else []), Legend("least-squares floor", "dot")),
        log=True,
    )


class _Surroundings:
    """The loss around its minimum, wide enough to hold the start of the run."""

    def __init__(self, run: Training, best: Params, reach: float) -> None:
        self.xspan = (float(best.weight - reach), float(best.weight + reach))
        self.yspan = (float(best.bias - reach), float(best.bias + reach))
        self.grid = line.loss_on_grid(run.data, np.linspace(*self.xspan, GRID), np.linspace(*self.yspan, GRID))
        self.floor = line.smallest_loss(run.data)

    @classmethod
    def of(cls, run: Training, best: Params) -> "_Surroundings":
        first = run.histories[0][0]
        away = max(abs(float(first.weight - best.weight)), abs(float(first.bias - best.bias)), 0.5)
        return cls(run, best, 1.35 * away)

    @property
    def contours(self) -> tuple[float, ...]:
        rise = float(self.grid.max()) - self.floor
        return tuple(self.floor + rise * (k / 9) ** 2 for k in range(1, 9))


def _path(now: int, others: list[int], best: Params, around: _Surroundings) -> Path2D:
    return Path2D(
        says="the path of weight and bias over the loss, with its minimum at the plus sign.",
        grid="grid",
        xspan=around.xspan,
        yspan=around.yspan,
        contours=around.contours,
        walks=(
            *(Walk(f"weight{branch}", f"bias{branch}", "other", "dot", 2) for branch in others),
            Walk("baked_weight", "baked_bias", "broken"),
            Walk(f"weight{now}", f"bias{now}", "fixed"),
        ),
        xlabel="weight",
        ylabel="bias",
        marks=(Mark(float(best.weight), float(best.bias), "+"),),
        legend=(_BROKEN, _FIXED, *([_OTHERS] if others else [])),
    )
