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

from statecore.observe import Line

_LEXER, _FORMATTER = PythonLexer(), HtmlFormatter(nowrap=True)


def lit(function: Callable, ran: Collection[Line] = frozenset(), label: str = "", rows: int = 0) -> str:
    """The source of `function` as HTML, one element per line.

    Each line says `data-ran="true"` or `"false"`; a statement that is spread over
    several lines is lit as a whole.

    Args:
      function: a function, a bound method or a transformed function.
      ran: the lines that executed.
      label: what a screen reader calls this code.
      rows: leave room for at least so many lines, so that panels line up.
    """
    code = _code(function)
    part = _source(code)
    return lit_text((part,), code.co_filename, ran, label or f"the code of {code.co_name}", rows)


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
    shown = [_rows(text, first, hit) for text, first in parts]
    room = f"--rows: {max(rows, sum(text.count(chr(10)) + 2 for text, _ in parts) - 1)}"
    code = '<div class="line" data-ran="false"> </div>'.join(shown)
    return f'<div class="code" role="group" aria-label="{escape(label)}" style="{room}">{code}</div>'


@lru_cache(maxsize=1024)
def _rows(text: str, first: int, hit: frozenset[int]) -> str:
    shown = []
    for numbers, line in _lines(text, first):
        state = "true" if hit & numbers else "false"
        shown.append(f'<div class="line" data-ran="{state}">{line or " "}</div>')
    return "".join(shown)


def height(function: Callable) -> int:
    """How many lines its source has."""
    return len(_lines(*_source(_code(function))))


def text(function: Callable) -> str:
    """The source of `function`, dedented."""
    return _source(_code(function))[0]


def _code(function: Callable) -> CodeType:
    found = inspect.unwrap(function.func if isinstance(function, partial) else function)
    found = getattr(found, "__func__", found)
    if not isinstance(found, FunctionType):
        raise TypeError(f"{function!r} has no Python source to show: pass a function or a method")
    return found.__code__


@lru_cache(maxsize=512)
def _source(code: CodeType) -> tuple[str, int]:
    lines, first = inspect.getsourcelines(code)
    return textwrap.dedent("".join(lines)).rstrip("\n"), first


@lru_cache(maxsize=512)
def _lines(source: str, first: int) -> tuple[tuple[frozenset[int], str], ...]:
    """For each line: the file lines of the statement it belongs to, and its highlighted text."""
    whole = _statements(source)
    coloured = highlight(source, _LEXER, _FORMATTER).rstrip("\n").split("\n")
    return tuple(
        (frozenset(line + first - 1 for line in whole.get(number, (number,))), coloured[number - 1])
        for number in range(1, len(source.split("\n")) + 1)
    )


def _statements(source: str) -> dict[int, range]:
    """Each line of a statement without a body, mapped to all the lines of that statement."""
    whole = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.stmt) and not hasattr(node, "body"):
            lines = range(node.lineno, (node.end_lineno or node.lineno) + 1)
            whole.update(dict.fromkeys(lines, lines))
    return whole
