"""The same unchanged class in a Python loop, and made pure under jit, scan, vmap and grad."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from statecore.functional import functionalize
from statecore.functional.attributes import read
from statecore.strategy.pairs import Pair


def in_python(method, inputs, calls):
    outputs = []
    for k in range(calls):
        row = [values[k] for values in inputs]
        outputs.append(method(*row))
    return jnp.stack(outputs), method.__self__


def in_jit(method, inputs, calls):
    pure, state = functionalize(method)
    step = jax.jit(pure)
    outputs = []
    for k in range(calls):
        row = [values[k] for values in inputs]
        output, state = step(state, *row)
        outputs.append(output)
    return jnp.stack(outputs), state


def in_scan(method, inputs, calls):
    pure, state = functionalize(method)
    return scan(pure, state, inputs, calls)


def scan(pure, state, inputs, calls):
    def body(state, row):
        output, state = pure(state, *row)
        return state, output

    state, outputs = jax.lax.scan(
        body, state, inputs, length=calls)
    return outputs, state


def in_vmap(method, name, values, inputs, calls):
    pure, state = functionalize(method)

    def run(value):
        start = state.replace(**{name: value})
        return scan(pure, start, inputs, calls)

    return jax.vmap(run)(jnp.asarray(values))


def in_grad(method, score, name, value, inputs, calls):
    pure, state = functionalize(method)

    def last(value, inputs):
        start = state.replace(**{name: value}) \
            if name else state
        outputs, end = scan(
            pure, start, inputs, calls)
        return score(outputs[-1], end)

    wrt = 0 if name else 1
    return jax.grad(last, wrt)(value, inputs)


@dataclass(frozen=True)
class Run:
    """One transformation of a class, beside the same thing done in plain Python.

    Attributes:
      name: `jit`, `scan`, `vmap` or `grad`.
      what: what was computed, in words.
      expected: what the unchanged method gives, called eagerly on objects of its own.
      got: what the pure function gives, in the same shape. Both are pytrees of NumPy
        arrays: `(outputs, state)`, outputs with calls along the first axis (the second
        under `vmap`), or the gradient.
      shown: the function whose source shows how.
    """

    name: str
    what: str
    expected: Any
    got: Any
    shown: Callable

    @property
    def difference(self) -> float:
        """The largest difference of two numbers, relative to the larger of 1 and the largest in its array."""
        pairs = zip(jax.tree.leaves(self.expected), jax.tree.leaves(self.got), strict=True)
        return max(float(np.abs(old - new).max() / max(np.abs(old).max(), 1.0)) for old, new in pairs)

    @property
    def equal(self) -> bool:
        """True when all outputs and the state agree but for rounding in float32."""
        return self.difference < 1e-5


def runs(pair: Pair) -> tuple[Run, ...]:
    """Send a class through jit, scan, vmap and grad, and compare with what it does itself."""
    return tuple(run_each(pair))


def run_each(pair: Pair) -> Iterator[Run]:
    """The same one by one, for a caller that shows how far it is."""
    inputs, calls = pair.inputs(), pair.calls
    (name, values), wrt = pair.vary, pair.wrt
    at, start = wrt or (None, None)
    vary = f"{calls} calls each from {name} = {', '.join(map(str, values))}, at once"
    slope = f"{pair.score_in_words}, differentiated with respect to {at or 'the inputs'}"
    once = _eager(pair, pair.fresh())
    yield Run("jit", f"{calls} calls", once, _numpy(in_jit(pair.fresh(), inputs, calls)), in_jit)
    yield Run("scan", f"{calls} calls in one loop", once, _numpy(in_scan(pair.fresh(), inputs, calls)), in_scan)
    each = jax.tree.map(lambda *rows: np.stack(rows), *(_eager(pair, _with(pair, name, value)) for value in values))
    yield Run("vmap", vary, each, _numpy(in_vmap(pair.fresh(), name, values, inputs, calls)), in_vmap)
    grad = in_grad(pair.fresh(), pair.score, at, start, inputs, calls)
    yield Run("grad", slope, _numpy(_eager_grad(pair, at, start)), _numpy(grad), in_grad)


def _eager(pair: Pair, method: Callable) -> Any:
    """Outputs and state of the method itself."""
    _, names = functionalize(pair.fresh())
    outputs, owner = in_python(method, pair.inputs(), pair.calls)
    return _numpy((outputs, read(owner, names)))


def _numpy(tree: Any) -> Any:
    return jax.tree.map(np.asarray, tree)


def _with(pair: Pair, name: str, value: Any) -> Callable:
    """The method of a fresh object with another value in an attribute."""
    method = pair.fresh()
    setattr(method.__self__, name, value)  # type: ignore[attr-defined]
    return method


def _eager_grad(pair: Pair, name: str | None, value: Any) -> Any:
    """The same gradient through the method itself: its object is made inside what is differentiated."""

    def last(value, inputs):
        method = _with(pair, name, value) if name else pair.fresh()
        outputs, owner = in_python(method, inputs, pair.calls)
        return pair.score(outputs[-1], owner)

    return jax.grad(last, 0 if name else 1)(value, pair.inputs())
