"""What was silently wrong, refused for no reason, or a raw error: each with its right value."""

import collections
import dataclasses
import enum

import equinox as eqx
import flax.linen as nn
import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx
from flax.training.train_state import TrainState
from jax.experimental.random import stateful_rng

from statecore.functional import CannotFunctionalize, NotTheSame, functionalize, unguarded


def refused(method, *args, **options):
    """The refusal, when the function is made or at its first jitted call."""
    with pytest.raises(CannotFunctionalize) as raised:
        values(method, *args, calls=1, **options)
    assert raised.value.remedy.endswith((".", ").")), raised.value.remedy
    return raised.value


def values(method, *args, calls=3, **options):
    """What the jitted pure function gives, call after call."""
    pure, state = functionalize(method, **options)
    step, outputs = jax.jit(pure), []
    for _ in range(calls):
        output, state = step(state, *args)
        outputs.append(jax.tree.map(np.asarray, output))
    return outputs


class Holds:
    """Counts, and holds a thing."""

    def __init__(self, thing):
        self.thing, self.n = thing, 0

    def step(self):
        self.n += 1
        return self.n


# --- objects of other libraries (f01, f08)


@pytest.mark.parametrize(
    "make",
    [
        lambda: nnx.BatchNorm(1, rngs=nnx.Rngs(0)),
        lambda: nnx.Rngs(0),
        lambda: nnx.Variable(jnp.zeros(2)),
        lambda: [nnx.Param(jnp.zeros(2))],
        lambda: nnx.split(nnx.Linear(1, 1, rngs=nnx.Rngs(0)))[1],
    ],
)
def test_an_nnx_object_on_self_is_refused_naming_split_and_merge(make):
    found = refused(Holds(make()).step)
    assert found.attribute.startswith("self.thing")
    assert "nnx.split" in found.remedy
    assert "nnx.merge" in found.remedy


def test_what_the_remedy_for_nnx_says_works():
    class Split:
        def __init__(self):
            self.graph, state = nnx.split(nnx.BatchNorm(1, rngs=nnx.Rngs(0)))
            self.params = nnx.to_pure_dict(state)

        def step(self, x):
            norm = nnx.merge(self.graph, self.params)
            norm(x)
            self.params = nnx.to_pure_dict(nnx.state(norm))
            return norm.mean[...]

    x = jnp.ones((8, 1))
    plain = Split()
    wanted = [plain.step(x) for _ in range(3)]
    np.testing.assert_allclose(np.ravel(wanted), [0.01, 0.0199, 0.029701], rtol=1e-5)
    np.testing.assert_allclose(values(Split().step, x), wanted, rtol=1e-5)


def test_the_method_of_an_nnx_module_itself_is_refused_with_the_same_remedy():
    norm = nnx.BatchNorm(4, rngs=nnx.Rngs(0))
    for method in (norm.__call__, norm):
        found = refused(method, jnp.ones((2, 4)))
        assert found.attribute == "self"
        assert "nnx.split" in found.remedy


def test_a_bound_flax_module_is_refused_and_an_unbound_one_is_a_setting():
    dense = nn.Dense(2)
    variables = dense.init(jax.random.key(0), jnp.ones((1, 2)))
    assert "module.apply" in refused(Holds(dense.bind(variables)).step).remedy
    assert values(Holds(dense).step) == [1, 2, 3]


def test_a_haiku_module_is_refused():
    made = []
    hk.transform(lambda: made.append(hk.Linear(1)))
    hk.transform(lambda x: made.append(hk.Linear(1)) or made[-1](x)).init(jax.random.key(0), jnp.ones((1, 1)))
    assert "hk.transform_with_state" in refused(Holds(made[0]).step).remedy


def test_a_generator_on_a_ref_is_refused():
    assert "Ref" in refused(Holds(stateful_rng(0)).step).problem


