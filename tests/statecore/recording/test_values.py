"""Any value becomes plain: immutable, comparable, and back from JSON."""

import collections
import dataclasses
import enum
import json
import threading
import typing

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from statecore.recording import Moment, Recording, Track, dumps, loads
from statecore.recording.texts import LONGEST, readable, short
from statecore.recording.values import (
    DEEPEST,
    MOST,
    PARTS,
    Array,
    Complex,
    Float,
    Key,
    Raised,
    Ref,
    Thing,
    Tracer,
    Tree,
    plain,
)


class Text(str):
    __slots__ = ()


class Whole(int):
    pass


class Mode(enum.Enum):
    A = 1


class Number(enum.IntEnum):
    A = 1


class Name(str, enum.Enum):  # noqa: UP042  # what people write
    A = "x"


class Pair(typing.NamedTuple):
    a: object
    b: object


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class State:
    w: object
    n: int = dataclasses.field(default=1, metadata={"static": True})


class Bad:
    def __repr__(self):
        raise ValueError("no")


class NoText:
    def __repr__(self):
        return 3


class Long:
    def __init__(self, last):
        self.last = last

    def __repr__(self):
        return "x" * 10**6 + self.last


class Mapping(collections.abc.Mapping):
    def __getitem__(self, key):
        raise RuntimeError

    def __iter__(self):
        raise RuntimeError

    def __len__(self):
        return 1


class Liar:
    @property
    def __class__(self):
        raise RuntimeError("class")


class NoMessage(Exception):
    def __str__(self):
        raise ValueError


class Short(tuple):
    __slots__ = ()
    _fields = ("a", "b")


class Pointer:
    def __repr__(self):
        return f"Pointer(0x{id(self):012x})"


def itself(kind):
    made = kind()
    made.append(made) if kind is list else made.update(x=made)
    return made


def deleted():
    array = jnp.arange(3.0)
    array.delete()
    return array


def deep(levels=5000):
    value = 1
    for _ in range(levels):
        value = [value]
    return value


def broad():
    value = [1]
    for _ in range(40):
        value = [value, value]
    return value


FLOATS = (jnp.bfloat16, jnp.float8_e4m3fn, jnp.float16, jnp.float32)
MAKERS = [
    lambda: Text("a"),
    lambda: Whole(3),
    lambda: Mode.A,
    lambda: Number.A,
    lambda: Name.A,
    lambda: Pair(1, [2]),
    lambda: State(jnp.zeros(2)),
    Bad,
    NoText,
    lambda: Long("a"),
    Mapping,
    Liar,
    NoMessage,
    lambda: Short((1,)),
    Pointer,
    lambda: itself(list),
    lambda: itself(dict),
    deep,
    broad,
    deleted,
    lambda: jax.new_ref(jnp.arange(3.0)),
    lambda: [jax.new_ref(jnp.zeros(()))],
    lambda: ExceptionGroup("g", [ValueError("a")]),
    lambda: KeyboardInterrupt("x"),
    ValueError,
    lambda: "\ud800",
    lambda: 10**5000,
    lambda: -(10**5000),
    lambda: np.array([object(), 1]),
    lambda: np.array(["a", "\ud800"]),
    lambda: np.array(["2020-01-01"], "M8[D]"),
    lambda: np.timedelta64(3, "s"),
    lambda: np.datetime64("NaT", "D"),
    lambda: np.bool_(True),
    lambda: np.int64(2**63 - 1),
    lambda: np.uint64(2**64 - 1),
    lambda: np.longdouble("1.1"),
    lambda: np.clongdouble(1),
    lambda: np.zeros(2, [("a", "i4"), ("b", "f4")]),
    lambda: np.void(b"abc"),
    lambda: jax.random.key(1),
    lambda: jax.random.key(1, impl="rbg"),
    lambda: jax.random.split(jax.random.key(0), 100),
    lambda: jax.random.PRNGKey(0),
    lambda: jax.random.split(jax.random.key(0), 0),
    lambda: jnp.zeros((0, 3)),
    lambda: jnp.asarray(1.0),
    lambda: jnp.arange(1000),
    lambda: lambda: 1,
    lambda: [].append,
    lambda: int,
    threading.Lock,
    lambda: {1, 2},
    lambda: frozenset("abcdef"),
    lambda: {1: 2, "1": 3, (1,): 4},
    lambda: (x for x in ()),
    lambda: range(3),
    lambda: collections.deque([1]),
    lambda: b"abc",
    lambda: ...,
    lambda: np.ma.masked_array([1, 2], [True, False]),
    lambda: jax.tree_util.Partial(print, 1),
    lambda: jax.ShapeDtypeStruct((2,), jnp.float32),
    lambda: np.random.default_rng(0),
    lambda: threading,
    lambda: np.float64(2.5),
    lambda: jnp.ones(2, jnp.int4),
    lambda: np.ones(2, ml_dtypes.int4),
    lambda: jnp.ones(2, jnp.complex64),
    lambda: memoryview(b"a"),
    *(lambda kind=kind: jnp.asarray([jnp.inf, -0.0, 1.0, jnp.nan], jnp.float32).astype(kind) for kind in FLOATS),
]


def of(value):
    return Recording((Track("a", (), (), (Moment(outcome=value),)),))


def is_good(value):
    """Immutable, of bounded size, with bytes in JSON, and back from there."""
    hash(value)
    text = dumps(of(value))
    assert len(text.encode()) < 200_000
    assert loads(text) == of(value)
    assert "0x" not in text
    json.loads(text, parse_constant=pytest.fail)


@pytest.mark.parametrize("make", MAKERS)
def test_any_value_becomes_plain(make):
    value = make()
    is_good(plain(value))
    is_good(plain([value]))
    assert repr(plain(value)) == repr(plain(value))


