"""Realistic functions, each with its arguments and with the kinds of finding that are right for it.

A row is made afresh for every test by the function of its name. It returns the
function to be checked, its arguments, and the kinds, `bakes` apart.
"""

import collections
import contextvars
import dataclasses
import enum
import functools
import itertools
import logging
import random
import threading
import time
import typing
import weakref

import equinox as eqx
import flax.linen as nn
import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from flax.training.train_state import TrainState

ROWS = {}
X = jnp.ones((4, 3))
PURE = ""


class Row(typing.NamedTuple):
    function: typing.Any
    args: tuple
    kinds: str
    options: dict = {}  # noqa: RUF012


def row(make):
    ROWS[make.__name__] = make
    return make


def params():
    return {"w": jnp.ones((3, 2)), "b": jnp.zeros(2)}


def loss(params, x):
    return ((x @ params["w"] + params["b"]) ** 2).mean()


# --- pure: models and training ---------------------------------------------------------------------------------


@row
def mlp():
    return Row(lambda p, x: jnp.tanh(x @ p["w"] + p["b"]), (params(), X), PURE)


@row
def gradient_step():
    def step(p, x):
        return jax.tree.map(lambda a, g: a - 0.1 * g, p, jax.grad(loss)(p, x))

    return Row(step, (params(), X), PURE)


def _optax(rule):
    p = params()

    def step(p, state, x):
        updates, state = rule.update(jax.grad(loss)(p, x), state, p)
        return optax.apply_updates(p, updates), state

    return Row(step, (p, rule.init(p), X), PURE)


@row
def optax_adam():
    return _optax(optax.adam(0.1))


@row
def optax_chain():
    return _optax(optax.chain(optax.clip(1.0), optax.adamw(optax.cosine_decay_schedule(0.1, 10))))


@row
def optax_multi_steps():
    return _optax(optax.MultiSteps(optax.sgd(0.1), 2))


@row
def optax_multi_transform():
    return _optax(optax.multi_transform({"a": optax.sgd(0.1), "b": optax.adam(0.1)}, {"w": "a", "b": "b"}))


@row
def optax_inject_hyperparams():
    return _optax(optax.inject_hyperparams(optax.sgd)(learning_rate=0.1))


@row
def optax_update_itself():
    rule = optax.sgd(0.1, momentum=0.9)
    return Row(rule.update, (params(), rule.init(params())), PURE)


@row
def moving_average():
    return Row(lambda e, p: jax.tree.map(lambda a, b: 0.9 * a + 0.1 * b, e, p), (params(), params()), PURE)


def _train_state():
    state = TrainState.create(apply_fn=lambda p, x: x @ p["w"], params=params(), tx=optax.adam(0.1))

    def step(state, x):
        return state.apply_gradients(grads=jax.grad(lambda p: state.apply_fn(p, x).sum())(state.params))

    return step, state


@row
def flax_train_state():
    step, state = _train_state()
    return Row(step, (state, X), PURE)


@row
def flax_train_state_donated():
    step, state = _train_state()
    return Row(jax.jit(step, donate_argnums=0), (state, X), PURE)


@row
def haiku_transformed():
    net = hk.transform_with_state(lambda x: hk.BatchNorm(True, True, 0.9)(x, is_training=True))
    p, state = net.init(jax.random.key(0), X)
    return Row(net.apply, (p, state, jax.random.key(1), X), PURE)


@row
def linen_apply():
    dense = nn.Dense(2)
    return Row(dense.apply, (dense.init(jax.random.key(0), X), X), PURE)


@row
def linen_batch_norm():
    layer = nn.BatchNorm(use_running_average=False)
    return Row(functools.partial(layer.apply, mutable=["batch_stats"]), (layer.init(jax.random.key(0), X), X), PURE)


@row
def linen_dropout():
    layer = nn.Dropout(0.5)
    return Row(
        lambda key, x: layer.apply({}, x, deterministic=False, rngs={"dropout": key}), (jax.random.key(0), X), PURE
    )