def test_an_equinox_layer_is_state():
    class Decay:
        def __init__(self):
            self.layer = eqx.nn.Linear(2, 1, key=jax.random.key(0))

        def step(self):
            self.layer = jax.tree.map(lambda leaf: leaf * 0.5, self.layer)
            return self.layer.weight

    start = eqx.nn.Linear(2, 1, key=jax.random.key(0)).weight
    np.testing.assert_allclose(values(Decay().step), [start * 0.5**k for k in (1, 2, 3)], rtol=1e-6)


def test_the_method_of_an_equinox_module_is_taken():
    layer = eqx.nn.Linear(2, 1, key=jax.random.key(0))
    pure, state = functionalize(layer)
    np.testing.assert_allclose(jax.jit(pure)(state, jnp.ones(2))[0], layer(jnp.ones(2)), rtol=1e-6)


def test_equinox_state_is_threaded():
    class Norm:
        def __init__(self):
            made = eqx.nn.make_with_state(eqx.nn.BatchNorm)(2, "batch", mode="batch")
            self.norm, self.state = made

        def step(self, x):
            run = jax.vmap(self.norm, axis_name="batch", in_axes=(0, None), out_axes=(0, None))
            _, self.state = run(x, self.state)
            return jnp.stack([leaf.sum() for leaf in jax.tree.leaves(self.state) if leaf.dtype == jnp.float32])

    x = jnp.arange(8.0).reshape(4, 2)
    plain = Norm()
    with jax.numpy_rank_promotion("allow"):
        wanted = [plain.step(x) for _ in range(3)]
        got = values(Norm().step, x)
    np.testing.assert_allclose(got, wanted, rtol=1e-5)
    assert not np.allclose(wanted[0], wanted[1])


def train_state(tx):
    params = {"w": jnp.ones(())}
    return TrainState.create(apply_fn=lambda params, x: params["w"] * x, params=params, tx=tx)


OPTIMIZERS = {
    "sgd": optax.sgd(0.1), "momentum": optax.sgd(0.1, momentum=0.9), "adam": optax.adam(0.1),
    "adamw": optax.adamw(0.1), "rmsprop": optax.rmsprop(0.1), "chain": optax.chain(optax.clip(1.0), optax.sgd(0.1)),
    "injected": optax.inject_hyperparams(optax.adam)(learning_rate=0.1),
    "steps": optax.MultiSteps(optax.adam(0.1), 2), "ema": optax.chain(optax.adam(0.1), optax.ema(0.9)),
}  # fmt: skip


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_flax_train_state_works_with_any_optimizer(name):
    class Trainer:
        def __init__(self):
            self.state = train_state(OPTIMIZERS[name])

        def step(self, x):
            def loss(params):
                return self.state.apply_fn(params, x)

            self.state = self.state.apply_gradients(grads=jax.grad(loss)(self.state.params))
            return self.state.params["w"]

    plain = Trainer()
    wanted = [plain.step(1.0) for _ in range(4)]
    assert wanted[-1] < 1
    np.testing.assert_allclose(values(Trainer().step, 1.0, calls=4), wanted, rtol=1e-5)


# --- numbers that are none, questions about types (f02, f03, f06)


class Mode(enum.IntEnum):
    TRAIN = 1
    EVAL = 2


def test_an_enum_stays_what_it_is():
    class Modal(Holds):
        def step(self):
            self.n += 1
            return self.n if self.thing is Mode.TRAIN else -self.n

    assert values(Modal(Mode.TRAIN).step) == [1, 2, 3]
    assert values(Modal(Mode.EVAL).step) == [-1, -2, -3]


class Box:
    def __init__(self):
        self.low, self.high, self.dtype = -1, 1, np.dtype("float32")


@pytest.mark.parametrize("thing", [Box(), jax.ShapeDtypeStruct((4,), jnp.float32), [jnp.float32], np.dtype(int)])
def test_what_merely_has_a_dtype_is_a_setting(thing):
    assert values(Holds(thing).step) == [1, 2, 3]
    assert not hasattr(functionalize(Holds(thing).step)[1], "thing")


def as_rate(rate):
    return rate if isinstance(rate, float) else rate * 0


