"""Where a constant comes from: named where it is certain, and never what was not read."""

import importlib.util
import itertools
import sys
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statecore.counter import Counter, CounterV2
from statecore.observation import observe
from statecore.origins import Origin

X = jnp.arange(3.0)


def origins(function, *args) -> dict[str, Origin]:
    """The origins that are named for one jitted call, by the constant's text."""
    seen = observe(jax.jit(function), *(args or (X,)))
    assert seen.error is None, seen.error
    return {constant.text: constant.origin for constant in seen.kept.baked}


def names(function, *args) -> set[str]:
    return {origin.name for origin in origins(function, *args).values()}


def candidates(function, *args) -> dict[str, tuple[str, ...]]:
    kept = observe(jax.jit(function), *(args or (X,))).kept
    return {constant.text: constant.candidates for constant in kept.constants if constant.candidates}


class Layer:
    def __init__(self, w):
        self.w = w

    def __call__(self, x):
        return x * self.w


class Pair(NamedTuple):
    weight: float
    bias: float


@dataclass
class Settings:
    rate: float = 0.25


class Slots:
    __slots__ = ("k",)

    def __init__(self):
        self.k = 7.0


def times(x, k):
    return x * k


RATE = 11.0


class Model:
    """One attribute for each way in which a number can be held; `w` is never read by its own methods."""

    shared = 13.0

    def __init__(self):
        self.k = 2.0
        self.w = 5.0
        self.layers = [Layer(5.0), Layer(17.0)]
        self.table = {"a": 3.0, "v": jnp.arange(3.0)}
        self.pair = Pair(19.0, 23.0)
        self.settings = Settings()
        self.slots = Slots()
        self.array = np.arange(1.0, 4.0)
        self.scalar = jnp.float32(4)
        self.key = jax.random.key(0)

    @property
    def doubled(self):
        return self.k

    def product(self, x):
        return x * self.k

    def reversed_product(self, x):
        return self.k * x

    def in_place(self, x):
        x *= self.k
        return x

    def compared(self, x):
        return x > self.k

    def called(self, x):
        return jnp.maximum(x, self.k)

    def walrus(self, x):
        return x * (k := self.k) + 0 * k

    def matched(self, x):
        match self.k:
            case 2.0:
                return x * self.k
        return x

    def comprehension(self, x):
        return [x * self.k for _ in range(2)]

    def alias(self, x):
        k = self.k
        return x * k

    def closed_over(self, x):
        k = self.k
        return jax.tree.map(lambda leaf: leaf * k, {"x": x})

    def in_scan(self, x):
        return jax.lax.scan(lambda carry, _: (carry * self.k, None), x, None, length=3)[0]

    def in_cond(self, x):
        return jax.lax.cond(x.sum() > 1, lambda y: y * self.k, lambda y: y, x)

    def in_jit(self, x):
        return jax.jit(lambda y: y * self.k)(x)

    def in_vmap(self, x):
        return jax.vmap(lambda y: y * self.k)(x)

    def in_grad(self, x):
        return jax.grad(lambda y: (y * self.k).sum())(x)

    def over_lines(self, x):
        return x * self.k

    def entry(self, x):
        return x * self.table["a"]

    def captured(self, x):
        return x * self.table["v"]

    def field(self, x):
        return x * self.pair.bias

    def dataclass(self, x):
        return x * self.settings.rate

    def slot(self, x):
        return x * self.slots.k

    def class_attribute(self, x):
        return x * self.shared

    def numpy_array(self, x):
        return x * self.array

    def jax_scalar(self, x):
        return x * self.scalar

    def random_key(self, x):
        return x + jax.random.normal(self.key, x.shape)

    def global_number(self, x):
        return x * RATE

    def helper_object(self, x):
        return self.layers[1](x)

    def returned(self, x):
        return self.k, x


READ = {
    "self.k": (
        "product reversed_product in_place compared called walrus matched comprehension alias closed_over in_scan "
        "in_cond in_jit in_vmap in_grad over_lines returned"
    ),
    "self.table['a']": "entry",
    "self.table['v']": "captured",
    "self.pair.bias": "field",
    "self.settings.rate": "dataclass",
    "self.slots.k": "slot",
    "self.shared": "class_attribute",
    "self.array": "numpy_array",
    "self.scalar": "jax_scalar",
    "self.key": "random_key",
    "RATE": "global_number",
    "self.layers[1].w": "helper_object",
}


