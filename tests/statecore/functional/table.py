"""Seventy-odd classes as people write them: each goes through, or is refused by the attribute that is at fault."""

import abc
import collections
import dataclasses
import enum
import functools
import threading
import typing

import flax.linen as nn
import flax.struct
import jax
import jax.numpy as jnp
import numpy as np
import optax


class Row(typing.NamedTuple):
    """One class.

    `refused` is the attribute that the refusal names, None where the class goes through.
    """

    make: typing.Callable
    args: tuple = ()
    refused: str | None = None
    static: tuple = ()


ROWS: dict[str, Row] = {}


def row(*args, refused=None, static=(), name=None, init=()):
    """Enter a class; its method is `step`."""

    def enter(cls):
        ROWS[name or cls.__name__] = Row(lambda: cls(*init).step, args, refused, static)
        return cls

    return enter


class Base:
    def __init__(self):
        self.n = 0


# --- what goes through


@row()
class Int(Base):
    def step(self):
        self.n += 1
        return self.n


@row()
class Float(Base):
    def step(self):
        self.n = self.n + 0.5
        return self.n


@row()
class Bool(Base):
    def __init__(self):
        self.flag, self.n = True, 0

    def step(self):
        self.n = self.n + jnp.where(self.flag, 1, 10)
        self.flag = jnp.logical_not(self.flag)
        return self.n


@row()
class Complex:
    def __init__(self):
        self.z = 1j

    def step(self):
        self.z = self.z * 1j
        return self.z


@row(1.0)
class RunningMean:
    def __init__(self):
        self.n, self.mean = 0, jnp.zeros(())

    def step(self, x):
        self.n += 1
        self.mean += (x - self.mean) / self.n
        return self.mean


@row(np.ones((4, 2), np.float32))
class BatchNorm:
    def __init__(self):
        self.mean, self.var = jnp.zeros(2), jnp.ones(2)

    def step(self, x):
        self.mean = 0.9 * self.mean + 0.1 * x.mean(0)
        self.var = 0.9 * self.var + 0.1 * x.var(0)
        return (x - x.mean(0)[None]) / jnp.sqrt(x.var(0)[None] + 1e-5)


@row()
class Key:
    def __init__(self):
        self.key = jax.random.key(0)

    def step(self):
        self.key, now = jax.random.split(self.key)
        return jax.random.normal(now)


@row()
class OldKey(Key):
    def __init__(self):
        self.key = jax.random.PRNGKey(0)


@row()
class List:
    def __init__(self):
        self.items = [0, 1.0]

    def step(self):
        self.items[0] += 1
        self.items[1] *= 2
        return self.items


@row()
class NestedDict:
    def __init__(self):
        self.tree = {"a": {"b": jnp.zeros(2)}, "c": [0]}

    def step(self):
        self.tree["a"]["b"] = self.tree["a"]["b"] + 1
        self.tree["c"][0] += 1
        return self.tree["a"]["b"] * self.tree["c"][0]


@row()
class TupleState:
    def __init__(self):
        self.pair = (0, 1)

    def step(self):
        a, b = self.pair
        self.pair = (b, a + b)
        return a


class Point(typing.NamedTuple):
    x: int = 0
    y: int = 1


@row()
class NamedTupleState:
    def __init__(self):
        self.point = Point()

    def step(self):
        self.point = self.point._replace(x=self.point.x + self.point.y)
        return self.point.x


@row()
class OrderedDict:
    def __init__(self):
        self.d = collections.OrderedDict(b=0, a=1)

    def step(self):
        self.d["b"] += self.d["a"]
        return self.d["b"]


@row()
class DefaultDict:
    def __init__(self):
        self.d = collections.defaultdict(int, a=1)

    def step(self):
        self.d["a"] += 1
        return self.d["a"]


@flax.struct.dataclass
class Struct:
    n: int
    name: str = flax.struct.field(pytree_node=False, default="s")