class Asks(Holds):
    def isinstance_(self):
        return self.thing if isinstance(self.thing, float) else self.thing * 0

    def through_a_name(self):
        rate = self.thing
        return rate if isinstance(rate, float | str) else rate * 0

    def through_a_function(self):
        return as_rate(self.thing)

    def through_a_method(self):
        return self._ask(self.thing)

    def _ask(self, rate):
        return rate if type(rate) is float else rate * 0

    def through_a_property(self):
        return self.asked

    @property
    def asked(self):
        return self.thing if isinstance(self.thing, float) else self.thing * 0

    def through_getattr(self):
        return as_rate(getattr(self, "thing"))  # noqa: B009

    def through_keywords(self):
        return as_rate(rate=self.thing)

    def identity(self):
        return self.thing if self.thing is RATE else self.thing * 0

    def attributes(self):
        return self.thing * 0 if hasattr(self.thing, "shape") else self.thing

    def matched(self):
        match self.thing:
            case float():
                return self.thing
            case _:
                return self.thing * 0

    def text(self):
        return {"0.1": self.thing}.get(f"{self.thing}", self.thing * 0)


RATE = 0.1
ASKS = [name for name in vars(Asks) if not name.startswith("_") and name != "asked"]


@pytest.mark.parametrize("name", ASKS)
def test_a_question_about_the_type_of_state_is_refused(name):
    method = getattr(Asks(RATE), name)
    assert method() == RATE
    pure, state = unguarded(method)
    assert jax.jit(pure)(state)[0] == 0, "without the checks it is silently wrong"
    found = refused(method)
    assert found.attribute == "self.thing"
    assert 'static=("thing",)' in found.remedy
    assert values(method, static=("thing",))[0] == np.float32(RATE)


def test_questions_that_a_tracer_answers_like_its_value_are_allowed():
    class Fine(Holds):
        def step(self):
            assert not isinstance(self.n, str), f"{self.n} is a text"
            assert isinstance(self.thing, dict)
            assert isinstance(self.thing["w"], jax.Array)
            assert isinstance(self.thing["w"].shape, tuple)
            if self.thing is not None and self.n is not None and not callable(self.n):
                self.n += 1
            print(f"now {self.n}")
            return self.n

    assert values(Fine({"w": jnp.ones(2)}).step) == [1, 2, 3]


def test_a_question_in_code_without_a_source_is_refused():
    space = {}
    exec("def step(self):\n    self.n += 1\n    return self.n if isinstance(self.n, int) else 0", space)
    Sourceless = type("Sourceless", (Holds,), {"step": space["step"]})
    assert "source cannot be read" in refused(Sourceless(1).step).problem
    exec("def step(self):\n    self.n += 1\n    return self.n", space)
    assert values(type("Sourceless", (Holds,), {"step": space["step"]})(1).step) == [1, 2, 3]


# --- arguments (f04)


def fill(array):
    array[0] = 1


@pytest.mark.parametrize(
    ("write", "make", "path"),
    [
        (lambda info: info.update(steps=1), lambda: {"steps": 0}, "info['steps']"),
        (lambda info: info.append(1), lambda: [0], "info"),
        (lambda info: info["a"].pop(), lambda: {"a": [1, 2]}, "info['a']"),
        (fill, lambda: [0], "info[0]"),
    ],
)
@pytest.mark.parametrize("through", [lambda pure: pure, jax.jit])
def test_a_write_into_an_argument_is_refused_and_the_argument_left_alone(write, make, path, through):
    class Writes(Holds):
        def step(self, info):
            write(info)
            return self.n

    pure, state = functionalize(Writes(0).step)
    given = make()
    with pytest.raises(CannotFunctionalize, match="Return it instead") as raised:
        through(pure)(state, given)
    assert raised.value.attribute == path
    assert given == make()


def test_a_write_into_a_numpy_argument_is_refused_without_jit():
    class Writes(Holds):
        def step(self, x):
            x[0] = 1
            return self.n

    pure, state = functionalize(Writes(0).step)
    given = np.zeros(2, np.float32)
    with pytest.raises(CannotFunctionalize, match="x is an argument"):
        pure(state, given)
    np.testing.assert_array_equal(given, [0, 0])


