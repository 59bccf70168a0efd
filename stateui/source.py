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
    hit = {line for file, line in ran if file == _file(code)}
    shown = []
    for numbers, text in _lines(code):
        state = "true" if hit & numbers else "false"
        shown.append(f'<div class="line" data-ran="{state}">{text or " "}</div>')
    name = escape(label or f"the code of {_name(code)}")
    room = f"--rows: {max(rows, len(shown))}"
    return f'<div class="code" role="group" aria-label="{name}" style="{room}">{"".join(shown)}</div>'


def lines(thing: Callable) -> list[tuple[Line, str]]:
    """Every line of its source, by its place in the file, as highlighted HTML."""
    code = _code(thing)
    _, first = _source(code)
    return [((_file(code), first + index), text) for index, (_, text) in enumerate(_lines(code))]


def height(thing: Callable) -> int:
    """How many lines its source has."""
    return len(_lines(_code(thing)))


def text(thing: Callable) -> str:
    """The source of `thing`, dedented."""
    return _source(_code(thing))[0]


def _code(function: Callable) -> CodeType | type:
    if isinstance(function, type):
        return function
    found = inspect.unwrap(function.func if isinstance(function, partial) else function)
    found = getattr(found, "__func__", found)
    if not isinstance(found, FunctionType):
        raise TypeError(f"{function!r} has no Python source to show: pass a function, a method or a class")
    return found.__code__


def _file(code: CodeType | type) -> str:
    return (inspect.getsourcefile(code) or "") if isinstance(code, type) else code.co_filename


def _name(code: CodeType | type) -> str:
    return code.__name__ if isinstance(code, type) else code.co_name


@lru_cache(maxsize=512)
def _source(code: CodeType | type) -> tuple[str, int]:
    lines, first = inspect.getsourcelines(code)
    return textwrap.dedent("".join(lines)).rstrip("\n"), first


@lru_cache(maxsize=512)
def _lines(code: CodeType | type) -> tuple[tuple[frozenset[int], str], ...]:
    """For each line: the file lines of the statement it belongs to, and its highlighted text."""
    source, first = _source(code)
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