BASIC = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.complex_numbers() | st.text() | st.binary(max_size=4)
)
KEYS = st.integers() | st.text(max_size=3) | st.booleans() | st.tuples(st.integers())
NESTED = st.recursive(
    BASIC,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(KEYS, inner, max_size=4)
        | st.tuples(inner, inner)
        | st.builds(Pair, inner, inner)
        | st.builds(State, inner)
    ),
)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(NESTED)
def test_nested_values_become_plain(value):
    is_good(plain(value))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.floats(width=32), max_size=MOST), st.sampled_from(["float32", "float16", "bfloat16", "complex64"]))
def test_arrays_keep_every_number(numbers, dtype):
    with np.errstate(all="ignore"):
        array = np.asarray(numbers, np.float32).astype(ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype)
    made = plain(array)
    is_good(made)
    assert made.type == f"{dtype}[{len(numbers)}]"
    back = np.asarray([float(each) for each in made.data], np.float32)
    back = back.reshape(-1, 2)[:, 0] if dtype == "complex64" else back
    np.testing.assert_array_equal(back, np.real(array).astype(np.float32))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (float("nan"), Float("nan")),
        (-float("inf"), Float("-inf")),
        (complex("nan+1j"), Complex("nan", 1.0)),
        ([1, (True,)], Tree("list", (("0", 1), ("1", Tree("tuple", (("0", True),)))))),
        (Pair(1, 2), Tree("Pair", (("a", 1), ("b", 2)))),
        (State(1, 2), Tree("State", (("w", 1), ("n", 2)))),
        ({"a": 1, 2: 3}, Tree("dict", (("a", 1), ("[2]", 3)))),
        ({"b", "a"}, Tree("set", (("0", "a"), ("1", "b")))),
        (KeyError("x"), Raised("KeyError", "'x'")),
        (ValueError(), Raised("ValueError", "")),
        (NoMessage(), Raised("NoMessage", "")),
        (Bad(), Thing("Bad", "it cannot be written: ValueError")),
        (Mapping(), Thing("Mapping", "it cannot be read: RuntimeError")),
        (object(), Thing("object", "<object object>")),
        (Mode.A, Thing("Mode", "<Mode.A: 1>")),
        (Text("a"), Thing("Text", "'a'")),
        (np.uint64(2**64 - 1), Array("uint64[]", (2**64 - 1,))),
        (np.ones(2, ml_dtypes.int4), Array("int4[2]", (1, 1))),
    ],
)
def test_values_become(value, expected):
    assert plain(value) == expected


def test_jax_values_become():
    assert plain(jnp.asarray(1.0)) == Array("~float32[]", (1.0,))
    assert plain(jnp.float32(1.0)) == Array("float32[]", (1.0,))
    assert plain(jax.random.key(7)) == Key("key<fry>[]", (0, 7))
    assert plain(deleted()) == Thing("Array", "float32[3], deleted")
    assert plain(jax.new_ref(jnp.ones(2))) == Ref(Array("float32[2]", (1.0, 1.0)))
    assert plain(itself(list)) == Tree("list", (("0", Thing("list", "it holds itself")),))


def test_tracers_become_their_type():
    seen = []

    @jax.jit
    def f(x, key):
        seen.append(plain({"x": x, "key": key, "ref": jax.new_ref(x)}))
        return x

    f(jnp.zeros(3), jax.random.key(0))
    is_good(seen[0])
    types = {"x": "float32[3]", "key": "key<fry>[]", "ref": "Ref{float32[3]}"}
    assert dict(seen[0].parts) == {name: Tracer(type_) for name, type_ in types.items()}


def test_what_is_large_is_told_apart_by_its_digest():
    large = np.arange(MOST + 1)
    other = large.copy()
    other[-1] += 1
    assert plain(large).data == ()
    assert plain(large) == plain(large.copy()) != plain(other)
    keys = jax.random.split(jax.random.key(0), 50)
    assert plain(keys) != plain(keys[::-1])
    for one, two in ((Long("a"), Long("b")), ("z" * 10**5 + "a", "z" * 10**5 + "b"), (10**5000, 10**5000 + 1)):
        assert repr(plain(one)) != repr(plain(two))
        assert len(repr(plain(one))) < LONGEST + 200


def test_reading_ends():
    is_good(plain(broad()))
    is_good(plain(list(range(10**6))))
    assert plain(list(range(10**6))).parts[-1] == ("…", Thing("more", f"{10**6 - PARTS + 1} more"))
    level = plain(deep())
    for _ in range(DEEPEST):
        level = level.parts[0][1]
    assert isinstance(level, Thing)


def test_a_plain_value_is_detached():
    state = {"a": [np.zeros(2)]}
    before = plain(state)
    state["a"][0][0] = 1
    state["a"].append(2)
    assert before == plain({"a": [np.zeros(2)]})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<f at 0x7f0011223344>", "<f>"),
        ("P(0x7f0011223344)", "P()"),
        ("mask 0xff", "mask 0xff"),
        ("1 / 2", "1 / 2"),
        ("at /nowhere/there/file.py:3", "at file.py:3"),
        ("'/nowhere/a.so'", "'a.so'"),
        ("see https://docs.jax.dev/en/latest/errors.html", "see https://docs.jax.dev/en/latest/errors.html"),
        ("\udc80", "\\udc80"),
    ],
)
def test_texts_lose_what_is_of_this_machine(text, expected):
    assert readable(text) == expected


def test_files_are_named_from_where_python_finds_them():
    assert short(jax.__file__) == "jax/__init__.py"
    assert short(threading.__file__) == "threading.py"
    assert short("/nowhere/at/all.py") == "all.py"
    assert short("<string>") == "<string>"