def test_a_write_into_an_object_that_is_given_is_refused():
    class Writes(Holds):
        def step(self, other):
            other.n += 1
            return self.n

    pure, state = functionalize(Writes(0).step)
    with pytest.raises(CannotFunctionalize, match=r"other\.n is an argument"):
        pure(state, Holds(0))


# --- integers that shape the program (f05)


class Shapes:
    def __init__(self):
        self.k, self.n, self.deep, self.parts = 2, 0, {"k": 2}, {"w2": jnp.ones(4)}

    def zeros(self, x):
        self.n += 1
        return jnp.zeros(self.k) + self.n

    def reshape(self, x):
        self.n += 1
        return x.reshape(self.k, -1) * self.n

    def slice(self, x):
        self.n += 1
        return x[: self.k] * self.n

    def key(self, x):
        self.n += 1
        return x * self.n * {2: 1.0}[self.k]

    def range(self, x):
        for _ in range(self.k):
            self.n += 1
        return self.n

    def integer(self, x):
        self.n += 1
        return self.n * int(self.k)

    def branch(self, x):
        if self.k > 1:
            self.n += 1
        return self.n

    def numpy(self, x):
        self.n += 1
        return self.n * np.arange(self.k)

    def name(self, x):
        self.n += 1
        return x * self.parts["w" + self.k.__str__()] * self.n

    def fstring(self, x):
        self.n += 1
        return x * self.parts[f"w{self.k}"] * self.n


SHAPES = [name for name in vars(Shapes) if not name.startswith("_")]


@pytest.mark.parametrize("name", SHAPES)
def test_an_integer_that_shapes_the_program_is_named_with_its_remedy(name):
    found = refused(getattr(Shapes(), name), jnp.ones(4))
    assert found.attribute == "self.k"
    assert 'functionalize(method, static=("k",))' in found.remedy
    plain = Shapes()
    wanted = [getattr(plain, name)(jnp.ones(4)) for _ in range(3)]
    got = values(getattr(Shapes(), name), jnp.ones(4), static=("k",))
    for one, other in zip(got, wanted, strict=True):
        np.testing.assert_array_equal(one, other)


def test_two_integers_are_named_together():
    class Two:
        def __init__(self):
            self.rows, self.columns, self.n = 2, 3, 1.0

        def step(self):
            return jnp.full((self.rows, self.columns), self.n)

    assert 'static=("rows", "columns")' in refused(Two().step).remedy
    assert values(Two().step, static=("rows", "columns"))[0].shape == (2, 3)


def test_an_integer_in_a_dict_is_named():
    class Deep(Shapes):
        def step(self):
            return jnp.zeros(self.deep["k"])

    assert refused(Deep().step).attribute == "self.deep"


def test_the_refusal_comes_through_scan_and_vmap_too():
    pure, state = functionalize(Shapes().zeros)
    for run in (
        lambda: jax.lax.scan(lambda state, x: pure(state, x)[::-1], state, jnp.ones((3, 4))),
        lambda: jax.vmap(lambda n: pure(state.replace(k=n), jnp.ones(4)))(jnp.arange(3)),
    ):
        with pytest.raises(CannotFunctionalize, match=r"self\.k"):
            run()


def test_an_error_of_the_method_itself_is_left_alone():
    class Raises(Holds):
        def step(self):
            self.n += 1
            raise LookupError("mine")

    pure, state = functionalize(Raises(1).step)
    with pytest.raises(LookupError, match="mine"):
        jax.jit(pure)(state)


# --- refused rightly, with the right remedy (f09)


