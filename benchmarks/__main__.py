"""python -m benchmarks [--quick]: one table of ratios, measured in one run."""

import argparse
import os
import platform
from collections.abc import Sequence

import jax
import numpy as np

from benchmarks import agreement, table
from benchmarks.measure import FULL, QUICK, measure


def header() -> str:
    """Where the ratios were measured, and how they read."""
    versions = f"Python {platform.python_version()}, JAX {jax.__version__}, NumPy {np.__version__}"
    return f"""\
A training run with its whole history by one compiled scan, against others.
{versions}, {os.cpu_count()} cores ({platform.machine()}).

its / scan: the contestant's time per step and point over the scan's; above 1 the scan is faster.
scan / its: the same the other way round. Each is the median over rounds in which all run in turn;
half of the rounds lie within "middle half". The scan's time includes handing over NumPy arrays.
Before they were timed, all agreed with the scan to {agreement.TOLERANCE:g} (or {agreement.TOLERANCE_PER_POINT:g} times
the points, if more): params and loss at every step where they are kept, else the final params.
An aim is met or not by the median; "close" says that it lies within the middle half.
"""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small runs: under ten seconds, and rougher ratios")
    plan = QUICK if parser.parse_args(arguments).quick else FULL
    print(header(), flush=True)
    print(table.render(list(measure(plan))))


if __name__ == "__main__":
    main()
