"""Recordings as JSON: back without loss, and whatever is no recording is refused."""

import copy
import json
import math
import random
from importlib import resources

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from statecore import counter
from statecore.recording import NotARecording, Recording, Track, dumps, loads, record
from statecore.recording.data import Moment
from statecore.recording.values import Array, Complex, Float, Key, Tree
from tests.statecore.recording.strategies import recordings

SLOW = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
VALID = jsonschema.Draft202012Validator(
    json.loads(resources.files("statecore.recording").joinpath("schema.json").read_text("utf-8"))
)


def strict(text):
    def refuse(name):
        raise AssertionError(name)

    return json.loads(text, parse_constant=refuse)


def of(outcome):
    return Recording((Track("a", (), (), (Moment(outcome=outcome),)),))


@pytest.fixture(scope="module")
def counters():
    return record(counter.PROGRAMS, 3)


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(VALID.schema)


def test_the_counters_come_back(counters):
    text = dumps(counters)
    assert loads(text) == loads(text.encode()) == counters
    assert dumps(loads(text)) == text
    VALID.validate(strict(text))


@SLOW
@given(recordings())
def test_any_recording_comes_back(recording):
    text = dumps(recording)
    assert text.encode()
    again = loads(text)
    assert again == recording
    assert repr(again) == repr(recording)
    assert hash(again) == hash(recording)
    assert dumps(again) == text
    VALID.validate(strict(text))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, True),
        (0, False),
        (Float(0.0), Float(-0.0)),
        (Float(1.0), 1),
        (Array("int32[1]", (1,)), Array("int32[1]", (True,))),
        (Complex(0.0, -0.0), Complex(0.0, 0.0)),
        (Tree("list", (("0", 1),)), Tree("list", (("0", True),))),
        ("nan", Float("nan")),
    ],
)
def test_what_python_calls_equal_is_told_apart(one, other):
    assert of(one) != of(other)
    moment = Moment(before=(("n", one),), after=(("n", other),))
    assert moment.changed == ("n",)
    recording = Recording((Track("a", (), (("n", one),), (moment,)),))
    assert loads(dumps(recording)) == recording


def test_nan_equals_itself():
    assert of(Float("nan")) == loads(dumps(of(Float("nan"))))
    assert of(Key("key<fry>[]", (0, 1))) != of(Key("key<fry>[]", (0, 2)))


def test_half_a_character_has_bytes():
    assert loads(dumps(of("\ud800")).encode()) == of("\ud800")


VALUE = {"version": 1, "files": ["a.py"], "lines": [[0, 1]]}


def text_of(value, **others):
    moment = {"outcome": value} | others
    track = {"name": "a", "codes": [], "start": [], "moments": [{}, moment], "programs": []}
    return json.dumps(VALUE | {"tracks": [track]})


AT = "tracks[0].moments[1]"


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (0.5, ".outcome"),
        ([], ".outcome"),
        ({}, ".outcome"),
        ({"float": 1}, ".outcome.float"),
        ({"float": "NaN"}, ".outcome.float"),
        ({"float": True}, ".outcome.float"),
        ({"float": []}, ".outcome.float"),
        ({"float": {}}, ".outcome.float"),
        ({"complex": [0.0]}, ".outcome.complex"),
        ({"complex": [0.0, 1]}, ".outcome.complex[1]"),
        ({"int": "7"}, ".outcome.int"),
        ({"int": " 90071992547409920"}, ".outcome.int"),
        ({"int": "9" * 5000}, ".outcome.int"),
        ({"int": "٣" * 20}, ".outcome.int"),
        ({"int": "1_000_000_000_000_000_000"}, ".outcome.int"),
        (2**53, ".outcome"),
        ({"array": "f[1]"}, ".outcome.data"),
        ({"array": "f[1]", "data": [None]}, ".outcome.data[0]"),
        ({"array": "f[1]", "data": [], "digest": "0" * 16}, ".outcome.digest"),
        ({"array": "f", "digest": "x"}, ".outcome.digest"),
        ({"key": "k", "data": [-1]}, ".outcome.data[0]"),
        ({"tracer": 1}, ".outcome.tracer"),
        ({"ref": {"ref": 0.5}}, ".outcome.ref.ref"),
        ({"tree": "t", "parts": [["a"]]}, ".outcome.parts[0]"),
        ({"tree": "t", "parts": [[1, 1]]}, ".outcome.parts[0][0]"),
        ({"error": "E"}, ".outcome.message"),
        ({"thing": "T", "text": "", "x": 1}, ".outcome.x"),
        ({"tracer": "a", "ref": 1}, ".outcome"),
        ({"tracer": "a", "text": ""}, ".outcome"),
    ],
)
def test_a_wrong_value_is_named(value, path):
    with pytest.raises(NotARecording) as caught:
        loads(text_of(value))
    assert str(caught.value).startswith(AT + path + ":")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("ran", 1),
        ("ran", -1),
        ("ran", True),
        ("ran", 0.0),
        ("traced", 1),
        ("runs", -1),
        ("runs", 2**53),
        ("kept", 0),
        ("printed", "a"),
        ("again", None),
        ("after", {}),
        ("before", [["n"]]),
        ("trace", [[0, []]]),
        ("nothing", 1),
    ],
)
def test_a_wrong_field_of_a_moment_is_named(field, value):
    with pytest.raises(NotARecording) as caught:
        loads(text_of(None, **{field: value}))
    assert str(caught.value).startswith(f"{AT}.{field}")


