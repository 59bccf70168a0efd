"""The jaxpr on screen: the text as JAX prints it, with what was baked in and what comes in marked."""

import html
import re

from statecore import counter, lockstep
from statecore.regression.programs import programs as regression
from stateui import program


def kept(programs, key):
    return lockstep.step(lockstep.start(programs[key])).kept


def marks(text: str) -> list[tuple[str, str]]:
    return re.findall(r'<mark class="(\w+)"[^>]*>(.*?)</mark>', text)


def test_the_text_is_not_changed_by_the_marks():
    for programs in (counter.PROGRAMS, regression()):
        for key in ("broken", "fixed"):
            found = kept(programs, key)
            assert html.unescape(re.sub(r"<[^>]+>", "", program.marked(found))) == found.text


def test_the_baked_constant_and_the_argument_are_marked():
    assert marks(program.marked(kept(counter.PROGRAMS, "broken"))) == [("baked", "1:i32[]")]
    assert marks(program.marked(kept(counter.PROGRAMS, "fixed"))) == [("argument", "a:i32[]")]


def test_the_trainer_s_params_and_rate_are_marked_as_baked():
    found = marks(program.marked(kept(regression(), "broken")))
    assert {text for kind, text in found if kind == "baked"} >= {"a:f32[]", "b:f32[]"}
    assert {text for kind, text in found if kind == "argument"} == {"c:f32[128,1]", "d:f32[128,1]"}
