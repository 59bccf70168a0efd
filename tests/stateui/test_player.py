"""What a player gets: float32 in base64, and an identity that follows the data and not the cursor."""

import base64
from dataclasses import replace
from pathlib import Path

import numpy as np

from statecore import regression
from statecore.regression import sides
from statecore.work import finish
from stateui.parts.regression_show import DRAWN_POINTS, regression_show
from stateui.player import packed
from stateui.player.spec import Fork


def trained(points: int = 128, steps: int = 1_000, rate: float = 0.005) -> sides.Sides:
    data_key, params_key = regression.separate_keys(42)
    return finish(sides.begin(regression.make_data(data_key, points), regression.init(params_key), rate, steps))


def shown(run: sides.Sides, serial: int = 0):
    return regression_show(run, (2.0, -1.0), 0, Fork("rate", 0.001, 3.0, run.training.learning_rate, serial))


def numbers(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), "<f4")


def test_every_number_arrives_with_its_bits_inf_and_nan_too():
    run = trained(rate=2.5)
    sent = packed(shown(run))["columns"]
    assert not np.isfinite(numbers(sent["loss0"])).all()
    for name, column in (
        ("weight0", run.training.history.states.weight),
        ("loss0", run.training.history.loss),
        ("hidden", run.beside.losses),
    ):
        assert numbers(sent[name]).tobytes() == column.tobytes()


def test_a_thousand_steps_are_small():
    sent = packed(shown(trained()))
    history = sum(len(sent["columns"][name]) for name in ("weight0", "bias0", "loss0"))
    assert history <= 3 * (1001 * 4 * 4 / 3 + 4)
    assert sum(len(column) for column in sent["columns"].values()) < 64_000


def test_the_identity_follows_data_and_fork_but_not_the_cursor():
    show = shown(trained())
    same = packed(replace(show, step=500))
    assert packed(show)["id"] == same["id"]
    assert packed(shown(trained(), serial=1))["id"] != same["id"]
    assert packed(shown(trained(rate=0.006)))["id"] != same["id"]


def test_many_points_are_drawn_thinned():
    sent = packed(shown(trained(points=10_000, steps=100)))
    assert 0 < len(numbers(sent["columns"]["x"])) <= DRAWN_POINTS


def test_every_column_that_a_picture_names_is_sent():
    run = finish(sides.fork(trained(), 250, 0.1))
    sent = packed(shown(run))
    named = set()

    def collect(thing):
        if isinstance(thing, dict):
            for key, value in thing.items():
                if key in {"column", "grid", "x", "y", "weight", "bias"} and isinstance(value, str):
                    named.add(value)
                collect(value)
        elif isinstance(thing, (list, tuple)):
            for each in thing:
                collect(each)

    collect([sent["panels"], sent["views"]])
    assert len(named) >= 8
    assert named <= set(sent["columns"])


def test_the_player_loads_nothing_from_elsewhere():
    folder = Path(__file__).parents[2] / "stateui" / "player"
    files = [path for path in folder.iterdir() if path.suffix in {".js", ".css", ".html"}]
    assert len(files) == 3
    for path in files:
        assert "http" not in path.read_text(encoding="utf-8")


def test_the_baked_line_and_what_is_left_on_self_are_what_was_found():
    run = trained(steps=100)
    weight, bias = run.beside.baked
    sent = packed(shown(run))
    assert numbers(sent["columns"]["baked_weight"]) == weight
    assert numbers(sent["columns"]["baked_bias"]) == bias
    texts = {readout.name: readout.text for readout in shown(run).panels[0].readouts}
    assert texts["weight"] == str(run.beside.left.weight)
    # another finding is another picture: nothing of it is written down
    constants = tuple(replace(constant, value=np.float32(7)) for constant in run.beside.kept.constants)
    kept = replace(run.beside.kept, constants=constants)
    forged = replace(run, hidden=(replace(run.beside, kept=kept, left=regression.Params(3.0, 4.0)),))
    assert numbers(packed(shown(forged))["columns"]["baked_weight"]) == 7
    assert {readout.name: readout.text for readout in shown(forged).panels[0].readouts}["bias"] == "4"
