"""What the tests of the pages share: a visit, and what it shows."""

import re
from pathlib import Path

from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).parents[2]


def opened(name: str, /, **query: str) -> AppTest:
    """The page of a lesson, reached from the home page as a visitor would."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=300)
    for key, value in query.items():
        app.query_params[key] = value
    return app.run() if name == "home" else app.switch_page(f"pages/{name}.py").run()


def html_of(app: AppTest, part: str) -> list[str]:
    """Every piece of HTML on the page that holds `part`, in order."""
    return [body for element in app.get("html") if part in (body := element.proto.body)]


def step(app: AppTest, times: int = 1) -> AppTest:
    """Press Step so often."""
    for _ in range(times):
        app.button(key="step").click().run()
        assert not app.exception
    return app


def lanes(app: AppTest, name: str) -> dict:
    """The programs on a stage, by panel."""
    return app.session_state[f"{name}:lanes"]


def experiments(app: AppTest, lesson: str) -> list[str]:
    """The titles of a lesson's experiments."""
    group = next(each for each in app.get("button_group") if each.key == f"{lesson}_experiment")
    return [option if isinstance(option, str) else option.content for option in group.options]


def raised(told: str) -> str:
    """The type of the error that an experiment's result tells of, or nothing where it ended well."""
    error = re.match(r"(\w*(?:Error|Exception)): ", told)
    return error[1] if error else ""


def result(app: AppTest, lesson: str, experiment: str) -> str:
    """What an experiment shows once it was run."""
    app.session_state[f"{lesson}_experiment"] = experiment
    app.run()
    app.button(key="run").click().run()
    assert not app.exception
    return html_of(app, '<output class="tape">')[-1].partition(">")[2].partition("<")[0]
