"""`statecore check`: what is impure about a function."""

import argparse
import functools
import io

from statecore.checker import Report, check
from statecore.command import loading, page


def run(options: argparse.Namespace) -> int:
    """Check and print. Returns 1 when it is not pure or cannot be traced, else 0."""
    report = of(options)
    page.show([[(line, _style(line, report))] for line in str(report).split("\n")])
    return 0 if report.pure and report.traceable else 1


def of(options: argparse.Namespace) -> Report:
    """The report on what the options name, in a run of the file that nothing else uses."""
    # what is printed is neither an output nor a state, and the check makes it print
    module = loading.namespace(options.file, functools.partial(print, file=io.StringIO()))
    function = loading.evaluated(options.expression, module)
    try:
        return check(function, *(loading.evaluated(each, module) for each in options.arguments))
    except TypeError as error:
        raise loading.Failed(f"statecore: {error}") from None


def _style(line: str, report: Report) -> str:
    if line.startswith("- "):
        return "yellow"
    return "green" if report.pure and report.traceable else "bold red"
