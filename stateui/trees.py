"""A state as a tree on screen: every leaf with its path, its value and its type."""

import re
from dataclasses import dataclass
from html import escape
from typing import Any, NamedTuple

import jax
import numpy as np

from stateui import show


@dataclass(frozen=True)
class Row:
    """One leaf of a state: its path, such as `[0].mu.weight`, its shape, dtype and value."""

    path: str
    shape: tuple[int, ...]
    dtype: str
    value: np.ndarray


def describe(tree: Any) -> tuple[Row, ...]:
    """The leaves of a state in order, as rows; a tree without leaves has none: it remembers nothing."""
    rows = []
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        value = np.asarray(leaf)
        rows.append(Row(jax.tree_util.keystr(path), value.shape, value.dtype.name, value))
    return tuple(rows)


def tree(state: NamedTuple) -> str:
    """A named state as an HTML tree: each leaf with its value now and its type; a part without leaves says so."""
    lines = ["<tr><th scope='row'>State</th><td></td><td></td></tr>"]
    parts = state._asdict()
    for name, part in parts.items():
        last = name == list(parts)[-1]
        rows = describe(part)
        note = "" if rows else "nothing"
        lines.append(_line(("└─ " if last else "├─ ") + name, note, ""))
        lines += _branches(rows, "   " if last else "│  ")
    return f'<table class="state tree">{"".join(lines)}</table>'


def _branches(rows: tuple[Row, ...], indent: str) -> list[str]:
    """The lines below one branch; rows that share the first part of their path share a line."""
    grouped: dict[str, list[tuple[str, Row]]] = {}
    for row in rows:
        first = re.match(r"\.?\w+|\[[^]]*\]", row.path)
        assert first is not None
        grouped.setdefault(first[0], []).append((row.path[first.end() :], row))
    lines = []
    for number, (part, members) in enumerate(grouped.items(), start=1):
        last = number == len(grouped)
        label = indent + ("└─ " if last else "├─ ") + part.removeprefix(".")
        below = tuple(Row(rest, row.shape, row.dtype, row.value) for rest, row in members if rest)
        if below:
            lines += [_line(label, "", ""), *_branches(below, indent + ("   " if last else "│  "))]
        else:
            row = members[0][1]
            lines.append(_line(label, show.value(row.value), f"{row.dtype}[{','.join(map(str, row.shape))}]"))
    return lines


def _line(label: str, value: str, kind: str) -> str:
    head = f"<th scope='row' style='white-space: pre'>{escape(label)}</th>"
    return f"<tr>{head}<td>{escape(value)}</td><td>{escape(kind)}</td></tr>"