@row
def equinox_layer():
    return Row(eqx.nn.Linear(3, 2, key=jax.random.key(0)), (X[0],), PURE)


@row
def equinox_call():
    return Row(eqx.nn.Linear(3, 2, key=jax.random.key(0)).__call__, (X[0],), PURE)


@row
def equinox_filter_jit():
    @eqx.filter_jit
    def apply(model, x):
        return jax.vmap(model)(x)

    return Row(apply, (eqx.nn.Linear(3, 2, key=jax.random.key(0)), X), PURE)


@row
def equinox_filter_jit_method():
    class Model(eqx.Module):
        layer: eqx.nn.Linear

        @eqx.filter_jit
        def apply(self, x):
            return jax.vmap(self.layer)(x)

    return Row(Model(eqx.nn.Linear(3, 2, key=jax.random.key(0))).apply, (X,), PURE)


@row
def equinox_dropout():
    return Row(eqx.nn.Dropout(0.5), (X,), PURE, {"key": jax.random.key(0)})


@row
def nnx_split_and_merge():
    graph, state = nnx.split(nnx.Linear(3, 2, rngs=nnx.Rngs(0)))
    return Row(lambda state, x: nnx.merge(graph, state)(x), (state, X), PURE)


@row
def nnx_state_passed_through():
    return Row(lambda state, x: x, (nnx.split(nnx.Linear(3, 2, rngs=nnx.Rngs(0)))[1], X), PURE)


@row
def nnx_jitted_function():
    return Row(nnx.jit(lambda model, x: model(x)), (nnx.Linear(3, 2, rngs=nnx.Rngs(0)), X), PURE)


@row
def nnx_jitted_method():
    class Model(nnx.Module):
        def __init__(self):
            self.layer = nnx.Linear(3, 2, rngs=nnx.Rngs(0))

        @nnx.jit
        def __call__(self, x):
            return self.layer(x)

    return Row(Model(), (X,), PURE)


@row
def lstm_by_scan():
    def cell(carry, x):
        carry = jnp.tanh(carry + x)
        return carry, carry

    return Row(lambda xs: jax.lax.scan(cell, jnp.zeros(3), xs), (X,), PURE)


class Env(typing.NamedTuple):
    position: typing.Any
    key: typing.Any


@row
def gymnax_environment():
    def step(env, action):
        key, noise = jax.random.split(env.key)
        position = env.position + action + jax.random.normal(noise)
        return Env(jnp.where(position > 5, 0.0, position), key), position > 5

    return Row(step, (Env(0.0, jax.random.key(0)), 1.0), PURE)


def _block(dtype):
    def norm(x):
        return (x - x.mean(-1, keepdims=True)) * jax.lax.rsqrt(x.var(-1, keepdims=True) + 1e-5)

    def block(p, x):
        q, k, v = (norm(x) @ p[name] for name in "qkv")
        return x + jax.nn.softmax(q @ k.T / 4) @ v

    keys = jax.random.split(jax.random.key(0), 4)
    p = {name: (jax.random.normal(key, (16, 16)) / 4).astype(dtype) for name, key in zip("qkv", keys, strict=False)}
    return Row(block, (p, jax.random.normal(keys[3], (8, 16)).astype(dtype)), PURE)


@row
def transformer_float32():
    return _block(jnp.float32)


@row
def transformer_bfloat16():
    return _block(jnp.bfloat16)


@row
def transformer_float16():
    return _block(jnp.float16)


# --- pure: arguments of every kind -----------------------------------------------------------------------------


@row
def large_square():
    return Row(lambda n: n * n, (100_000,), PURE)


@row
def large_float():
    return Row(lambda t: (t + 1.0) - t, (1e8,), PURE)


@row
def numpy_float64():
    return Row(lambda x: x / 3 + 1e-9, (np.full(3, 0.1),), PURE)


