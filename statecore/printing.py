"""What a program prints, kept for whoever watches it, without touching `sys.stdout`."""

from typing import Any


class Printer:
    """Stands for `print` in the namespace of a program, and keeps each line.

    Only what is printed through that namespace is kept: a library that prints writes
    where it always did.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, *values: Any, sep: str | None = " ", end: str | None = "\n", **_options: Any) -> None:
        text = (" " if sep is None else sep).join(map(str, values))
        self.lines.extend(text.split("\n"))
