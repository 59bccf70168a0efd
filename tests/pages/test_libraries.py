"""The lesson on libraries as Streamlit runs it, from `app.py`."""

import importlib.util
import subprocess
import sys
from functools import partial

import pytest
from streamlit.testing.v1 import AppTest

from statecore import libraries
from stateui import source
from stateui.figures import libraries as figures
from tests.pages import helpers
from tests.pages.helpers import ROOT, html_of, raised, result

opened = partial(helpers.opened, "libraries")
INSTALLED = [name for name in libraries.LIBRARIES if libraries.installed(name)]


def keys(app: AppTest) -> set[str]:
    return {button.key for button in app.button}


@pytest.fixture(scope="module")
def trained() -> AppTest:
    """A visit on which everything has been trained."""
    app = opened(steps="30")
    app.button(key="train_hand").click().run()
    app.button(key="train_all").click().run()
    return app


def test_opening_the_page_imports_no_library():
    code = (
        "import sys, threading; from streamlit.testing.v1 import AppTest; "
        "app = AppTest.from_file(sys.argv[1], default_timeout=300).switch_page('pages/libraries.py').run(); "
        "[each.join() for each in threading.enumerate() if each.name == 'warm-up']; "
        "print(len(app.exception), sorted({'flax', 'equinox', 'haiku'} & set(sys.modules)))"
    )
    command = [sys.executable, "-W", "ignore", "-c", code, str(ROOT / "app.py")]
    found = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    assert found.stdout.strip().endswith("0 []")


def test_the_page_shows_the_steps_before_anything_is_trained():
    app = opened()
    assert not app.exception
    assert [body.count('data-ran="true"') for body in html_of(app, "_step</span>") + html_of(app, '"nf">step')] == [
        0,
        0,
    ]
    assert not app.get("bidi_component") or all("columns" not in each.proto.json for each in app.get("bidi_component"))


def test_both_trained_by_hand_answer_the_prediction(trained):
    assert not trained.exception
    visit = trained.session_state["libraries:visit"]
    assert len(visit.watched["fixed"].loss) == 31
    assert any("The machine says **the test loss**" in each.value for each in trained.markdown)
    assert any("24 returned as they came in" in body for body in html_of(trained, "<caption>"))


def test_the_lines_light_up_on_the_first_step_alone(trained):
    def lit() -> list[int]:
        return [body.count('data-ran="true"') for body in html_of(trained, "@jax")[:2]]

    for step, expected in ((0, [0, 0]), (1, [9, 9]), (2, [0, 0])):
        trained.session_state["libraries_step"] = step
        trained.run()
        assert lit() == expected


def test_every_library_is_in_the_table(trained):
    assert set(trained.session_state["libraries:visit"].runs) == set(INSTALLED)
    [table] = html_of(trained, "furthest from by hand")
    for name in INSTALLED:
        assert libraries.LIBRARIES[name].title in table
        assert libraries.version(name) in table


@pytest.mark.parametrize("name", INSTALLED)
def test_each_shows_its_state_its_code_and_its_trap(trained, name):
    trained.session_state["libraries_library"] = name
    trained.run()
    assert not trained.exception
    leaves = trained.session_state["libraries:visit"].runs[name].run.leaves
    assert list(trained.dataframe[0].value["path"]) == [leaf.path for leaf in leaves]
    module = libraries.load(name)
    for shown in (*module.SHOWN, *module.TRAP.parts, module.TRAP.broken, module.TRAP.fixed):
        called = shown.__name__ if isinstance(shown, type) else source._code(shown).co_name
        assert html_of(trained, f"the code of {called}")
    trained.button(key="run_trap").click().run()
    assert not trained.exception
    assert any(module.TRAP.claim == each.value for each in trained.markdown)
    assert len(html_of(trained, "gives <b>")) == (1 if name == "equinox" else 2)
    if name == "equinox":
        assert html_of(trained, "<b>ValueError</b>: Attempted to use old state")


def test_one_library_can_be_trained_alone():
    app = opened(steps="30", library=INSTALLED[-1])
    app.button(key="train_this").click().run()
    assert not app.exception
    assert set(app.session_state["libraries:visit"].runs) == {INSTALLED[-1]}
    assert app.get("plotly_chart")


def test_another_key_starts_over(trained):
    app = opened(steps="30")
    app.button(key="train_by_hand").click().run()
    assert app.session_state["libraries:visit"].runs
    app.number_input(key="libraries_seed").set_value(1).run()
    assert not app.session_state["libraries:visit"].runs
    assert "train_this" in keys(app)


@pytest.fixture
def missing(monkeypatch):
    """Python without the three libraries."""
    find = importlib.util.find_spec
    packages = {library.package for name, library in libraries.LIBRARIES.items() if name != "by_hand"}
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *args: None if name in packages else find(name, *args)
    )


@pytest.mark.parametrize("name", [name for name in libraries.LIBRARIES if name != "by_hand"])
def test_a_missing_library_says_how_to_install_it_and_the_rest_works(missing, name):
    app = opened(steps="30", library=name)
    assert not app.exception
    command = f'pip install "{libraries.LIBRARIES[name].requirement}"'
    assert any(command in note.value for note in app.info)
    assert app.code[0].value == command
    [table] = html_of(app, "furthest from by hand")
    assert table.count("is not installed") == 3
    assert f"train_{name}" not in keys(app)
    app.button(key="train_all").click().run()
    assert not app.exception
    assert set(app.session_state["libraries:visit"].runs) == {"by_hand"}


@pytest.mark.parametrize(
    ("setting", "text"), [("seed", "-1"), ("seed", "x"), ("steps", "7"), ("step", "301"), ("library", "torch")]
)
def test_a_bad_setting_gives_the_default_and_a_note(setting, text):
    app = opened(**{setting: text})
    assert not app.exception
    assert any(f"asks for {setting} = " in note.value for note in app.info)


def test_every_experiment_runs_and_shows_its_result(trained):
    pytest.importorskip("flax")
    pytest.importorskip("equinox")
    pytest.importorskip("haiku")
    for title in ("Count the wires", "Take an NNX object apart", "Write on an Equinox module", "Ask Haiku for names"):
        tape = result(trained, "libraries", title)
        assert raised(tape) == ("FrozenInstanceError" if title.startswith("Write") else "")


def test_equal_curves_can_be_told_apart():
    looks = figures.LOOKS.values()
    assert list(figures.LOOKS) == list(libraries.LIBRARIES)
    assert len({look.symbol for look in looks}) == len({look.width for look in looks}) == len(looks)