def test_a_deque_and_a_mixed_dict_get_the_remedy_that_fits():
    class Deque:
        def __init__(self):
            self.h = collections.deque([0.0, 0.0], maxlen=2)

        def step(self):
            self.h.append(1.0)
            return sum(self.h)

    class Mixed:
        def __init__(self):
            self.cfg = {"w": jnp.ones(4), "name": "a"}

        def step(self):
            self.cfg["w"] = self.cfg["w"] * 2
            return self.cfg["w"]

    found = refused(Deque().step)
    assert (found.attribute, "jnp.roll" in found.remedy) == ("self.h[1]", True)
    found = refused(Mixed().step)
    assert found.attribute == "self.cfg['w']"
    assert "no number out of self.cfg" in found.remedy
    for each in (refused(Deque().step), found):
        assert "static" not in str(each)


def test_a_shared_container_or_array_says_copy_it():
    class Two:
        def __init__(self, shared):
            self.params = self.target = shared

        def step(self):
            self.params = jax.tree.map(lambda leaf: leaf * 0.5, self.params)
            return self.target

    for shared in ({"w": jnp.ones(4)}, np.ones(3, np.float32)):
        found = refused(Two(shared).step)
        assert (found.attribute, "Copy it" in found.remedy) == ("self.target", True)
    assert [float(each) for each in values(Two(jnp.float32(1)).step)] == [1, 1, 1]


def test_views_of_one_numpy_array_are_shared():
    class View:
        def __init__(self):
            self.rows = np.zeros((2, 2), np.float32)
            self.first = self.rows[0]

        def step(self):
            self.rows = self.rows + 1
            self.first = self.first + 1
            return self.first

    assert "Copy it" in refused(View().step).remedy


def test_numpy_attributes_that_become_one_are_refused():
    class Becomes:
        def __init__(self):
            self.a, self.b = np.zeros(2, np.float32), np.zeros(2, np.float32)

        def step(self):
            self.a += 1
            self.b = self.a
            return self.b

    assert "Copy it" in refused(Becomes().step).remedy


@pytest.mark.parametrize("change", ["name", "sort", "item"])
def test_numpy_in_place_is_refused_with_at(change):
    class InPlace:
        def __init__(self):
            self.a = np.array([3, 1, 2], np.float32)

        def name(self):
            a = self.a
            a += 1
            return self.a

        def sort(self):
            self.a.sort()
            return self.a

        def item(self):
            self.a[0] += 1
            return self.a

    found = refused(getattr(InPlace(), change))
    assert found.attribute == "self.a"
    assert ".at[...]" in found.remedy


# --- precision (f10)


@pytest.mark.parametrize(
    "value",
    [np.full((), 1e8), np.zeros(3), np.float64(0.1), np.array([1j]), [np.ones(2)], 2**31, np.array([2**40]), 1e300,
     1e-60, 1e8],
)  # fmt: skip
def test_what_32_bits_cannot_hold_is_refused(value):
    class Adds:
        def __init__(self):
            self.t = value

        def step(self):
            self.t = jax.tree.map(lambda leaf: leaf + 1, self.t)
            return self.t

    found = refused(Adds().step)
    assert found.attribute.startswith("self.t")
    assert "x64" in found.remedy
    with jax.enable_x64(True):
        plain = Adds()
        wanted = [plain.step() for _ in range(3)]
        got = values(Adds().step)
    for one, other in zip(jax.tree.leaves(got), jax.tree.leaves(wanted), strict=True):
        np.testing.assert_array_equal(one, other)


def test_numbers_that_fit_are_taken():
    class Fits:
        def __init__(self):
            self.a, self.b, self.c = np.arange(3), -1e9, np.float32(0.1)
            self.n = 0

        def step(self):
            self.n = self.n + self.a.sum()
            return self.n * self.c + self.b * 0

    np.testing.assert_allclose(values(Fits().step), [0.3, 0.6, 0.9], rtol=1e-6)


# --- slots (f11)


@dataclasses.dataclass(slots=True)
class Stats:
    n: int = 0


class Plain:
    __slots__ = ("__hidden", "n")

    def __init__(self):
        self.n = self.__hidden = 0

    def hide(self):
        self.__hidden += 1