@row
def not_a_number():
    return Row(lambda x: x * jnp.nan, (1.0,), PURE)


@row
def string_argument():
    return Row(lambda x, kind: jax.nn.relu(x) if kind == "relu" else jnp.tanh(x), (X, "relu"), PURE)


class Mode(enum.Enum):
    TRAIN = 1
    EVAL = 2


@row
def enum_argument():
    return Row(lambda x, mode: x if mode is Mode.TRAIN else -x, (X, Mode.EVAL), PURE)


@row
def callable_argument():
    return Row(lambda f, x: f(x), (jnp.tanh, X), PURE)


@row
def keyword_arguments():
    return Row(lambda x, *, scale, name="a": x * scale, (X,), PURE, {"scale": 2.0, "name": "b"})


@row
def none_argument():
    return Row(lambda x, mask: x if mask is None else x * mask, (X, None), PURE)


@row
def a_string_among_results():
    return Row(lambda x: {"name": "loss", "value": x * 2}, (1.0,), PURE)


@row
def static_by_number():
    return Row(lambda x, n: jnp.zeros(n) + x, (1.0, 3), PURE, {"static_argnums": 1})


@row
def static_by_name():
    return Row(lambda x, n: jnp.zeros(n) + x, (1.0,), PURE, {"static_argnames": "n", "n": 3})


@row
def jitted_static_by_name():
    return Row(jax.jit(lambda x, train: x if train else -x, static_argnames="train"), (X, True), PURE)


@row
def jitted_static_by_number():
    return Row(jax.jit(lambda x, n: jnp.zeros(n) + x, static_argnums=1), (1.0, 3), PURE)


@row
def partial_of_jitted_static():
    return Row(functools.partial(jax.jit(lambda x, n: jnp.zeros(n) + x, static_argnums=1), 1.0), (3,), PURE)


@dataclasses.dataclass(frozen=True)
class Config:
    layers: int = 2
    name: str = "relu"


@row
def dataclass_config():
    def forward(config, x):
        for _ in range(config.layers):
            x = getattr(jax.nn, config.name)(x)
        return x

    return Row(forward, (Config(), X), PURE)


@row
def dictionary_argument():
    return Row(lambda batch: batch["x"].sum() + batch["y"], ({"x": X, "y": 1.0},), PURE)


@row
def no_argument():
    return Row(lambda: jnp.ones(3), (), PURE)


# --- pure: what JAX and Python make of functions -----------------------------------------------------------------


@row
def vmapped():
    return Row(jax.vmap(lambda x: x.sum()), (X,), PURE)


@row
def gradient():
    return Row(jax.grad(lambda x: (x**2).sum()), (X,), PURE)


@row
def custom_jvp():
    relu = jax.custom_jvp(lambda x: jnp.maximum(x, 0))
    relu.defjvps(lambda g, answer, x: g * (x > 0))
    return Row(relu, (X,), PURE)


@row
def custom_vjp():
    double = jax.custom_vjp(lambda x: x * 2)
    double.defvjp(lambda x: (x * 2, None), lambda _, g: (g * 2,))
    return Row(jax.grad(double), (1.0,), PURE)


@row
def checkpointed():
    return Row(jax.checkpoint(jnp.sin), (X,), PURE)


@row
def a_ufunc():
    return Row(jnp.add, (X, X), PURE)


@row
def a_builtin():
    return Row(len, ([1, 2],), PURE)


@row
def a_partial():
    return Row(functools.partial(lambda a, b: a + b, 1), (2.0,), PURE)


@row
def while_and_cond():
    return Row(
        lambda x: jax.lax.cond(x > 0, lambda: jax.lax.while_loop(lambda c: c < 9, lambda c: c + x, x), lambda: -x),
        (1.0,),
        PURE,
    )


@row
def pure_callback():
    return Row(lambda x: jax.pure_callback(np.sin, jax.ShapeDtypeStruct((), jnp.float32), x), (jnp.float32(1),), PURE)


