"""Public functions of JAX and its libraries are pure: the checker accuses none of them."""

import functools
import inspect
import warnings

import equinox as eqx
import flax.linen as nn
import jax
import jax.numpy as jnp
import jax.scipy.stats.norm
import optax
import pytest
from flax import nnx

from statecore.checker import check

X = jnp.array([[4.0, 1.0, 2.0], [1.0, 5.0, 0.5], [2.0, 0.5, 6.0]]) / 8
I = jnp.array([[1, 2, 3], [3, 1, 2], [2, 3, 1]])  # noqa: E741
ARGUMENTS = [
    (X,), (X, X), (I,), (I, I), (X, I), (X[0],), (X[0], X[1]), (X[0], X[1], X[2]), (X, X, X), (3,), ((2, 3),), (X, 1),
    (X, (3, 3)), ([X, X],), (X, 0, 1), (X > 0, X, X), (X > 0.2,),
]  # fmt: skip
"""What a function of unknown needs may be called with; the first that it takes is taken."""

MODULES = {
    "jax.nn": (jax.nn, 1, 25),
    "jax.lax": (jax.lax, 2, 45),
    "jax.numpy": (jnp, 4, 65),
    "jax.numpy.linalg": (jnp.linalg, 2, 10),
    "jax.numpy.fft": (jnp.fft, 1, 14),
    "jax.scipy.stats.norm": (jax.scipy.stats.norm, 1, 6),
    "optax": (optax, 1, 85),
    "optax.losses": (optax.losses, 1, 20),
    "optax.projections": (optax.projections, 1, 9),
}
"""A module, how many of its names one is taken of, and how many of these are checked at least."""

TRULY_IMPURE: dict[str, str] = {}
"""Functions that are accused rightly, and why."""


def functions(module, every):
    """The public functions of a module, one of `every` so many."""
    names = [name for name in sorted(dir(module)) if not name.startswith("_")]
    found = {name: getattr(module, name) for name in names}
    return dict([(n, f) for n, f in found.items() if callable(f) and not inspect.isclass(f)][::every])


def fitting(function):
    """Arguments that the function takes, or None."""
    for args in ARGUMENTS:
        try:
            function(*args)
        except Exception:
            continue
        return args
    return None


@functools.cache
def reports(module):
    """What is said of each function of a module that could be called."""
    said = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is deprecated is checked all the same
        for name, function in functions(*MODULES[module][:2]).items():
            args = fitting(function)
            if args is not None:
                said[name] = check(function, *args)
    return {name: report for name, report in said.items() if not isinstance(report.outcomes[0], Exception)}


@pytest.mark.parametrize("module", MODULES)
def test_no_public_function_is_accused(module):
    said = reports(module)
    accused = {name: str(report) for name, report in said.items() if not report.pure and name not in TRULY_IMPURE}
    assert not accused
    assert len(said) >= MODULES[module][2]


def test_at_least_two_hundred_are_asked_for():
    assert sum(least for _, _, least in MODULES.values()) >= 200


KEY = jax.random.key(0)
LINEN = {
    "Dense": nn.Dense(2), "Conv": nn.Conv(2, (2,)), "LayerNorm": nn.LayerNorm(), "GroupNorm": nn.GroupNorm(1),
    "BatchNorm": nn.BatchNorm(True), "RMSNorm": nn.RMSNorm(), "PReLU": nn.PReLU(),
    "SelfAttention": nn.MultiHeadDotProductAttention(1), "Sequential": nn.Sequential([nn.Dense(2), nn.relu]),
}  # fmt: skip
EQUINOX = {
    "Linear": lambda: eqx.nn.Linear(3, 2, key=KEY), "MLP": lambda: eqx.nn.MLP(3, 2, 4, 1, key=KEY),
    "LayerNorm": lambda: eqx.nn.LayerNorm(3), "RMSNorm": lambda: eqx.nn.RMSNorm(3),
    "PReLU": lambda: eqx.nn.PReLU(), "Identity": lambda: eqx.nn.Identity(),
    "Lambda": lambda: eqx.nn.Lambda(jnp.tanh),
    "GRUCell": lambda: functools.partial(eqx.nn.GRUCell(3, 3, key=KEY), X[1]),
}  # fmt: skip
NNX = {
    "Linear": lambda rngs: nnx.Linear(3, 2, rngs=rngs), "LayerNorm": lambda rngs: nnx.LayerNorm(3, rngs=rngs),
    "RMSNorm": lambda rngs: nnx.RMSNorm(3, rngs=rngs), "Conv": lambda rngs: nnx.Conv(3, 2, (2,), rngs=rngs),
}  # fmt: skip


@pytest.mark.parametrize("name", LINEN)
def test_no_layer_of_linen_is_accused(name):
    layer = LINEN[name]
    report = check(layer.apply, layer.init(KEY, X), X)
    assert report.clean, str(report)


@pytest.mark.parametrize("name", EQUINOX)
def test_no_layer_of_equinox_is_accused(name):
    report = check(EQUINOX[name](), X[0])
    assert report.pure, str(report)
    assert report.traceable, str(report)


@pytest.mark.parametrize("name", NNX)
def test_no_layer_of_nnx_is_accused(name):
    report = check(NNX[name](nnx.Rngs(0)), X)
    assert report.pure, str(report)
    assert report.traceable, str(report)