@pytest.mark.parametrize(("name", "method"), [(name, each) for name, all_ in READ.items() for each in all_.split()])
def test_what_is_certain_is_named(name, method):
    assert names(getattr(Model(), method)) == {name}


def test_the_counter_read_0_and_keeps_the_1_that_was_written():
    seen = observe(jax.jit(Counter().count))
    assert [each.origin for each in seen.kept.baked] == [Origin("self.n", written=True, first=0)]


def test_the_pure_counter_keeps_only_what_is_written_in_the_code():
    kept = observe(jax.jit(CounterV2().count), 0).kept
    assert [constant.text for constant in kept.constants] == ["1:i32[]"]
    assert (kept.baked, kept.constants[0].candidates) == ((), ())


def test_a_value_that_comes_back_was_written_all_the_same():
    class Swing:
        n = 0

        def count(self):
            self.n += 1
            self.n -= 1
            return self.n

    [constant] = observe(jax.jit(Swing().count)).kept.baked
    assert constant.origin == Origin("self.n", written=True, first=0)


def test_each_number_of_a_loop_has_its_history():
    class Loop:
        k = 2.0

        def run(self, x):
            for _ in range(3):
                x = x * self.k
                self.k += 1
            return x

    found = origins(Loop().run)
    assert {text: (origin.written, origin.first) for text, origin in found.items()} == {
        "2.0:f32[]": (False, 2.0),
        "3.0:f32[]": (True, 2.0),
        "4.0:f32[]": (True, 2.0),
    }


# --- not certain ------------------------------------------------------------------------------------------


def test_a_never_read_attribute_is_not_named():
    class Retry:
        attempts = 2

        def run(self, x):
            return 2 * x

    assert names(Retry().run) == set()
    assert candidates(Retry().run) == {}


@pytest.mark.parametrize("expression", ["helper", "property", "computed", "mean", "default"])
def test_what_position_cannot_tell_is_not_certain(expression):
    class Uncertain:
        k = 3.0
        one = 1.5

        @property
        def given(self):
            return self.k

        def helper(self, x):
            return times(x, self.k)

        def property(self, x):
            return x * self.given

        def computed(self, x):
            str(self.k)
            return x * (self.one + self.one)

        def mean(self, x):
            str(self.k)
            return x.mean()  # divides by 3.0

        def default(self, x, k=3.0):
            str(self.k)
            return x * k

    method = getattr(Uncertain(), expression)
    assert names(method) == set()
    assert candidates(method) == {"3.0:f32[]": ("self.k",)}


def test_what_a_library_reads_for_itself_is_no_candidate():
    eqx = pytest.importorskip("equinox")
    layer = eqx.nn.MLP(3, 3, 8, 1, key=jax.random.key(0))
    seen = observe(jax.jit(lambda x: layer(x)), X)
    assert seen.error is None
    assert "0.0:f32[]" in {constant.text for constant in seen.kept.constants}  # of its relu
    assert not any(constant.candidates for constant in seen.kept.constants)


def test_two_variables_of_one_value():
    class Twice:
        a = b = 3.0

        def run(self, x):
            return x * self.a + self.b

    assert names(Twice().run) == set()
    assert candidates(Twice().run) == {"3.0:f32[]": ("self.a", "self.b")}


def test_a_number_in_the_code_with_the_value_of_an_attribute():
    class Both:
        a = 3.0

        def run(self, x):
            return (x * self.a) + 3.0

        def printed(self, x):
            str(self.a)
            return x * 3.0

    assert names(Both().run) == set()
    assert candidates(Both().run) == {"3.0:f32[]": ("self.a",)}
    assert (names(Both().printed), candidates(Both().printed)) == (set(), {})


def test_the_self_of_a_helper_is_not_the_self_of_the_method():
    class Holder:
        def __init__(self):
            self.w = 5.0  # never read

        def run(self, x):
            return Layer(5.0)(x)

    assert names(Holder().run) == {"Layer.w"}


