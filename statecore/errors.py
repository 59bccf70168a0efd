"""The sentences of an exception that help: what happened, where, and what to do."""

import re

_RULE = re.compile(r"^-{5,}$", re.MULTILINE)
_FRAMES = re.compile(r"^(When the value was created, the final|The stack trace below excludes|For simplicity, JAX has)")
MOST = 1200
"""A message is told up to so many characters, and to the end of a paragraph."""


def useful(error: BaseException) -> str:
    """The message of an exception without stack frames and rules, one paragraph a line.

    A long message ends with a whole paragraph, and never with one that announces the
    next, such as "you have done something like:".
    """
    blocks = [block.strip() for block in _RULE.split(str(error))]
    kept: list[str] = []
    frames = False
    for block in blocks:
        # the frames that a block announces are the block behind the next rule
        if not frames and not _FRAMES.match(block):
            kept += [line.rstrip() for line in block.splitlines() if line.strip()]
        frames = bool(_FRAMES.match(block))
    return "\n".join(_shortened(kept))


def first(error: BaseException) -> str:
    """The first thing that the message says: one line, and the next where it ends in a colon."""
    lines = useful(error).split("\n")
    end = 1
    while end < len(lines) and lines[end - 1].endswith(":"):
        end += 1
    return " ".join(line.strip() for line in lines[:end])


def _shortened(lines: list[str]) -> list[str]:
    length = 0
    for count, line in enumerate(lines, start=1):
        length += len(line)
        if length >= MOST and not line.endswith(":"):
            return lines[:count]
    return lines