def test_the_part_of_a_moment_is_named_too():
    with pytest.raises(NotARecording, match=r"^tracks\[0\]\.moments\[1\]\.trace\[0\]\[1\]\[0\]\[1\]: expected text"):
        loads(text_of(None, trace=[[0, [["x", 1]], []]]))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "1",
        "{}",
        b"\xff\xfe\xff",
        b"\x80",
        "[" * 100_000,
        '{"a":' * 100_000,
        "9" * 5000,
        "NaN",
        None,
        3,
        '{"version":1,"version":1,"tracks":[],"files":[],"lines":[]}',
        '{"version":2,"future":1}',
        '{"version":true}',
        '{"version":1,"tracks":[],"files":[],"lines":[[0]]}',
        '{"version":1,"tracks":[],"files":["a"],"lines":[[0,-2]]}',
        '{"version":1,"tracks":[],"files":["a"],"lines":[[-1]]}',
        '{"version":1,"tracks":[],"files":["a"],"lines":[[0.0]]}',
    ],
)
def test_what_is_no_recording_is_refused(text):
    with pytest.raises(NotARecording):
        loads(text)


@pytest.mark.parametrize("depth", [50, 300, 900, 20_000])
@pytest.mark.parametrize("parts", [('{"ref":', "}"), ('{"tree":"t","parts":[["a",', "]]}")])
def test_depth_is_refused_or_read(depth, parts):
    text = text_of("HERE").replace('"HERE"', parts[0] * depth + "1" + parts[1] * depth)
    if depth == 50:
        assert loads(text).calls == 2
    else:
        with pytest.raises(NotARecording):
            loads(text)


def test_tracks_are_equally_long_and_have_names_of_their_own(counters):
    whole = json.loads(dumps(counters))
    shorter = copy.deepcopy(whole)
    shorter["tracks"][1]["moments"].pop()
    with pytest.raises(NotARecording, match="equally many"):
        loads(json.dumps(shorter))
    whole["tracks"][1]["name"] = whole["tracks"][0]["name"]
    with pytest.raises(NotARecording, match="name of their own"):
        loads(json.dumps(whole))


def test_a_message_is_short():
    for text in (
        json.dumps({"x" * 10**6: 1}),
        text_of(None, runs="y" * 10**6),
        text_of([[["z" * 1000] * 1000] * 1000]),
    ):
        with pytest.raises(NotARecording) as caught:
            loads(text)
        assert len(str(caught.value)) < 400


def test_a_large_recording_is_read():
    moment = '{"ran":0,"outcome":{"array":"int32[3]","data":[1,2,3]}},'
    text = text_of(None).replace('"moments": [{},', '"moments": [' + moment * 60_000)
    assert len(text) > 3_000_000
    assert loads(text).calls == 60_001
    with pytest.raises(NotARecording, match=r"outcome\.data\[2999999\]"):
        loads(text_of({"array": "int32[]", "data": [1] * 2_999_999 + [None]}))


# --- altered JSON -------------------------------------------------------------------------------------------

JUNK = [None, True, 0, -1, 1.5, 1e308, 10**400, "", "nan", [], {}, [0], {"float": 0.5}, {"ref": None}, math.pi, [[]]]


def places(node, path=()):
    yield path
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for name, child in children:
        yield from places(child, (*path, name))


def altered(whole, rng):
    """The JSON with one random place deleted, replaced or added to."""
    whole = copy.deepcopy(whole)
    path = rng.choice([path for path in places(whole) if path])
    parent = whole
    for name in path[:-1]:
        parent = parent[name]
    how, junk = rng.choice(["delete", "replace", "add"]), copy.deepcopy(rng.choice(JUNK))
    if how == "delete":
        del parent[path[-1]]
    elif how == "replace":
        parent[path[-1]] = junk
    elif isinstance(parent, list):
        parent.insert(path[-1], junk)
    else:
        parent[rng.choice(["x", "traced", "data", "tracks"])] = junk
    return whole


@SLOW
@given(st.integers(0, 2**32))
def test_altered_json_is_refused_or_read_and_written_again(counters, seed):
    rng = random.Random(seed)
    text = json.dumps(altered(json.loads(dumps(counters)), rng))
    try:
        recording = loads(text)
    except NotARecording as error:
        assert str(error)  # noqa: PT017
    else:
        assert loads(dumps(recording)) == recording
        VALID.validate(json.loads(text))  # whatever is read, the schema allows


def test_the_schema_refuses_most_of_what_loads_refuses(counters):
    whole, rng = json.loads(dumps(counters)), random.Random(0)
    refused, too = 0, 0
    for _ in range(400):
        wrong = altered(whole, rng)
        try:
            loads(json.dumps(wrong))
        except NotARecording:
            refused += 1
            too += not VALID.is_valid(wrong)
    assert refused > 200
    assert too > 0.9 * refused


@SLOW
@given(st.binary(max_size=60) | st.text(max_size=60))
def test_noise_is_refused(noise):
    with pytest.raises(NotARecording):
        loads(noise)
