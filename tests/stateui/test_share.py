"""Settings in the address: what fits is used, what does not gives the default and a note."""

import pytest
from streamlit.testing.v1 import AppTest

from stateui import share


@pytest.mark.parametrize(("text", "value"), [("0", 0), ("7", 7), ("100", 100)])
def test_a_whole_number_within_bounds(text, value):
    assert share.whole(1, 0, 100).parse(text) == value


@pytest.mark.parametrize("text", ["", "-1", "101", "1.5", "x", "nan", "inf", "1e3", "0x10", "9" * 5000])
def test_anything_else_is_not_a_whole_number(text):
    with pytest.raises((ValueError, OverflowError)):
        share.whole(1, 0, 100).parse(text)


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "1e400", "2", "", "--"])
def test_a_real_number_is_finite_and_within_bounds(text):
    with pytest.raises(ValueError, match=r"."):
        share.real(0.5, 0.0, 1.0).parse(text)


def test_a_choice_is_one_of_its_values_with_its_type():
    assert share.choice(128, (16, 128)).parse("16") == 16
    with pytest.raises(KeyError):
        share.choice(128, (16, 128)).parse("17")


def page():
    import streamlit as st

    from stateui import share

    settings = {"seed": share.whole(42, 0, 99), "rate": share.real(0.5, 0.0, 1.0)}
    share.read("demo", settings)
    st.number_input("seed", 0, 99, key="demo_seed")
    st.slider("rate", 0.0, 1.0, key="demo_rate")
    share.keep("demo", settings, say="hello")


def opened(**query) -> AppTest:
    app = AppTest.from_function(page)
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def address(app: AppTest) -> str:
    return app.get("bidi_component")[-1].proto.json


def test_values_seed_the_widgets_and_other_names_are_left_alone():
    app = opened(seed="7", embed="true")
    assert app.number_input(key="demo_seed").value == 7
    assert app.slider(key="demo_rate").value == 0.5
    assert not app.info


def test_a_note_names_the_value_without_letting_it_speak_markdown():
    app = opened(seed="**99999**<b>")
    assert app.number_input(key="demo_seed").value == 42
    assert "\\*\\*99999\\*\\*\\<b\\>" in app.info[0].value
    assert "whole number from 0 to 99" in app.info[0].value


def test_a_widget_keeps_its_new_value_and_the_address_follows():
    app = opened(seed="7")
    app.number_input(key="demo_seed").set_value(8).run()
    assert app.number_input(key="demo_seed").value == 8
    assert "seed=8" in address(app)
    assert "rate" not in address(app)


def test_an_old_address_of_ours_does_not_undo_a_later_change():
    app = opened(seed="7")
    app.number_input(key="demo_seed").set_value(8).run()
    app.query_params["seed"] = "7"  # what the browser still sends when two changes follow each other closely
    app.number_input(key="demo_seed").set_value(9).run()
    assert app.number_input(key="demo_seed").value == 9


def test_a_new_address_is_taken():
    app = opened(seed="7")
    app.query_params["seed"] = "55"
    app.run()
    assert app.number_input(key="demo_seed").value == 55