@row
def a_ref_inside():
    def double(x):
        ref = jax.new_ref(x)
        ref[...] *= 2
        return ref[...]

    return Row(double, (1.0,), PURE)


@row
def wrapped_function():
    def helper(x):
        return x * 2

    @functools.wraps(helper)
    def outer(x):
        return helper(x) + 1

    return Row(outer, (X,), PURE)


class Base:
    scale = 2.0

    def forward(self, x):
        return x * self.scale


class Derived(Base):
    def forward(self, x):
        return super().forward(x) + 1

    @classmethod
    def of_class(cls, x):
        return x * cls.scale

    @staticmethod
    def static(x):
        return x * 2


@row
def through_super():
    return Row(Derived().forward, (X,), PURE)


@row
def class_method():
    return Row(Derived.of_class, (X,), PURE)


@row
def static_method():
    return Row(Derived.static, (X,), PURE)


@row
def lock_on_self():
    class Locked:
        def __init__(self):
            self.lock, self.log = threading.Lock(), logging.getLogger("checker")

        def f(self, x):
            with self.lock:
                self.log.debug("inside")
                return x * 2

    return Row(Locked().f, (X,), PURE)


@row
def cache_on_a_shape():
    table = functools.lru_cache(lambda n: np.arange(n, dtype=np.float32))
    return Row(lambda x: x * table(3), (X,), PURE)


@row
def generator_of_its_own():
    return Row(lambda x: sum(k * x for k in range(3)), (1.0,), PURE)


@row
def registry_keyed_by_function():
    def relu(x):
        return jnp.maximum(x, 0)

    names = {relu: "relu"}
    return Row(lambda x: relu(x) if names[relu] == "relu" else x, (X,), PURE)


@row
def attributes_by_getattr():
    class Lazy:
        def __init__(self):
            self.__dict__["held"] = {"w": 3.0}

        def __getattr__(self, name):
            try:
                return self.__dict__["held"][name]
            except KeyError:
                raise AttributeError(name) from None

        def f(self, x):
            return x * self.w

    return Row(Lazy().f, (X,), PURE)


# --- pure, and not traceable; keys -------------------------------------------------------------------------------


@row
def branch_on_a_value():
    return Row(lambda x: x if x > 0 else 0.0, (1.0,), "refuses")


@row
def cached_on_an_argument():
    return Row(functools.lru_cache(lambda x: x * 2), (1.0,), "refuses")


@row
def jitted_without_static():
    return Row(jax.jit(lambda x, name: x), (1.0, "a"), "refuses")


@row
def too_large_an_integer():
    return Row(lambda n: n + 1, (10**12,), "refuses")


@row
def jit_on_a_method():
    class Model:
        @jax.jit
        def f(self, x):
            return x * 2

    return Row(Model().f, (1.0,), "refuses")


@row
def shapes_that_do_not_fit():
    return Row(lambda x: x @ x, (jnp.zeros((2, 3)),), "refuses")


@row
def one_key_twice():
    return Row(
        lambda key, a, b: jax.random.normal(key) * a - jax.random.normal(key) * b,
        (jax.random.key(0), 1.0, 2.0),
        "reuses",
    )


@row
def one_key_once():
    return Row(lambda key: jax.random.normal(key), (jax.random.key(0),), PURE)


@row
def legacy_key():
    return Row(lambda key: jax.random.normal(jax.random.split(key)[0]), (jax.random.PRNGKey(0),), PURE)


# --- not pure ----------------------------------------------------------------------------------------------------


class Layer:
    def __init__(self):
        self.calls = 0

    def __call__(self, x):
        self.calls += 1
        return x * 2


class Norm:
    def __init__(self):
        self.mean, self.calls = jnp.zeros(3), 0

    def __call__(self, x):
        self.calls += 1
        self.mean = 0.9 * self.mean + 0.1 * x.mean(0)
        return x - self.mean


norm = Norm()


