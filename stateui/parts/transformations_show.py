"""What the player shows of many learners: pure, data in, a `Show` out."""

import numpy as np

from statecore import line
from statecore.line import Data
from statecore.transformations import Learners
from stateui.player.spec import Curves, Legend, Level, Mark, Panel, Path2D, Readout, Series, Show, Walk

GRID = 40
"""The loss surface is computed on GRID x GRID places."""
_LEGEND = (Legend("ends best", "solid", "fixed"), Legend("the others", "dot", "other"))


def learners_show(run: Learners, data: Data, start: int) -> Show:
    """All learners under one cursor: where they are on the loss surface, and their losses.

    The one that ends best is drawn last, in green; where all diverge, the slowest is.
    """
    best = run.best if np.isfinite(run.loss[:, -1]).any() else 0
    others = [i for i in range(len(run)) if i != best]
    least = line.least_squares(data)
    away = max(abs(float(run.weight[0, 0] - least.weight)), abs(float(run.bias[0, 0] - least.bias)), 0.5)
    xspan, yspan = ((float(middle - 1.35 * away), float(middle + 1.35 * away)) for middle in least)
    grid = line.loss_on_grid(data, np.linspace(*xspan, GRID), np.linspace(*yspan, GRID))
    floor = line.loss_on_grid(data, np.array([least.weight]), np.array([least.bias])).item()
    rise = float(grid.max()) - floor
    surface = Path2D(
        says="the paths of all learners over the loss, with its minimum at the plus sign.",
        grid="grid",
        xspan=xspan,
        yspan=yspan,
        contours=tuple(floor + rise * (k / 9) ** 2 for k in range(1, 9)),
        walks=(
            *(Walk(f"weight{i}", f"bias{i}", "other", "dot", 1) for i in others),
            Walk(f"weight{best}", f"bias{best}", "fixed"),
        ),
        xlabel="weight",
        ylabel="bias",
        marks=(Mark(float(least.weight), float(least.bias), "+"),),
        legend=_LEGEND,
    )
    panels = (
        Panel("fixed", f"{len(run)} learners, one vmap", "✓", surface, _where(best)),
        Panel("all", "Loss by step", "", _losses(best, others, floor), _how_well(best, len(run) - 1)),
    )
    return Show(run.loss.shape[1] - 1, start, _columns(run) | {"grid": grid.ravel()}, panels)


def _losses(best: int, others: list[int], floor: float) -> Curves:
    return Curves(
        says="the loss of every learner by step.",
        series=(*(Series(f"loss{i}", "other", "dot", 1) for i in others), Series(f"loss{best}", "fixed")),
        ylabel="loss (log scale)",
        levels=(Level(floor),),
        legend=(*_LEGEND, Legend("least-squares floor", "dot")),
        log=True,
    )


def _where(best: int) -> tuple[Readout, ...]:
    return (
        Readout("step", "steps taken"),
        Readout("weight", "weight of the best", f"weight{best}"),
        Readout("bias", "bias of the best", f"bias{best}"),
    )


def _how_well(best: int, last: int) -> tuple[Readout, ...]:
    return (
        Readout("loss", "loss of the best", f"loss{best}"),
        Readout("slowest", "of the lowest rate", "loss0"),
        Readout("fastest", "of the highest", f"loss{last}"),
    )


def _columns(run: Learners) -> dict[str, np.ndarray]:
    columns: dict[str, np.ndarray] = {}
    for i in range(len(run)):
        columns |= {f"weight{i}": run.weight[i], f"bias{i}": run.bias[i], f"loss{i}": run.loss[i]}
    return columns
