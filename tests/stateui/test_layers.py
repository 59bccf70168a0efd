"""Imports run one way, pages stay prose, and nothing global is switched."""

import ast
import re
from pathlib import Path

import pytest

from stateui.course import LESSONS

ROOT = Path(__file__).parents[2]
FORBIDDEN = {
    "statecore": {"streamlit", "plotly", "stateui", "pages"},
    "stateui": {"pages"},
    "pages": {"jax", "jaxlib", "numpy"},
}
PAGES = [ROOT / lesson.page for lesson in LESSONS]
WORK = (
    ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef, ast.While, ast.For, ast.Try, ast.AugAssign,
    ast.ListComp, ast.SetComp, ast.GeneratorExp,
)  # fmt: skip
SWITCHES = re.compile(r"jax\.clear_caches\(|jax\.config\.update\(|redirect_std(out|err)\(|os\.chdir\(")


def files(folder: str) -> list[Path]:
    found = sorted((ROOT / folder).rglob("*.py"))
    assert found, f"no Python file in {folder}/"
    return found


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


@pytest.mark.parametrize("folder", sorted(FORBIDDEN))
def test_imports_run_one_way(folder):
    for path in files(folder):
        assert not imported(path) & FORBIDDEN[folder], path


def test_pictures_know_nothing_of_streamlit():
    for path in files("stateui/figures"):
        assert "streamlit" not in imported(path), path


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_pages_are_prose_and_calls(path):
    """A page defines nothing, repeats nothing and calculates nothing: that is the work of the floors below."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, WORK)]
    assert not [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.BinOp) and not _text(node)]


def _text(node: ast.expr) -> bool:
    """Whether an expression puts pieces of text together."""
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Add) and (_text(node.left) or _text(node.right))
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def test_there_is_a_page_for_each_lesson():
    assert len(PAGES) >= 11
    assert set(PAGES) == {ROOT / "app.py", *files("pages")}


def test_nothing_of_the_process_is_switched():
    for folder in ("statecore", "stateui", "pages"):
        for path in files(folder):
            assert not SWITCHES.search(path.read_text(encoding="utf-8")), path
