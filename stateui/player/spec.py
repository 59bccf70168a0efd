"""What a player shows, as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

Dash = Literal["solid", "dash", "dot", "dashdot"]


@dataclass(frozen=True)
class Legend:
    """One entry above a picture; a role gives the colour, no role means ink."""

    label: str
    dash: Dash
    role: str | None = None


@dataclass(frozen=True)
class Line:
    """A straight line y = weight * x + bias: two column names, or two numbers when it stands still."""

    weight: str | float
    bias: str | float
    dash: Dash
    role: str = "fixed"
    width: float = 3


@dataclass(frozen=True)
class Fit:
    """Points with straight lines: those in `lines` move with the step, those in `still` do not."""

    says: str
    x: str
    y: str
    lines: tuple[Line, ...]
    still: tuple[Line, ...] = ()
    legend: tuple[Legend, ...] = ()
    xlabel: str = "x"
    ylabel: str = "y"
    kind: str = "fit"


@dataclass(frozen=True)
class Series:
    """A column drawn against the step."""

    column: str
    role: str
    dash: Dash = "solid"
    width: float = 2.5


@dataclass(frozen=True)
class Level:
    """A dotted horizontal line: the truth or an optimum."""

    value: float


@dataclass(frozen=True)
class Curves:
    """Columns against the step, with a cursor."""

    says: str
    series: tuple[Series, ...]
    ylabel: str
    levels: tuple[Level, ...] = ()
    legend: tuple[Legend, ...] = ()
    log: bool = False
    kind: str = "curves"


@dataclass(frozen=True)
class Walk:
    """A path through two columns."""

    x: str
    y: str
    role: str
    dash: Dash = "solid"
    width: float = 2.5


@dataclass(frozen=True)
class Mark:
    """A sign at a place, such as + at the optimum."""

    x: float
    y: float
    sign: str


@dataclass(frozen=True)
class Path2D:
    """Walks over a surface: `grid` is an (n, n) column, row by row from the lowest y, with contour lines."""

    says: str
    grid: str
    xspan: tuple[float, float]
    yspan: tuple[float, float]
    contours: tuple[float, ...]
    walks: tuple[Walk, ...]
    xlabel: str
    ylabel: str
    marks: tuple[Mark, ...] = ()
    legend: tuple[Legend, ...] = ()
    kind: str = "path"


View = Fit | Curves | Path2D


@dataclass(frozen=True)
class Readout:
    """A value under a picture: of a column at the step shown, or a text that stays."""

    name: str
    label: str
    column: str | None = None
    text: str | None = None


@dataclass(frozen=True)
class Panel:
    """A picture of one side, with its read-outs; `key` is `broken` or `fixed`."""

    key: str
    title: str
    mark: str
    view: View
    readouts: tuple[Readout, ...] = ()


@dataclass(frozen=True)
class Shared:
    """A picture of both sides."""

    title: str
    view: View


@dataclass(frozen=True)
class Fork:
    """The control that forks: its range (logarithmic), its value, and the fork this history answers."""

    label: str
    low: float
    high: float
    value: float
    serial: int = 0
    hint: str = ""
    full: str = ""


@dataclass(frozen=True)
class Show:
    """Everything a player shows: columns by name (float32, one number per step) and pictures of them."""

    steps: int
    step: int
    columns: Mapping[str, np.ndarray]
    panels: tuple[Panel, ...]
    views: tuple[Shared, ...] = ()
    fork: Fork | None = None
