"""The randomness lesson, as Streamlit runs it."""

from functools import partial

import jax
import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from statecore.randomness import keytree, trees
from stateui.figures import randomness as figures
from tests.pages import helpers
from tests.pages.helpers import html_of, lanes, result, step

opened = partial(helpers.opened, "randomness")


def tapes(app: AppTest) -> dict[str, list[float]]:
    return {key: [float(each) for each in lane.tape] for key, lane in lanes(app, "randomness").items()}


@pytest.mark.parametrize("mistake", ["numpy", "self", "reuse"])
@pytest.mark.parametrize("fix", ["split", "fold_in"])
def test_the_broken_side_repeats_itself_and_the_fixed_one_does_not(mistake, fix):
    app = step(opened(mistake=mistake, fix=fix, seed="7"), 3)
    drawn = tapes(app)
    assert ("plain" in drawn) is (mistake != "reuse")
    assert len(set(drawn["broken"])) == 1
    assert len(set(drawn["fixed"])) == len(set(drawn.get("plain", drawn["fixed"]))) == 3
    assert any("The machine says **one number, three times**" in each.value for each in app.markdown)


def test_the_function_inside_the_wrapper_is_shown_and_lit_while_it_is_traced():
    app = step(opened())
    called = html_of(app, "What is called")
    assert ">split</span>" in called[-1]
    assert called[-1].count('data-ran="true"') == 4
    step(app)
    assert html_of(app, "What is called")[-1].count('data-ran="true"') == 0


def test_another_seed_starts_at_call_0_with_other_numbers():
    app = step(opened(), 2)
    before = tapes(app)["fixed"]
    app.number_input(key="randomness_seed").set_value(5).run()
    assert {len(tape) for tape in tapes(app).values()} == {0}
    assert set(tapes(step(app, 2))["fixed"]).isdisjoint(before)


@pytest.mark.parametrize(
    ("setting", "text"), [("mistake", "none"), ("fix", "luck"), ("seed", "-1"), ("seed", "1.5"), ("step", "x")]
)
def test_a_bad_setting_gives_the_default_and_one_note(setting, text):
    app = opened(**{setting: text})
    assert not app.exception
    assert sum(f"asks for {setting} = " in note.value for note in app.info) == 1


def test_the_trees_are_grown_and_counted():
    app = opened()
    assert html_of(app, "drawn from once")
    app.session_state["randomness_draws"] = 4
    app.button(key="grow").click().run()
    assert not app.exception
    seen = {}
    for name in ("deep", "wide", "folded", "one key for all", "same number folded", "split and folded"):
        app.session_state["randomness_tree"] = name
        app.run()
        (counted,) = html_of(app, "uses of reused keys")
        seen[name] = [part.partition("<")[0] for part in counted.split("<td>")[1:]]
    # keys, deep, wide, uses of reused keys, numbers drawn, different ones
    assert seen == {
        "deep": ["9", "4", "2", "0", "4", "4"],
        "wide": ["5", "1", "4", "0", "4", "4"],
        "folded": ["5", "1", "4", "0", "4", "4"],
        "one key for all": ["1", "0", "1", "4", "4", "1"],
        "same number folded": ["5", "1", "4", "4", "4", "1"],
        "split and folded": ["6", "1", "5", "2", "2", "1"],
    }


def test_two_works_asked_for_at_once_are_both_done():
    app = opened()
    for name in ("clouds", "start"):
        app.session_state[f"randomness:{name}:asked"] = True
    app.run()
    assert not app.exception
    assert html_of(app, "<b>KeyReuseError</b>")
    assert not html_of(app, '<th scope="row">correlation</th><td> </td>')


def test_a_tree_s_picture_says_what_became_of_each_key():
    grown = keytree.key_tree(lambda key: trees.split_and_folded(key, 3), jax.random.key(0))
    picture = {trace.name: trace for trace in figures.key_tree(grown).data if trace.name}
    assert {name: len(trace.x) for name, trace in picture.items()} == {
        "used again": 2, "split": 1, "folded": 0, "drawn from once": 0, "not used": 2,
    }  # fmt: skip
    assert picture["used again"].text == ("used 2×", "used 2×")
    assert len({trace.marker.symbol for trace in picture.values()}) == len(picture)
    deep = keytree.key_tree(lambda key: trees.deep(key, 5), jax.random.key(0))
    places = [(x, y) for trace in figures.key_tree(deep).data[1:] for x, y in zip(trace.x, trace.y, strict=True)]
    assert len(set(places)) == len(places) == 11


def test_reused_draws_lie_on_a_line_and_fresh_ones_do_not():
    app = opened()
    app.button(key="draw").click().run()
    assert not app.exception
    _, found = app.session_state["randomness:clouds:done"]
    assert [abs(each.rank_correlation) > 0.99 for each in found] == [True] * 3 + [False] * 2
    assert len(html_of(app, "correlation of ranks")) == 2


def test_the_documentations_start_is_caught_and_fixed():
    app = opened()
    app.button(key="start_both").click().run()
    assert not app.exception
    _, (seen, error, many, other, no_error, others) = app.session_state["randomness:start:done"]
    assert (seen.weight, seen.bias) == (seen.first_x, seen.first_noise)
    assert isinstance(error, jax.errors.KeyReuseError)
    assert np.array_equal(many.weight, many.first_x)
    assert not other.same_numbers
    assert no_error is None
    assert abs(np.corrcoef(others.weight, others.first_x)[0, 1]) < 0.2
    assert html_of(app, "✗ yes: weight == xs[0], bias == noise[0]")
    assert html_of(app, "<b>KeyReuseError</b>")
    assert html_of(app, "nothing to say")


# what each experiment shows: so many numbers, so many of them different; or the beginning of its text
NUMBERS = {
    "Split twice": (2, 1),
    "Same seed elsewhere": (2, 1),
    "The old key again": (3, 1),
    "Checked, an old-style key": (2, 1),
    "Checked, split and folded": (2, 1),
    "Two, or three": (2, 1),
    "A generator on a Ref": (3, 3),
}
TEXTS = {"Checked": "KeyReuseError: ", "All at once": "True", "…under vmap": "Exception: performing"}


def test_the_page_offers_these_experiments():
    assert set(helpers.experiments(opened(), "randomness")) == {*NUMBERS, *TEXTS}


@pytest.mark.parametrize(("title", "counts"), NUMBERS.items())
def test_an_experiment_shows_its_numbers(title, counts):
    shown = result(opened(), "randomness", title).strip("[]").split(", ")
    numbers = [float(each.replace("−", "-")) for each in shown]
    assert (len(numbers), len(set(numbers))) == counts


@pytest.mark.parametrize(("title", "beginning"), TEXTS.items())
def test_an_experiment_shows_its_text(title, beginning):
    assert result(opened(), "randomness", title).startswith(beginning)


def test_two_visitors_do_not_mix():
    first, second = step(opened(seed="1"), 2), step(opened(seed="2"))
    assert (len(tapes(first)["fixed"]), len(tapes(second)["fixed"])) == (2, 1)
    assert lanes(second, "randomness")["fixed"].moment.seen.traced
