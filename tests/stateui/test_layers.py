"""Imports run one way, pages stay prose, and nothing global is switched."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FORBIDDEN = {"statecore": {"streamlit", "plotly", "stateui", "pages"}, "stateui": {"pages"}, "pages": {"jax", "jaxlib"}}
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


def test_pages_are_prose_and_calls():
    for path in [ROOT / "app.py", *files("pages")]:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert not [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)], path


def test_nothing_of_the_process_is_switched():
    for folder in ("statecore", "stateui", "pages"):
        for path in files(folder):
            assert not SWITCHES.search(path.read_text(encoding="utf-8")), path
