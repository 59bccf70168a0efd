"""The package as an engineer installs it, and its requirements as the app has them."""

import ast
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def required(name: str) -> set[str]:
    """The lines of a requirements file, without comments and without other files."""
    lines = (ROOT / name).read_text().splitlines()
    return {line.strip() for line in lines if line.strip() and not line.startswith(("#", "-r"))}


def test_the_requirements_files_say_what_the_extras_say():
    extras = {name: set(lines) for name, lines in PROJECT["optional-dependencies"].items()}
    assert required("requirements.txt") == set(PROJECT["dependencies"]) | extras["app"]
    assert required("requirements-libraries.txt") == extras["libraries"]
    assert required("requirements-dev.txt") == extras["dev"]


def test_every_package_that_the_app_imports_is_required():
    folders = ("pages", "stateui", "statecore")
    files = [ROOT / "app.py", *(path for folder in folders for path in (ROOT / folder).rglob("*.py"))]
    assert len(files) > 100
    nodes = [node for path in files for node in ast.walk(ast.parse(path.read_text()))]
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    found = {name.partition(".")[0] for name in names}
    ours = {"statecore", "stateui", "pages", "tests"}
    imported_as = {"dm-haiku": "haiku"}
    lines = (line for name in ("", "-libraries", "-dev") for line in required(f"requirements{name}.txt"))
    wanted = {re.split("[<>=]", line)[0] for line in lines}
    assert found - set(sys.stdlib_module_names) - ours <= {imported_as.get(name, name) for name in wanted} | {"jaxlib"}


def test_the_core_depends_on_jax_and_numpy_alone():
    assert {re.split("[<>=]", line)[0] for line in PROJECT["dependencies"]} == {"jax", "numpy"}


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """An environment with the wheel in it, which finds JAX where this Python has it; and a folder to stand in."""
    folder = tmp_path_factory.mktemp("package")
    wheels = folder / "wheels"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    source = folder / "source"  # what a build leaves stays out of the checkout
    shutil.copytree(ROOT / "statecore", source / "statecore", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    build = [*pip, "wheel", "--quiet", "--no-deps", "--wheel-dir", str(wheels), str(source)]
    done = subprocess.run(build, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = wheels.glob("statecore-*.whl")
    venv.create(folder / "env", with_pip=False)
    python = folder / "env" / "bin" / "python"
    where = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    site = Path(subprocess.run(where, capture_output=True, text=True, check=True).stdout.strip())
    subprocess.run([*pip, "install", "--quiet", "--no-deps", "--target", str(site), str(wheel)], check=True)
    (site / "jax_of_the_tests.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python, folder


def ask(installed, code):
    python, folder = installed
    done = subprocess.run([python, "-c", code], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_it_is_the_installed_one_with_all_that_belongs_to_it(installed):
    home = Path(ask(installed, "import statecore; print(statecore.__file__)")).parent
    assert home.is_relative_to(installed[1])
    assert (home / "py.typed").exists()
    assert (home / "recording" / "schema.json").exists()
    assert len(list((home / "purity" / "catalogue").glob("*.py"))) >= 19
    assert not (home.parent / "stateui").exists()


def test_the_tools_bring_along_nothing_but_jax(installed):
    tools = "import sys, statecore; [getattr(statecore, name) for name in statecore.__all__]; "
    loaded = ask(installed, tools + "print(*sorted({name.split('.')[0] for name in sys.modules}))").split()
    assert {"jax", "numpy", "statecore"} <= set(loaded)
    assert set(loaded).isdisjoint({"streamlit", "plotly", "optax", "flax", "equinox", "haiku", "rich", "pytest"})


def test_the_command_and_the_plugin_are_found(installed):
    python, folder = installed
    lines = ["class C:", "    n = 0", "    def count(self):", "        self.n += 1", "        return self.n", ""]
    (folder / "counter.py").write_text("\n".join(lines))
    code = "import sys; from statecore.command import main; sys.exit(main(sys.argv[1:]))"
    command = [python, "-c", code, "check", "counter.py", "C().count"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert "C.count is not pure" in done.stdout
    points = (
        "from importlib.metadata import entry_points\n"
        "for group in ('console_scripts', 'pytest11'):\n"
        "    print(*{point.value for point in entry_points(group=group) if point.name == 'statecore'})\n"
    )
    assert ask(installed, points).split() == ["statecore.command:main", "statecore.pytest_plugin"]