@row
def global_stateful_layer():
    def forward(x):
        return norm(x)

    return Row(forward, (X,), "differs freezes leaks changes")


@row
def stateful_layer_on_self():
    class Model:
        def __init__(self):
            self.layer = Layer()

        def forward(self, x):
            return self.layer(x)

    return Row(Model().forward, (1.0,), "changes")


@row
def stateful_layer_in_a_partial():
    return Row(functools.partial(lambda layer, x: layer(x), Layer()), (1.0,), "changes")


@row
def callable_object():
    return Row(Norm(), (X,), "differs freezes leaks changes")


@row
def object_of_a_local_class():
    class Stats:
        def __init__(self):
            self.n = 0

    class Model:
        def __init__(self):
            self.stats = Stats()

        def f(self, x):
            self.stats.n += 1
            return x * 2

    return Row(Model().f, (1.0,), "changes")


HISTORY: list = []


class Noting:
    def note(self, x):
        HISTORY.append(x)

    def forward(self, x):
        self.note(x)
        return x * 2


@row
def global_list_through_self():
    return Row(Noting().forward, (X,), "leaks changes")


class Counting:
    total = 0

    def f(self, x):
        Counting.total += 1
        return x


@row
def class_attribute():
    return Row(Counting().f, (1.0,), "changes")


def counted(x):
    counted.calls = getattr(counted, "calls", 0) + 1
    return x


@row
def function_attribute():
    return Row(counted, (1.0,), "changes")


steps = 0


@jax.jit
def inner(x):
    global steps
    steps += 1
    return x * steps


@row
def a_jitted_function_inside():
    # plain Python meets the program of the first call, so its outputs are alike
    return Row(lambda x: inner(x) + 1, (1.0,), "freezes changes")


def body(carry, x):
    global steps
    steps += 1
    return carry + steps * x, None


@row
def the_body_of_a_scan():
    # JAX keeps the program of the body from one plain call to the next
    return Row(lambda xs: jax.lax.scan(body, 0.0, xs)[0], (jnp.ones(3),), "freezes changes")


@row
def global_number():
    def f(x):
        global steps
        steps += 1
        return x * steps

    return Row(f, (1.0,), "differs freezes changes")


@row
def captured_number():
    count = 0

    def f(x):
        nonlocal count
        count += 1
        return x * count

    return Row(f, (1.0,), "differs freezes changes")


@row
def slots():
    class Slotted:
        __slots__ = ("n",)

        def __init__(self):
            self.n = 0

        def f(self, x):
            self.n += 1
            return x

    return Row(Slotted().f, (1.0,), "changes")


@row
def containers():
    ring, counts, seen, table = collections.deque(maxlen=3), collections.Counter(), set(), collections.OrderedDict(a=1)

    def f(x):
        ring.append(1)
        counts["a"] += 1
        seen.add(1)
        table["b"] = 2
        return x

    return Row(f, (1.0,), "changes")


@row
def memo_by_shape():
    memo = {}

    def f(x):
        if x.shape not in memo:
            memo[x.shape] = np.ones(x.shape)
        return x * memo[x.shape]

    return Row(f, (X,), "changes")


@row
def through_a_weakref():
    layer = Layer()
    link = weakref.ref(layer)

    def f(x):
        assert layer is link()
        link().calls += 1
        return x

    return Row(f, (1.0,), "changes")


@row
def dictionary_written():
    def f(info, x):
        info["loss"] = x
        return x

    return Row(f, ({}, 1.0), "changes")


@row
def array_written():
    def f(a):
        a += 1
        return a.sum()

    return Row(f, (np.zeros(3),), "differs changes")


@row
def mutable_config():
    @dataclasses.dataclass
    class Settings:
        n: int = 0

    def f(settings, x):
        settings.n += 1
        return x

    return Row(f, (Settings(), 1.0), "changes")


@row
def generator_argument():
    return Row(lambda batches, x: next(batches) * x, ((k for k in range(9)), 1.0), "changes")


