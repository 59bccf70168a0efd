"""The command, on files as people write them."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from statecore.command import main
from statecore.recording import loads
from statecore.recording.values import Array

ROOT = Path(__file__).parents[2]

COUNTER = """
class Counter:
    def __init__(self):
        self.n = 0

    def count(self):
        self.n += 1
        return self.n
"""
FIXED = """
def count(n):
    return n + 1, n + 1
"""
LAYER = """
import dataclasses
import jax
import jax.numpy as jnp

SCALE = 3.0


@dataclasses.dataclass
class Config:
    rate: float = 0.1


class Norm:
    def __init__(self):
        self.mean = jnp.zeros(2)
        self.config = Config()

    def __call__(self, x):
        print("called with", x.shape)
        self.mean = 0.9 * self.mean + 0.1 * x.mean(0)
        return (x - self.mean) * SCALE


class Bare:
    @jax.jit
    def step(self, x):
        return x + 1


class Branch:
    def __init__(self):
        self.k = 3

    def step(self, x):
        return x * 2 if self.k > 2 else x


def double(x):
    return 2 * x


def fails(x):
    raise ValueError("not today")
"""


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run the command in a folder with the files; gives its code, its output and its errors."""
    for name, text in {"counter.py": COUNTER, "fixed.py": FIXED, "layer.py": LAYER}.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)

    def command(*arguments):
        code = main(arguments)
        found = capsys.readouterr()
        return code, found.out, found.err

    return command


def row(out, title):
    """The cells of a row of the table."""
    (line,) = [line for line in out.splitlines() if line.startswith(title)]
    return re.split(r"\s{3,}", line.strip())[1:]


def marks(out, code):
    """Which calls ran a line, for each program."""
    (line,) = [line for line in out.splitlines() if line.rstrip().endswith(code)]
    return re.split(r"\s{3,}", line.strip())[:-1][:3]


def test_a_counter_that_does_nothing_under_jit(run):
    code, out, err = run("record", "counter.py", "Counter().count")
    assert (code, err) == (0, "")
    assert [row(out, f"call {k}") for k in (1, 2, 3)] == [["1", "1", "1"], ["2", "1", "2"], ["3", "1", "3"]]
    assert row(out, "its body ran") == ["3 times", "once", "once"]
    assert row(out, "state after") == ["self.n 3", "self.n 1", "state CounterState(n=3)"]
    assert marks(out, "self.n += 1") == ["● ● ●", "● · ·", "● · ·"]
    assert "self.n was 0 while tracing and was set to 1. The program keeps 1." in out
    assert "Counter.count is not pure." in out
    assert "\x1b" not in out


def test_as_many_calls_as_are_asked_for(run):
    _, out, _ = run("record", "counter.py", "Counter().count", "--calls", "5")
    assert row(out, "call 5") == ["5", "1", "5"]
    with pytest.raises(SystemExit) as stopped:
        run("record", "counter.py", "Counter().count", "--calls", "0")
    assert stopped.value.code == 2


def test_the_json_is_the_recording_and_nothing_else(run):
    code, out, _ = run("record", "counter.py", "Counter().count", "--json")
    recording = loads(out)
    assert code == 0
    assert [track.name for track in recording.tracks] == ["plain", "jit", "pure, jit"]
    assert recording["plain"].tape == (1, 2, 3)
    assert recording["jit"].tape == (Array("~int32[]", (1,)),) * 3
    assert [moment.outcome.data for moment in recording["pure, jit"].moments] == [(1,), (2,), (3,)]


def test_a_callable_object_with_an_argument(run):
    code, out, _ = run("record", "layer.py", "Norm()", "jnp.ones((4, 2))", "--calls", "2")
    assert code == 0
    assert "call 2: called with (4, 2)" in out.partition("jit printed")[0]
    assert "call 2" not in out.partition("jit printed")[2].partition("jit: what jit kept")[0]
    assert "SCALE was read once, while tracing. The program keeps 3 in its place." in out
    assert "a tracer float32[2]" in out
    assert "a tracer is left in `self.mean`" in out
    assert "print.lines" not in out


def test_jit_on_a_method_shows_what_its_caller_gets(run):
    code, out, _ = run("record", "layer.py", "Bare().step", "1.0")
    assert code == 0
    assert row(out, "call 1") == ["2", "TypeError", "2"]
    assert "static_argnums or static_argnames" in out
    assert run("check", "layer.py", "Bare().step", "1.0")[0] == 1


def test_what_cannot_be_made_pure_says_why(run):
    _, out, _ = run("record", "layer.py", "Branch().step", "1.0")
    assert "Not made pure: self.k is state" in out
    assert 'static=("k",)' in out
    assert row(out, "call 1") == ["2", "2"]
    _, out, _ = run("record", "layer.py", "double", "1.0")
    assert "Not made pure: double is not a method of an object" in out


def test_a_wrapper_is_seen_through(run):
    _, out, _ = run("record", "counter.py", "jax.jit(Counter().count)")
    assert row(out, "call 3") == ["3", "1", "3"]