def test_the_gradient_of_what_is_returned_is_not_what_is_returned():
    class Flat:
        c = 0.0

        def loss(self, x):
            return self.c

    seen = observe(jax.jit(jax.grad(Flat().loss)), 1.0)
    assert seen.error is None
    assert seen.kept.baked == ()


def test_a_result_is_laid_beside_its_own_expression():
    class Shifted:
        a = 1

        def run(self, x):
            one = x.ndim * 1.0
            return None, self.a, (one, x)

    assert names(Shifted().run) <= {"self.a"}
    assert "1.0:f32[]" not in origins(Shifted().run)


def test_an_array_behind_two_names_is_not_certain_but_where_it_stands():
    class Tied:
        def __init__(self):
            self.first = self.second = jnp.arange(3.0)

        def both(self, x):
            return x * self.first + self.second

        def one(self, x):
            return x * self.first

    assert names(Tied().both) == set()
    assert names(Tied().one) == {"self.first"}


def test_equal_arrays_are_told_apart_by_identity():
    class Two:
        def __init__(self):
            self.first, self.second = jnp.zeros(3), jnp.zeros(3)

        def run(self, x):
            str(self.first.shape)
            return jnp.dot(x, self.second)

    assert names(Two().run) == {"self.second"}


def test_code_without_a_source_has_no_origins():
    space: dict = {}
    exec("class A:\n    k = 2.0\n    def run(self, x):\n        return x * self.k", space)
    seen = observe(jax.jit(space["A"]().run), X)
    assert seen.error is None
    assert seen.kept.baked == ()


def test_an_edited_file_names_nothing_that_is_not_in_the_code(tmp_path):
    path = tmp_path / "edited.py"
    path.write_text("class A:\n    a = b = 2.0\n    def run(self, x):\n        return x * self.a\n")
    module = load(path)
    path.write_text(path.read_text().replace("self.a", "self.b"))
    assert names(module.A().run) == set()


# --- strange values ---------------------------------------------------------------------------------------


class Evil:
    """Runs code, and fails, whenever somebody looks."""

    @property
    def __dict__(self):
        raise RuntimeError("looked at")

    @property
    def __class__(self):
        raise RuntimeError("looked at")

    def __getattr__(self, name):
        raise RuntimeError(f"looked at {name}")

    def __eq__(self, other):
        raise RuntimeError("compared")

    __hash__ = None


class Odd(dict):
    """A dict that JAX takes for a leaf."""


def test_looking_runs_no_code_and_stumbles_over_nothing():
    class Strange:
        def __init__(self):
            self.evil = Evil()
            self.odd = Odd(k=2.0)
            self.mixed = {1: 2.0, "a": 3.0, None: 4.0}
            self.loop: list = [1.0]
            self.loop.append(self.loop)
            self.huge, self.nan = 10**400, float("nan")
            self.text, self.flag = "2.0", True
            self.half, self.whole = jnp.bfloat16(2), np.int8(3)

        def run(self, x):
            kinds = [type(each) for each in (self.evil, self.odd, self.mixed, self.loop, self.huge, self.nan)]
            evil = self.evil
            assert all((kinds, self.text, self.flag, evil is self.evil))
            return x * self.odd["k"] + self.half.astype("float32") - self.whole

    seen = observe(jax.jit(Strange().run), X)
    assert seen.error is None
    np.testing.assert_array_equal(seen.value, X * 2 + 2 - 3)
    assert {constant.origin.name for constant in seen.kept.baked} == {"self.whole", "self.half", "self.odd['k']"}


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32", "complex64", "int32"])
def test_a_number_is_found_in_the_type_that_tracing_gave_it(dtype):
    class Typed:
        k = 3

        def run(self, x):
            return x * self.k

    assert names(Typed().run, jnp.ones(3, dtype)) == {"self.k"}


def test_a_double_is_found_with_64_bits():
    class Third:
        k = 1 / 3

        def run(self, x):
            return x * self.k

    with jax.enable_x64(True):
        assert names(Third().run, jnp.ones(3, "float64")) == {"self.k"}
    assert names(Third().run, jnp.ones(3, "float32")) == {"self.k"}


