"""The rows of the table, and the table as text."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

HEADINGS = ("steps", "points", "contestant", "its / scan", "middle half", "scan / its", "aim", "met")


@dataclass(frozen=True)
class Aim:
    """What a row should reach: `least` is the smallest its / scan that meets it, `words` says it."""

    least: float
    words: str


@dataclass(frozen=True)
class Row:
    """A contestant beside the scan.

    Attributes:
      ratios: by round, the contestant's time per step and point over the scan's;
        None when it was left out, and `note` says why.
    """

    steps: int
    points: int
    contestant: str
    ratios: np.ndarray | None
    aim: Aim | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        return None if self.ratios is None else float(np.median(self.ratios))

    @property
    def met(self) -> bool | None:
        """Whether the aim is met, or None where there is no aim or no ratio."""
        return None if self.aim is None or self.ratio is None else self.ratio >= self.aim.least

    def cells(self) -> tuple[str, ...]:
        head = (f"{self.steps:,}", f"{self.points:,}", self.contestant)
        if self.ratios is None or self.ratio is None:
            return (*head, self.note, "", "", "", "")
        low, high = np.quantile(self.ratios, [0.25, 0.75])
        middle_half = f"{_number(low)} to {_number(high)}"
        aim = "" if self.aim is None else self.aim.words
        met = {None: "", True: "yes", False: "no"}[self.met]
        if self.aim is not None and low <= self.aim.least <= high:
            met += ", close"
        return (*head, _number(self.ratio), middle_half, _number(1 / self.ratio), aim, met)


def render(groups: Sequence[tuple[str, Sequence[Row]]]) -> str:
    """One aligned table of titled groups of rows."""
    lines = [HEADINGS, *(row.cells() for _, rows in groups for row in rows)]
    # a left-out row has its note, which is wide, in place of numbers
    counted = [line for line in lines if line[-3]]
    widths = [max(len(line[column]) for line in counted) for column in range(len(HEADINGS))]
    widths[2] = max(len(line[2]) for line in lines)
    text = [_align(HEADINGS, widths)]
    text.append("-" * len(text[0]))
    for title, rows in groups:
        text += [title, *(_align(row.cells(), widths) for row in rows)]
    return "\n".join(text)


def _align(cells: Sequence[str], widths: Sequence[int]) -> str:
    pad = [str.rjust, str.rjust, str.ljust, str.rjust, str.rjust, str.rjust, str.ljust, str.ljust]
    return "  ".join(put(cell, width) for put, cell, width in zip(pad, cells, widths, strict=True)).rstrip()


def _number(value: float) -> str:
    """Three significant digits, without an exponent."""
    return np.format_float_positional(value, precision=3, fractional=False, trim="-", unique=False)