@pytest.mark.parametrize(
    ("make", "change"),
    [
        (Stats, lambda thing: setattr(thing, "n", 1)),
        (Plain, lambda thing: setattr(thing, "n", 1)),
        (Plain, lambda thing: thing.hide()),
        (lambda: [Stats()], lambda thing: setattr(thing[0], "n", 1)),
        (lambda: bytearray(b"a"), lambda thing: thing.append(1)),
    ],
)
def test_what_changes_in_slots_and_in_opaque_objects_is_found(make, change):
    class Changes(Holds):
        def step(self):
            change(self.thing)
            return self.n

    assert refused(Changes(make()).step).attribute.startswith("self.thing")
    assert values(Holds(make()).step) == [1, 2, 3]


# --- data (f12)


class Learns:
    def __init__(self):
        self.data, self.w = np.ones((1000, 100), np.float32), 0.0

    def step(self, i):
        self.w = self.w + self.data[i].sum()
        return self.w


def test_data_that_is_never_written_is_no_state():
    pure, state = functionalize(Learns().step)
    assert [field.name for field in dataclasses.fields(state)] == ["w"]
    outputs, states = jax.vmap(lambda w: pure(state.replace(w=w), 3))(jnp.arange(50.0))
    np.testing.assert_array_equal(outputs, np.arange(50) + 100)
    assert [leaf.shape for leaf in jax.tree.leaves(states)] == [(50,)]
    assert values(Learns().step, 3) == [100, 200, 300]


@pytest.mark.parametrize("how", ["assigns", "setattr_", "through_vars", "hands_self_on", "returns_self_in_a_list"])
def test_data_that_may_be_written_is_state(how):
    def other(self):
        self.data = self.data * 2

    class Writes(Learns):
        def assigns(self):
            self.data = self.data * 2

        def setattr_(self):
            setattr(self, "da" + "ta", self.data * 2)

        def through_vars(self):
            vars(self)["data"] = self.data * 2

        def hands_self_on(self):
            for each in [other]:
                each(self)

        def returns_self_in_a_list(self):
            [self][0].data = self.data * 2

        def step(self):
            getattr(self, how)() if how == "" else type(self).__dict__[how](self)
            return self.data.sum()

    assert values(Writes().step) == [200_000, 400_000, 800_000]


# --- callable objects (f08)


def test_a_callable_object_is_taken_by_its_call():
    class Layer:
        def __init__(self):
            self.mean = jnp.zeros(2)

        def __call__(self, x):
            self.mean = 0.5 * self.mean + 0.5 * x
            return self.mean

    np.testing.assert_array_equal(values(Layer(), jnp.ones(2)), [[0.5, 0.5], [0.75, 0.75], [0.875, 0.875]])


# --- verify


class Drifts:
    def __init__(self):
        self.t = 16_777_214.0

    def step(self, x):
        self.t = self.t + x
        return self.t


def test_verify_names_the_first_difference_with_both_values():
    functionalize(Drifts().step, 1.0, verify=2)
    with pytest.raises(NotTheSame, match="differs at call 1") as raised:
        functionalize(Hides().step, verify=3)
    assert raised.value.attribute == "the output"
    assert "0.5" in str(raised.value)
    assert isinstance(raised.value, CannotFunctionalize)


class Hides:
    """Hides a question about the type where no source leads to it."""

    def __init__(self):
        self.rate, self.ask = 0.5, {"it": as_rate}

    def step(self):
        return self.ask["it"](self.rate)


def test_verify_compares_the_state_too():
    class Writes(Hides):
        def step(self):
            self.rate = self.ask["it"](self.rate) + 1.0
            return 0

    with pytest.raises(NotTheSame) as raised:
        functionalize(Writes().step, verify=1)
    assert raised.value.attribute == "self.rate"


def test_verify_leaves_the_object_and_the_examples_alone():
    held, given = Holds({"w": [1]}), {"x": [1]}

    class Takes(Holds):
        def step(self, given, word):
            self.n += given["x"][0]
            return self.n

    _, state = functionalize(Takes(held).step, given, "word", verify=3)
    assert (state.n, given) == (0, {"x": [1]})
    assert functionalize(held.step, verify=3)[1].n == held.n == 0
