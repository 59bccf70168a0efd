"""Lines of text with a style for each piece, printed in colour where the terminal shows colour."""

import os
import shutil
import sys
from collections.abc import Iterable, Sequence

Piece = tuple[str, str]
"""A text and its style, such as `bold`; empty for none."""

Line = Sequence[Piece]


NOT_A_TERMINAL = 110
"""How wide a page is that no terminal shows."""


def width() -> int:
    """How many columns there are."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else NOT_A_TERMINAL


def show(lines: Iterable[Line]) -> None:
    """Print the lines. With `rich` installed a terminal shows their styles; NO_COLOR is respected."""
    try:
        from rich.console import Console
        from rich.text import Text
    except ImportError:
        Console = None  # type: ignore[assignment, misc]
    if Console is None or "NO_COLOR" in os.environ:
        for line in lines:
            print("".join(text for text, _ in line).rstrip())
        return
    console = Console(file=sys.stdout, highlight=False, markup=False, emoji=False, soft_wrap=True)
    for line in lines:
        console.print(Text.assemble(*_stripped(line)))


def _stripped(line: Line) -> list[Piece]:
    """The pieces without the blanks at the end of the line."""
    pieces = list(line)
    while pieces and not pieces[-1][0].rstrip():
        pieces.pop()
    if pieces:
        text, style = pieces[-1]
        pieces[-1] = text.rstrip(), style
    return pieces
