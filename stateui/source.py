"""Code on screen, fetched from the objects that run, with the lines that ran lit."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Collection
from functools import lru_cache, partial
from html import escape
from types import CodeType, FunctionType

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from statecore.lines import Line

_LEXER, _FORMATTER = PythonLexer(), HtmlFormatter(nowrap=True)


def lit(thing: Callable, ran: Collection[Line] = frozenset(), label: str = "", rows: int = 0) -> str:
    """The source of `thing` as HTML, one element per line.

    Each line says `data-ran="true"` or `"false"`; a statement that is spread over
    several lines is lit as a whole.

    Args:
      thing: a function, a bound method, a transformed function or a class.
      ran: the lines that executed.
      label: what a screen reader calls this code.
      rows: leave room for at least so many lines, so that panels line up.
    """
    code = _code(thing)
    return lit_text([_source(code)], _file(code), ran, label or f"the code of {_name(code)}", rows)


def lit_text(
    parts: Collection[tuple[str, int]], file: str, ran: Collection[Line] = frozenset(), label: str = "", rows: int = 0
) -> str:
    """Parts of a file as HTML, one below the other, with the lines that ran lit as in `lit`.

    Args:
      parts: each the text, and the number of its first line in the file.
      file: the name of the file.
      ran, label, rows: as for `lit`.
    """
    hit = frozenset(line for name, line in ran if name == file)
    blocks = [_rows(text, first, hit) for text, first in parts]
    between = '<div class="line" data-ran="false"> </div>'
    long = sum(len(_lines(*part)) for part in parts) + len(parts) - 1
    return (
        f'<div class="code" role="group" aria-label="{escape(label)}" style="--rows: {max(rows, long)}">'
        f"{between.join(blocks)}</div>"
    )


def lines(thing: Callable) -> list[tuple[Line, str]]:
    """Every line of its source, by its place in the file, as highlighted HTML."""
    code = _code(thing)
    text, first = _source(code)
    return [((_file(code), first + index), row) for index, (_, row) in enumerate(_lines(text, first))]


def height(thing: Callable) -> int:
    """How many lines its source has."""
    return len(_lines(*_source(_code(thing))))


def text(thing: Callable) -> str:
    """The source of `thing`, dedented."""
    return _source(_code(thing))[0]


def _code(thing: Callable) -> CodeType | type:
    """What `inspect` finds the source by: the code of a function, or the class itself."""
    found = inspect.unwrap(thing.func if isinstance(thing, partial) else thing)
    found = getattr(found, "__func__", found)
    if isinstance(found, type):
        return found
    if not isinstance(found, FunctionType):
        raise TypeError(f"{thing!r} has no Python source to show: pass a function, a method or a class")
    return found.__code__


def _file(code: CodeType | type) -> str:
    return (inspect.getsourcefile(code) or "") if isinstance(code, type) else code.co_filename


def _name(code: CodeType | type) -> str:
    return code.__name__ if isinstance(code, type) else code.co_name


@lru_cache(maxsize=512)
def _source(code: CodeType | type) -> tuple[str, int]:
    """The dedented text, and the number of its first line in the file."""
    lines, first = inspect.getsourcelines(code)
    return textwrap.dedent("".join(lines)).rstrip("\n"), first


@lru_cache(maxsize=1024)
def _rows(text: str, first: int, hit: frozenset[int]) -> str:
    shown = []
    for numbers, row in _lines(text, first):
        state = "true" if hit & numbers else "false"
        shown.append(f'<div class="line" data-ran="{state}">{row or " "}</div>')
    return "".join(shown)


@lru_cache(maxsize=512)
def _lines(text: str, first: int) -> tuple[tuple[frozenset[int], str], ...]:
    """For each line: the file lines of the statement it belongs to, and its highlighted text."""
    whole = _statements(text)
    coloured = highlight(text, _LEXER, _FORMATTER).rstrip("\n").split("\n")
    return tuple(
        (frozenset(line + first - 1 for line in whole.get(number, (number,))), coloured[number - 1])
        for number in range(1, len(text.split("\n")) + 1)
    )


def _statements(text: str) -> dict[int, range]:
    """Each line of a statement without a body, mapped to all the lines of that statement."""
    whole = {}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.stmt) and not hasattr(node, "body"):
            lines = range(node.lineno, (node.end_lineno or node.lineno) + 1)
            whole.update(dict.fromkeys(lines, lines))
    return whole