@row()
class StructState:
    def __init__(self):
        self.s = Struct(0)

    def step(self):
        self.s = self.s.replace(n=self.s.n + 1)
        return self.s.n


@jax.tree_util.register_dataclass
@dataclasses.dataclass
class Registered:
    n: int = 0


@row()
class RegisteredState:
    def __init__(self):
        self.s = Registered()

    def step(self):
        self.s.n += 1
        return self.s.n


@row()
@dataclasses.dataclass
class DataClass:
    n: int = 0
    items: list = dataclasses.field(default_factory=lambda: [0])

    def step(self):
        self.n += 1
        self.items[0] += self.n
        return self.items


T = typing.TypeVar("T")


@row()
class GenericClass(Base, typing.Generic[T]):
    def step(self):
        self.n += 1
        return self.n


class Abstract(abc.ABC):
    def __init__(self):
        self.n = 0

    @abc.abstractmethod
    def step(self): ...


@row()
class Concrete(Abstract):
    def step(self):
        self.n += 1
        return self.n


@row()
class Property(Base):
    @property
    def doubled(self):
        return self.n * 2

    @doubled.setter
    def doubled(self, value):
        self.n = value / 2

    def step(self):
        self.doubled = self.doubled + 2
        return self.doubled


@row()
class Super(Int):
    def step(self):
        return super().step() * 10


def logged(function):
    @functools.wraps(function)
    def inside(*args):
        return function(*args)

    return inside


@row()
class Wrapped(Base):
    @logged
    def step(self):
        self.n += 1
        return self.n


@row()
class SetAttr(Base):
    def __setattr__(self, name, value):
        super().__setattr__(name, value)

    def step(self):
        self.n += 1
        return self.n


@row()
class Helper(Base):
    @staticmethod
    def add(x):
        return x + 1

    @classmethod
    def one(cls):
        return 1

    def step(self):
        self.n = self.add(self.n) + self.one()
        return self.n


@row(2.0)
class RingBuffer:
    def __init__(self):
        self.buffer, self.at = jnp.zeros(4), 0

    def step(self, x):
        self.buffer = self.buffer.at[self.at % 4].set(x)
        self.at += 1
        return self.buffer.sum()


@row({"w": np.ones(2, np.float32)})
class Ema:
    def __init__(self):
        self.average = {"w": jnp.zeros(2)}

    def step(self, params):
        self.average = jax.tree.map(lambda a, p: 0.9 * a + 0.1 * p, self.average, params)
        return self.average["w"]


@row()
class WithNone(Base):
    def __init__(self):
        self.nothing, self.n = None, 0

    def step(self):
        if self.nothing is None:
            self.n += 1
        return self.n


@row()
class Jitted(Base):
    def __init__(self):
        self.add, self.n = jax.jit(jnp.add), 0

    def step(self):
        self.n = self.add(self.n, 1)
        return self.n


@row()
class Settings(Base):
    def __init__(self):
        self.name, self.activation, self.n = "relu", jax.nn.relu, 0

    def step(self):
        self.n += 1 if self.name == "relu" else 2
        return self.activation(self.n)


@row(static=("times", "train"))
class Static(Base):
    def __init__(self):
        self.n, self.times, self.train = 0, 3, True

    def step(self):
        for _ in range(self.times if self.train else 0):
            self.n += 1
        return self.n


class Optax:
    def __init__(self, tx):
        self.tx, self.params = tx, {"w": jnp.ones(3)}
        self.opt_state = tx.init(self.params)

    def step(self, x):
        grads = jax.grad(lambda params: ((params["w"] - x) ** 2).sum())(self.params)
        updates, self.opt_state = self.tx.update(grads, self.opt_state, self.params)
        self.params = optax.apply_updates(self.params, updates)
        return self.params["w"]


