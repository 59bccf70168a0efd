"""What the player shows of many learners: pure, data in, a `Show` out."""

import numpy as np

from statecore import regression
from statecore.regression import Data
from statecore.transformations import Learners
from stateui.player.spec import Curves, Legend, Level, Mark, Panel, Path2D, Readout, Series, Show, Walk

GRID = 40
"""The loss surface is computed on GRID x GRID places."""


def learners_show(run: Learners, data: Data, start: int) -> Show:
    """All learners under one cursor: where they are on the loss surface, and their losses.

    The one that ends best is drawn last, in green; where all diverge, the slowest is.
    """
    best = run.best if np.isfinite(run.loss[:, -1]).any() else 0
    order = [i for i in range(len(run)) if i != best]
    least = regression.least_squares(data)
    away = max(abs(float(run.weight[0, 0] - least.weight)), abs(float(run.bias[0, 0] - least.bias)), 0.5)
    xspan, yspan = ((float(middle - 1.35 * away), float(middle + 1.35 * away)) for middle in least)
    grid = regression.loss_on_grid(data, np.linspace(*xspan, GRID), np.linspace(*yspan, GRID))
    floor = regression.loss_on_grid(data, np.array([least.weight]), np.array([least.bias])).item()
    rise = float(grid.max()) - floor
    legend = (Legend("ends best", "solid", "fixed"), Legend("the others", "dot", "other"))
    surface = Path2D(
        says="the paths of all learners over the loss, with its minimum at the plus sign.",
        grid="grid",
        xspan=xspan,
        yspan=yspan,
        contours=tuple(floor + rise * (k / 9) ** 2 for k in range(1, 9)),
        walks=(
            *(Walk(f"weight{i}", f"bias{i}", "other", "dot", 1) for i in order),
            Walk(f"weight{best}", f"bias{best}", "fixed"),
        ),
        xlabel="weight",
        ylabel="bias",
        marks=(Mark(float(least.weight), float(least.bias), "+"),),
        legend=legend,
    )
    losses = Curves(
        says="the loss of every learner by step.",
        series=(*(Series(f"loss{i}", "other", "dot", 1) for i in order), Series(f"loss{best}", "fixed")),
        ylabel="loss (log scale)",
        levels=(Level(floor),),
        legend=(*legend, Legend("least-squares floor", "dot")),
        log=True,
    )
    return Show(
        steps=run.loss.shape[1] - 1,
        step=start,
        columns=_columns(run) | {"grid": grid.ravel()},
        panels=(
            Panel(
                "fixed",
                f"{len(run)} learners, one vmap",
                "✓",
                surface,
                (
                    Readout("step", "steps taken"),
                    Readout("weight", "weight of the best", f"weight{best}"),
                    Readout("bias", "bias of the best", f"bias{best}"),
                ),
            ),
            Panel(
                "all",
                "Loss by step",
                "",
                losses,
                (
                    Readout("loss", "loss of the best", f"loss{best}"),
                    Readout("slowest", "of the lowest rate", "loss0"),
                    Readout("fastest", "of the highest", f"loss{len(run) - 1}"),
                ),
            ),
        ),
    )


def _columns(run: Learners) -> dict[str, np.ndarray]:
    columns: dict[str, np.ndarray] = {}
    for i in range(len(run)):
        columns |= {f"weight{i}": run.weight[i], f"bias{i}": run.bias[i], f"loss{i}": run.loss[i]}
    return columns
