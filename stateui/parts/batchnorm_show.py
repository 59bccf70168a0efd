"""What the batch normalisation's player shows: pure, data in, a `Show` out."""

from dataclasses import dataclass

from statecore.batchnorm import Frozen, History
from stateui.player.spec import Curves, Dash, Legend, Level, Panel, Readout, Series, Shared, Show


@dataclass(frozen=True)
class Stream:
    """One stream of batches, of the mean and variance given, and what both layers made of it."""

    mean: float
    var: float
    frozen: Frozen
    threaded: History


def batchnorm_show(stream: Stream, start: int) -> Show:
    """The jitted impure layer beside the one whose statistics are passed on.

    Args:
      stream: what happened.
      start: the step at which the player opens.
    """
    columns = {f"broken_{name}": column for name, column in vars(stream.frozen).items()}
    columns |= {f"fixed_{name}": column for name, column in vars(stream.threaded).items()}
    panels = (
        _panel("broken", "jit, statistics on self", "✗", stream),
        _panel("fixed", "jit, statistics in, statistics out", "✓", stream),
    )
    views = (
        Shared("Evaluation output: mean", _output("eval_mean", 0.0, "mean of the output")),
        Shared("Evaluation output: standard deviation", _output("eval_std", 1.0, "std of the output")),
    )
    return Show(len(stream.threaded) - 1, start, columns, panels, views)


def _panel(key: str, title: str, mark: str, stream: Stream) -> Panel:
    batches = [Series("fixed_batch_mean", "plain", "dot", 1)] if key == "fixed" else []
    seen = [Legend("mean of each batch", "dot", "plain")] if key == "fixed" else []
    solid: Dash = "solid"
    view = Curves(
        says="the mean and variance that evaluation uses, against those of the data.",
        series=(*batches, Series(f"{key}_mean", key, solid), Series(f"{key}_var", key, "dash")),
        ylabel="used in evaluation",
        levels=(Level(stream.mean), Level(stream.var)),
        legend=(Legend("mean", solid, key), Legend("variance", "dash", key), *seen, Legend("the data’s", "dot")),
    )
    names = {"mean": "mean", "var": "variance", "eval_mean": "output mean", "eval_std": "output std"}
    readouts = (Readout(name, label, f"{key}_{name}") for name, label in names.items())
    return Panel(key, title, mark, view, (Readout("step", "batches"), *readouts))


def _output(name: str, target: float, ylabel: str) -> Curves:
    return Curves(
        says="the evaluation output on points never trained on, against what training gives.",
        series=(Series(f"broken_{name}", "broken", "dash"), Series(f"fixed_{name}", "fixed")),
        ylabel=ylabel,
        levels=(Level(target),),
        legend=(
            Legend("on self", "dash", "broken"),
            Legend("passed on", "solid", "fixed"),
            Legend("in training", "dot"),
        ),
    )