for title, tx in {
    "adam": optax.adam(0.1), "adamw": optax.adamw(0.1), "momentum": optax.sgd(0.1, momentum=0.9),
    "chain": optax.chain(optax.clip(0.5), optax.adam(0.1)),
    "injected": optax.inject_hyperparams(optax.adam)(learning_rate=0.1),
    "multi_steps": optax.MultiSteps(optax.sgd(0.1), 2), "ema of updates": optax.chain(optax.sgd(0.1), optax.ema(0.9)),
    "masked": optax.masked(optax.adam(0.1), {"w": True}),
}.items():  # fmt: skip
    ROWS[title] = Row(lambda tx=tx: Optax(tx).step, (2.0,))


@row(np.ones((2, 3), np.float32))
class Linen:
    def __init__(self):
        self.model = nn.Dense(2)
        self.variables = self.model.init(jax.random.key(0), jnp.ones((2, 3)))

    def step(self, x):
        self.variables = jax.tree.map(lambda leaf: leaf * 0.9, self.variables)
        with jax.numpy_rank_promotion("allow"):
            return self.model.apply(self.variables, x)


@row(1)
class Env:
    def __init__(self):
        self.space, self.position, self.t = np.dtype("float32"), jnp.zeros(2), 0

    def step(self, action):
        self.t += 1
        self.position = self.position + jnp.where(action == 1, 1.0, -1.0)
        return self.position, self.t >= 3


@row()
class Scanned(Base):
    def step(self):
        self.n, seen = jax.lax.scan(lambda n, _: (n + 1, n), self.n, None, length=3)
        return seen


@row()
class Conditional(Base):
    def step(self):
        self.n = jax.lax.cond(self.n < 2, lambda n: n + 1, lambda n: n * 1, self.n)
        return self.n


@row()
class Vmapped:
    def __init__(self):
        self.w = jnp.arange(3.0)

    def step(self):
        self.w = jax.vmap(lambda w: w * 2 + 1)(self.w)
        return self.w


@row()
class NumPyRebound:
    def __init__(self):
        self.a = np.zeros(2, np.float32)

    def step(self):
        self.a = self.a + 1
        return self.a


@row()
class NumPyAugmented(NumPyRebound):
    def step(self):
        self.a += 1
        return self.a


@row(0)
class Data:
    def __init__(self):
        self.data, self.total = np.arange(6, dtype=np.float32), 0.0

    def step(self, i):
        self.total = self.total + self.data[i + 2]
        return self.total


@row()
class TwoMethods(Base):
    def add(self, by):
        self.n += by

    def step(self):
        self.add(1)
        self.add(by=2)
        return self.n


@row()
class Cached(Base):
    def __init__(self):
        self.table, self.n = {1: "a"}, 0

    def step(self):
        self.n += len(self.table)
        return self.n


@row()
class Partial(Base):
    def __init__(self):
        self.add, self.n = functools.partial(jnp.add, 2), 0

    def step(self):
        self.n = self.add(self.n)
        return self.n


@row()
class SharedArray:
    def __init__(self):
        self.a = self.b = jnp.zeros(2)

    def step(self):
        self.a = self.a + 1
        return self.b


@row()
class Dunder(Base):
    def __init__(self):
        self.__n = 0

    def step(self):
        self.__n += 1
        return self.__n


class Mode(enum.Enum):
    TRAIN = 1


@row()
class EnumSetting(Base):
    def __init__(self):
        self.mode, self.n = Mode.TRAIN, 0

    def step(self):
        self.n += 1 if self.mode is Mode.TRAIN else 100
        return self.n


# --- what is refused


@row(refused="self.n")
class Slots:
    __slots__ = ("n",)

    def __init__(self):
        self.n = 0

    def step(self):
        self.n += 1
        return self.n


@row(refused="step")
class ClassMethod:
    @classmethod
    def step(cls):
        return 1


@row(refused="step")
class JitInClass(Base):
    @functools.partial(jax.jit, static_argnums=0)
    def step(self):
        return self.n


@row(refused="step")
class Generator(Base):
    def step(self):
        yield 1