def test_no_tracer_is_held():
    with jax.checking_leaks():
        for method in ("product", "alias", "closed_over", "in_scan", "in_grad", "comprehension", "helper_object"):
            assert observe(jax.jit(getattr(Model(), method)), X).error is None


# --- classes at random ------------------------------------------------------------------------------------

_numbers = itertools.count()
_values = st.sampled_from([2, 3, 4, 2.0, 3.0, 0.5])
ATTRIBUTES = ("a", "b", "c", "d")

FORMS = {
    # a line of code, what it reads, and whether a constant of its own certainly is the attribute
    "x = x * self.{0}": True,
    "x = self.{0} + x": True,
    "x = x - self.{0}": True,
    "x = jnp.maximum(x, self.{0})": True,
    "t{n} = self.{0}; x = x * t{n}": True,
    "x = [x * self.{0} for _ in range(2)][0]": True,
    "x = (lambda y: y * self.{0})(x)": True,
    "x = helper(x, self.{0})": False,
    "x = x * (self.{0} + self.{1})": False,
    "t{n} = self.{0} * 2; x = x + t{n}": False,
    "f'{{self.{0}}} {{self.{1}}}'": False,
    "x = x + x.mean()": False,
    "x = x + 2": False,
    "x = x * 3.0": False,
    "self.{0} += 1": False,
    "self.{0} = self.{1}": False,
}


@st.composite
def classes(draw):
    attributes = {name: draw(_values) for name in ATTRIBUTES}
    body, read = [], set()
    certain = None
    for n in range(draw(st.integers(1, 5))):
        form = draw(st.sampled_from(list(FORMS)))
        used = draw(st.permutations(ATTRIBUTES))[:2]
        body.append(form.format(*used, n=n))
        read |= {used[at] for at in range(2) if f"self.{{{at}}}" in form and not form.startswith(f"self.{{{at}}} =")}
        certain = used[0] if len(attributes) and FORMS[form] else None
    result = draw(st.sampled_from(["x", "x, self.{0}", "self.{0}"])).format(draw(st.sampled_from(ATTRIBUTES)))
    read |= {name for name in ATTRIBUTES if f"self.{name}" in result}
    return attributes, body, result, read, certain if len(body) == 1 and result == "x" else None


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    try:
        spec.loader.exec_module(module)
    finally:
        del sys.modules[path.stem]
    return module


def written(attributes, body, result) -> str:
    lines = [
        "import jax.numpy as jnp",
        "def helper(x, k):",
        "    return x * k",
        "class A:",
        "    def __init__(self):",
        *(f"        self.{name} = {value}" for name, value in attributes.items()),
        "    def run(self, x):",
        *(f"        {line}" for line in body),
        f"        return {result}",
    ]
    return "\n".join(lines) + "\n"


@settings(max_examples=150, deadline=None)
@given(classes())
def test_only_what_was_read_is_named_and_only_with_its_own_value(tmp_path_factory, drawn):
    attributes, body, result, read, certain = drawn
    path = tmp_path_factory.mktemp("drawn") / f"drawn_{next(_numbers)}.py"
    path.write_text(written(attributes, body, result))
    values = values_held(path, attributes)
    seen = observe(jax.jit(load(path).A().run), X)
    assert seen.error is None, seen.error
    for constant in seen.kept.baked:
        name = constant.origin.name.removeprefix("self.")
        assert name in read
        assert float(constant.value) in values[name]
        assert constant.origin.first in (None, attributes[name])
    for constant in seen.kept.constants:
        assert {each.removeprefix("self.") for each in constant.candidates} <= read
    if certain:
        assert {constant.origin.name for constant in seen.kept.baked} >= {f"self.{certain}"}


def values_held(path, attributes) -> dict[str, set[float]]:
    """Every value that each attribute ever has, by running the class in plain Python and noting its writes."""
    module = load(path)
    values = {name: {float(value)} for name, value in attributes.items()}

    class Noted(module.A):
        def __setattr__(self, name, value):
            values[name].add(float(value))
            super().__setattr__(name, value)

    Noted().run(np.arange(3.0, dtype=np.float32))
    return values