@row
def counter_on_self():
    class Ticket:
        def __init__(self):
            self.ids = itertools.count()

        def f(self, x):
            return x + next(self.ids)

    return Row(Ticket().f, (1.0,), "changes")


@row
def list_iterator():
    batches = iter([1, 2, 3, 4])
    return Row(lambda x: x + next(batches), (1.0,), "differs freezes changes")


@row
def numpy_generator():
    rng = np.random.default_rng(0)
    return Row(lambda x: x + rng.normal(), (0.0,), "differs freezes changes")


@row
def numpy_random():
    return Row(lambda x: x + np.random.normal(), (0.0,), "differs freezes changes")


@row
def python_random():
    return Row(lambda x: x + random.random(), (0.0,), "differs freezes changes")


@row
def the_clock():
    return Row(lambda x: x + time.perf_counter_ns() % 1000003, (0,), "differs freezes")


@row
def a_context_variable():
    depth = contextvars.ContextVar("depth", default=0)

    def f(x):
        depth.set(depth.get() + 1)
        return x * depth.get()

    return Row(f, (1.0,), "differs freezes changes")


@row
def thread_local():
    local = threading.local()

    def f(x):
        local.x = 1
        return x

    return Row(f, (1.0,), "changes")


@row
def property_that_counts():
    class Reads:
        def __init__(self):
            self.reads = 0

        @property
        def w(self):
            self.reads += 1
            return 2.0

        def f(self, x):
            return x * self.w

    return Row(Reads().f, (1.0,), "changes")


@row
def cached_property():
    class Table:
        @functools.cached_property
        def table(self):
            return np.arange(3.0)

        def f(self, x):
            return (x * self.table).sum()

    return Row(Table().f, (1.0,), "changes")


@row
def closure_put_aside():
    hooks = []

    def f(x):
        hooks.append(lambda: x)
        return x

    return Row(f, (1.0,), "leaks changes")


@row
def class_shelf():
    class Shelf:
        last = None

    def keep(x):
        Shelf.last = x * 2
        return x

    return Row(keep, (1.0,), "leaks changes")


@row
def cache_of_an_array_made_inside():
    table = functools.lru_cache(lambda n: jnp.arange(n) * 1.0)
    return Row(lambda x: x * table(3).sum(), (1.0,), "leaks")


@row
def a_ref_outside():
    ref = jax.new_ref(jnp.int32(0))

    def f(x):
        ref[...] += 1
        return x * ref[...]

    return Row(f, (2,), "differs changes")


@row
def donated_within():
    class Trainer:
        def __init__(self):
            self.p = {"w": jnp.ones(3)}
            self.update = jax.jit(lambda p: jax.tree.map(lambda a: a * 2, p), donate_argnums=0)

        def step(self):
            self.p = self.update(self.p)
            return self.p["w"]

    return Row(Trainer().step, (), "differs freezes leaks changes")


@row
def nnx_dropout_under_its_jit():
    class Model(nnx.Module):
        def __init__(self):
            self.drop = nnx.Dropout(0.5, rngs=nnx.Rngs(0))

        def __call__(self, x):
            return self.drop(x)

    return Row(nnx.jit(lambda model, x: model(x)), (Model(), X), "differs changes")


@row
def filter_jitted_counter():
    count = 0

    @eqx.filter_jit
    def f(x):
        nonlocal count
        count += 1
        return x * count

    return Row(f, (1.0,), "differs freezes changes")


@row
def vmapped_counter():
    layer = Layer()
    return Row(jax.vmap(lambda x: layer(x)), (X,), "changes")


@row
def meta_singleton():
    class Single:
        instance = None
        n = 0

        @classmethod
        def get(cls):
            cls.instance = cls.instance or cls()
            return cls.instance

    def f(x):
        Single.get().n += 1
        return x * Single.get().n

    return Row(f, (1.0,), "differs freezes changes")