@row(refused="self.mode")
class EnumWritten(Base):
    def __init__(self):
        self.mode = None
        self.other = Mode.TRAIN

    def step(self):
        self.mode = Mode.TRAIN
        return 1


@row(refused="self.n")
class Lazy:
    def step(self):
        self.n = getattr(self, "n", 0) + 1
        return self.n


@row(refused="self.child.n")
class Nested:
    def __init__(self):
        self.child = Int()

    def step(self):
        return self.child.step()


@row(refused="self.lock")
class Lock(Base):
    def __init__(self):
        self.lock, self.n = threading.Lock(), 0

    def step(self):
        self.n += 1
        return self.n


@row(refused="ClassList.log")
class ClassList:
    log: typing.ClassVar = []

    def step(self):
        self.log.append(1)
        return len(self.log)


@row(refused="self.first")
class LazyProperty(Base):
    @functools.cached_property
    def first(self):
        return self.n

    def step(self):
        self.n += 1
        return self.n - self.first


@row(refused="self.rng")
class Rng:
    def __init__(self):
        self.rng = np.random.default_rng(0)

    def step(self):
        return self.rng.normal()


@row(refused="self.it")
class OwnIterator:
    def __init__(self):
        self.it = iter([1, 2, 3])

    def step(self):
        return next(self.it)


@row(refused="self.items")
class Grows:
    def __init__(self):
        self.items = []

    def step(self):
        self.items.append(1)
        return len(self.items)


@row(refused="self.total")
class Becomes:
    def __init__(self):
        self.total = None

    def step(self):
        self.total = 1 if self.total is None else self.total + 1
        return self.total


@row(refused="self.view")
class SharedList:
    def __init__(self):
        self.counts = self.view = [0]

    def step(self):
        self.counts[0] += 1
        return self.view[0]


@row(refused="self.n")
class Branch(Base):
    def step(self):
        if self.n < 2:
            self.n += 1
        return self.n


@row(refused="self.name")
class Text(Base):
    def __init__(self):
        self.name = "a"

    def step(self):
        self.name += "a"
        return len(self.name)


@row(refused="self")
class ReturnsSelf(Base):
    def step(self):
        return self


@row(refused="self.k")
class ShapeOfInt(Base):
    def __init__(self):
        self.k = 2

    def step(self):
        return jnp.zeros(self.k)


@row(refused="self.lr")
class TypeTest:
    def __init__(self):
        self.lr = 0.1

    def step(self):
        return self.lr if isinstance(self.lr, float) else self.lr * 0


@row(refused="self.a")
class NumPyInPlace:
    def __init__(self):
        self.a = np.zeros(2, np.float32)

    def step(self):
        self.a[0] += 1
        return self.a


@row(refused="self.a")
class NumPyDouble:
    def __init__(self):
        self.a = np.zeros(2)

    def step(self):
        self.a = self.a + 1
        return self.a


@row(refused="self.seen")
class SetWritten:
    def __init__(self):
        self.seen = {0}

    def step(self):
        self.seen.add(len(self.seen))
        return len(self.seen)


@row(refused="self.add")
class HoldsSelf(Base):
    def __init__(self):
        self.n = 0
        self.add = lambda: setattr(self, "n", self.n + 1)

    def step(self):
        self.add()
        return self.n


@row(refused="self.n")
class Deletes(Base):
    def step(self):
        del self.n
        return 1


@row({"steps": 0}, refused="info['steps']")
class WritesArgument(Base):
    def step(self, info):
        self.n += 1
        info["steps"] = 1
        return self.n


@row(refused="self")
class ListChild(list):
    def step(self):
        self.append(1)
        return len(self)


@row(refused="self.ref")
class Ref:
    def __init__(self):
        self.ref = jax.new_ref(jnp.int32(0))

    def step(self):
        self.ref[...] += 1
        return self.ref[...]


@row(refused="self.count")
class Closure:
    def __init__(self):
        box = [0]

        def count():
            box[0] += 1
            return box[0]

        self.count = count

    def step(self):
        return self.count()
