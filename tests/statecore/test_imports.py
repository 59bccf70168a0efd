"""What importing statecore may bring along. Each question needs a fresh interpreter."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
MODULES = {
    f"statecore.{name}"
    for name in (
        "counter",
        "counter.programs",
        "counter.tries",
        "kept",
        "lockstep",
        "observation",
        "reading",
        "history",
        "line",
        "optimizer",
        "regression",
        "timeline",
        "training",
    )
}


def packages_after(code: str) -> set[str]:
    """The top-level packages that a fresh Python has loaded after running `code`."""
    report = "; import json, sys; print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    done = subprocess.run(
        [sys.executable, "-c", code + report], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


def found_modules() -> set[str]:
    """Every module of statecore, but not those that need a library which may not be installed."""
    paths = (path.relative_to(ROOT).with_suffix("") for path in (ROOT / "statecore").rglob("*.py"))
    names = {".".join(path.parts).removesuffix(".__init__") for path in paths}
    return {name for name in names if not name.startswith("statecore.libraries.")}


def test_the_modules_are_found():
    assert found_modules() >= MODULES


def test_no_module_imports_the_interface():
    # a package once loaded stays loaded: one interpreter answers for all modules
    loaded = packages_after("import " + ", ".join(["statecore", *sorted(found_modules())]))
    assert {"statecore", "jax"} <= loaded
    assert loaded.isdisjoint({"streamlit", "plotly", "stateui"})


def test_importing_statecore_is_light():
    loaded = packages_after("import statecore")
    assert "statecore" in loaded
    assert loaded.isdisjoint({"jax", "numpy", "streamlit", "plotly"})


def test_the_timeline_needs_no_jax():
    loaded = packages_after("import statecore.timeline")
    assert "statecore" in loaded
    assert loaded.isdisjoint({"jax", "numpy", "streamlit", "plotly"})
