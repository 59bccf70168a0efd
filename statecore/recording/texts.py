"""Texts as a recording holds them: without what is this machine's or this run's alone, and not without end."""

import hashlib
import os
import re
import sys
from functools import lru_cache
from typing import Any

from statecore.errors import useful

LONGEST = 4000
"""A longer text is cut, and a digest tells it from another one that begins the same way."""

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+|\b0x[0-9a-fA-F]{12,16}\b")
_SOURCE = re.compile(r"(?<![\w:./])/(?:[^\s'\"<>:/]+/)*([^\s'\"<>:/]+\.(?:pyc?|so)\b)")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def readable(text: str) -> str:
    """A text without addresses in memory, paths of this machine and halves of characters, cut when it is long."""
    if "0x" in text:
        text = _ADDRESS.sub("", text)
    if os.sep in text:
        text = _SOURCE.sub(lambda match: short(match[0]), text)
        for root in _roots():
            text = text.replace(root, "")
    return cut(_SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", text))


def cut(text: str) -> str:
    """A text of at most about `LONGEST` characters."""
    if len(text) <= LONGEST:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:16]
    return f"{text[:LONGEST]}… ({len(text)} characters, digest {digest})"


def written(value: Any) -> str:
    """How a value is written. One that cannot be written says that instead of raising."""
    try:
        return readable(repr(value))
    except Exception as error:  # a `__repr__` may raise anything
        return f"it cannot be written: {type(error).__name__}"


def said(error: BaseException) -> str:
    """The sentences of an exception that help; empty where there are none, or where asking for them raises."""
    try:
        return readable(useful(error))
    except Exception:  # a `__str__` may raise anything
        return ""


@lru_cache(maxsize=512)
def short(file: str) -> str:
    """A file from where Python found it on: no path of this machine is part of a recording."""
    if file.startswith("<"):  # such as `<string>`
        return readable(file)
    whole = os.path.abspath(file)
    root = next((root for root in _roots() if whole.startswith(root)), None)
    return (whole[len(root) :] if root else os.path.basename(whole)).replace(os.sep, "/")


def _roots() -> tuple[str, ...]:
    return _folders(tuple(sys.path), os.getcwd())


@lru_cache(maxsize=8)
def _folders(path: tuple[str, ...], here: str) -> tuple[str, ...]:
    """Where Python finds files, the deepest folder first; the root of the disk would hide nothing."""
    folders = (*path, here, sys.prefix, sys.base_prefix, os.path.expanduser("~"))
    whole = {os.path.join(folder, "") for folder in folders if os.path.isabs(folder)}
    return tuple(sorted(whole - {os.path.join(os.path.abspath(os.sep), "")}, key=len, reverse=True))