def test_check_says_it_by_its_code(run):
    assert run("check", "layer.py", "double", "1.0")[0] == 0
    code, out, _ = run("check", "counter.py", "Counter().count")
    assert code == 1
    assert "`self.n` was 0 before the calls" in out


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def f(:\n", "SyntaxError"),
        ("import nothing_like_it\n", "ModuleNotFoundError: No module named 'nothing_like_it'"),
        ("x = 1\ny = x / 0\n", "ZeroDivisionError"),
    ],
)
@pytest.mark.parametrize("command", ["record", "check"])
def test_an_error_in_the_file_is_shown_as_python_shows_it(run, tmp_path, command, text, expected):
    (tmp_path / "wrong.py").write_text(text)
    code, out, err = run(command, "wrong.py", "f")
    assert (code, out) == (2, "")
    assert expected in err
    assert "wrong.py" in err or "nothing_like_it" in err
    assert str(ROOT / "statecore") not in err


@pytest.mark.parametrize(
    ("expression", "arguments", "expected"),
    [
        ("nope", (), "NameError: name 'nope' is not defined"),
        ("Counter(", (), "SyntaxError"),
        ("Counter(1)", (), "TypeError"),
        ("Counter().count", ("1/0",), "ZeroDivisionError"),
        ("3", (), "which cannot be called"),
    ],
)
def test_an_expression_that_fails_is_told(run, expression, arguments, expected):
    code, _, err = run("record", "counter.py", expression, *arguments)
    assert code == 2
    assert expected in err
    assert str(ROOT / "statecore") not in err


def test_a_file_that_is_not_there(run):
    assert run("check", "nowhere.py", "f") == (2, "", "statecore: there is no file nowhere.py\n")


def test_an_exception_is_an_outcome(run):
    code, out, _ = run("record", "layer.py", "fails", "1.0")
    assert code == 0
    assert row(out, "call 1") == ["ValueError", "ValueError"]
    assert "ValueError: not today" in out


def test_the_file_may_import_what_stands_beside_it_and_nothing_stays(run, tmp_path):
    (tmp_path / "helper.py").write_text("def twice(x):\n    return 2 * x\n")
    (tmp_path / "uses.py").write_text("from helper import twice\n")
    before = sys.path[:]
    assert run("check", "uses.py", "twice", "1.0")[0] == 0
    assert sys.path == before
    assert "uses" not in sys.modules


def test_a_narrow_page_has_one_program_under_the_other(run, monkeypatch):
    monkeypatch.setattr("statecore.command.page.NOT_A_TERMINAL", 30)
    _, out, _ = run("record", "counter.py", "Counter().count")
    assert out.index("\nplain\n  call 1") < out.index("\njit\n  call 1") < out.index("\npure, jit\n  call 1")


def on_a_terminal(folder, **env):
    """What a terminal of its own receives."""
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "statecore", "check", "counter.py", "Counter().count"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", **env}
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=follower, stderr=follower) as process:
        os.close(follower)
        received = b""
        while True:
            try:
                part = os.read(leader, 4096)
            except OSError:
                break
            if not part:
                break
            received += part
    os.close(leader)
    assert process.returncode == 1
    return received.decode()


def test_colour_is_for_a_terminal_that_wants_it(run, tmp_path):
    pytest.importorskip("rich")
    coloured, plain = on_a_terminal(tmp_path), on_a_terminal(tmp_path, NO_COLOR="1")
    assert "\x1b[" in coloured
    assert "\x1b" not in plain
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain


def test_a_file_that_leaves_is_no_answer(run, tmp_path):
    (tmp_path / "leaves.py").write_text("import sys\nsys.exit(0)\n")
    code, _, err = run("check", "leaves.py", "f")
    assert code == 2
    assert "leaves.py left with sys.exit(0)" in err


def test_without_rich_the_text_is_the_same(run, monkeypatch):
    with_rich = run("record", "counter.py", "Counter().count")
    monkeypatch.setitem(sys.modules, "rich.console", None)
    assert run("record", "counter.py", "Counter().count") == with_rich


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["record", "--help"]])
def test_help_and_version(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 0
    assert "statecore" in capsys.readouterr().out


def test_as_a_module_in_a_poor_locale_and_into_a_closed_pipe(run, tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "LC_ALL": "C", "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "statecore", "record", "counter.py", "Counter().count"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"Counter.count is not pure." in done.stdout
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=tmp_path, env=environment, **pipes) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


def test_the_story_of_the_engineer(run, tmp_path):
    """A class does nothing, the check says why, a test beside it fails, and passes after the fix."""
    test = "from statecore import assert_pure\nfrom {0} import {1}\n\n\ndef test_pure():\n    assert_pure({2})\n"
    (tmp_path / "test_counter.py").write_text(test.format("counter", "Counter", "Counter().count"))
    (tmp_path / "test_fixed.py").write_text(test.format("fixed", "count", "count, 0"))
    code, out, _ = run("check", "counter.py", "Counter().count")
    assert code == 1
    assert "At call 2 the program that jit kept gives 1. A program that is traced then gives 2." in out
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"}
    before, after = (
        subprocess.run([*command, name], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        for name in ("test_counter.py", "test_fixed.py")
    )
    assert before.returncode == 1
    assert "Counter.count is not pure" in before.stdout
    assert after.returncode == 0
    assert run("check", "fixed.py", "count", "0")[0] == 0


def test_the_transcript_in_the_readme_is_what_it_prints(run):
    _, out, _ = run("record", "counter.py", "Counter().count")
    readme = (ROOT / "README.md").read_text()
    shown = readme.partition("$ statecore record counter.py 'Counter().count'\n")[2].partition("```")[0]

    def words(text):
        """Without the numbers of the lines, which depend on where the class stands in its file."""
        return [re.sub(r"^([●· ]+?) \d+  ", r"\1 ", line).split() for line in text.rstrip().splitlines()]

    assert words(out) == words(shown)
