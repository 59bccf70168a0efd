"""What the player of the lesson on libraries shows: pure, data in, a `Show` out."""

from collections.abc import Mapping

from statecore.libraries.watching import Watched
from stateui.player.spec import Curves, Legend, Panel, Readout, Series, Show
from stateui.theme import ROLES


def libraries_show(watched: Mapping[str, Watched], titles: Mapping[str, str], start: int) -> Show:
    """Both trainings by hand under one cursor.

    Args:
      watched: the trainings by side, `broken` and `fixed`.
      titles: what each side is called.
      start: the step at which the player opens.
    """
    columns = {
        f"{name}_{key}": getattr(run, name)
        for key, run in watched.items()
        for name in ("loss", "test_loss", "accuracy", "running_mean", "batch_mean")
    }
    panels = tuple(_panel(key, titles[key]) for key in watched)
    return Show(steps=len(watched["fixed"].loss) - 1, step=start, columns=columns, panels=panels)


def _panel(key: str, title: str) -> Panel:
    view = Curves(
        says="the training loss and the test loss at every step.",
        series=(Series(f"loss_{key}", "plain", "dot", 3), Series(f"test_loss_{key}", key, ROLES[key].dash)),  # type: ignore[arg-type]
        ylabel="loss (log scale)",
        legend=(Legend("training loss", "dot", "plain"), Legend("test loss", ROLES[key].dash, key)),  # type: ignore[arg-type]
        log=True,
    )
    readouts = (
        Readout("step", "calls made"),
        Readout("loss", "training loss", f"loss_{key}"),
        Readout("test", "test loss", f"test_loss_{key}"),
        Readout("accuracy", "accuracy", f"accuracy_{key}"),
        Readout("running", "running mean", f"running_mean_{key}"),
        Readout("batch", "batch mean", f"batch_mean_{key}"),
    )
    return Panel(key, title, ROLES[key].mark, view, readouts)
