"""What a traced function kept: its jaxpr, read for what came in and what was baked in."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jax.extend import core

# at the start of a line: functions that the program shares are printed before it, indented
_HEADER = re.compile(r"^\{ lambda (?P<consts>.*?);(?P<inputs>.*?)\. let", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Constant:
    """A value that the compiled program holds and will never read again.

    Attributes:
      text: how the jaxpr prints it, such as `1:i32[]`, or its name, such as `a:f32[]`.
      value: the value itself.
      origin: the hidden variable that held this value while the function was
        traced, such as `self.n`; None when it was written in the code.
    """

    text: str
    value: Any
    origin: str | None


@dataclass(frozen=True)
class Output:
    """One result of the program: the inputs it is computed from, or its constant value."""

    inputs: tuple[str, ...]
    constant: Any = None

    @property
    def frozen(self) -> bool:
        """True when no input reaches this output, so it is the same on every call."""
        return not self.inputs


@dataclass(frozen=True)
class Kept:
    """The program that `jit` kept.

    Attributes:
      text: the jaxpr as JAX prints it.
      inputs: its arguments as printed, such as `a:i32[]`.
      constants: the values baked into it, captured arrays first.
      outputs: what each result is computed from.
    """

    text: str
    inputs: tuple[str, ...]
    constants: tuple[Constant, ...]
    outputs: tuple[Output, ...]

    @property
    def baked(self) -> tuple[Constant, ...]:
        """The constants that were hidden state when the function was traced."""
        return tuple(constant for constant in self.constants if constant.origin)


def read(closed: core.ClosedJaxpr, hidden: Mapping[str, Any] | None = None) -> Kept:
    """Read a jaxpr.

    Args:
      closed: what `wrapper.trace(*args).jaxpr` returns.
      hidden: hidden variables by name, as they were around the trace; a constant
        equal to one of them is said to come from it.
    """
    text = str(closed)
    header = _HEADER.search(text)
    names = {part: header[part].split() if header else [] for part in ("consts", "inputs")}
    hidden = _concrete_leaves(hidden or {})
    named = list(zip(names["consts"], closed.consts, strict=False))
    # a captured Ref is read on every call: it comes in like an argument
    refs = [name for name, value in named if isinstance(value, jax.Ref)]
    captured = [Constant(name, value, _origin(value, hidden)) for name, value in named if name not in refs]
    inputs = (*refs, *names["inputs"])
    literals = {
        _literal_text(literal): Constant(_literal_text(literal), literal.val, _origin(literal.val, hidden))
        for literal in _literals(closed.jaxpr)
    }
    return Kept(
        text=text,
        inputs=inputs,
        constants=(*captured, *literals.values()),
        outputs=_outputs(closed, inputs),
    )


def in_words(kept: Kept, state: int = 0) -> list[str]:
    """The program in plain words: what comes in, what is baked in, what goes out.

    Args:
      kept: the program.
      state: how many leaves the explicit state has: the first inputs, the last outputs.
    """
    sentences = _inputs_in_words(kept.inputs, state)
    for origin, texts in _by_origin(kept.baked).items():
        sentences.append(f"`{origin}` was read once, while tracing: the program keeps {texts} in its place.")
    frozen = [output for output in kept.outputs if output.frozen]
    if frozen and len(frozen) == len(kept.outputs):
        values = " and ".join(dict.fromkeys(_plain(output.constant) for output in frozen))
        sentences.append(f"What goes out is always {values}: no argument reaches it.")
    elif kept.outputs and state:
        new = "the new state" if len(kept.outputs) == state else "the new state among them"
        sentences.append(f"{_count(len(kept.outputs), 'value')} out, {new}, computed from what came in.")
    elif kept.outputs:
        sentences.append(f"{_count(len(kept.outputs), 'value')} out, computed from what came in.")
    return sentences


def _inputs_in_words(inputs: tuple[str, ...], state: int) -> list[str]:
    if not inputs:
        return ["Nothing comes in: the program has no argument."]
    parts = [(inputs[:state], "the state"), (inputs[state:], "")] if state else [(inputs, "")]
    return [
        f"{_count(len(names), 'argument')} in{': ' + role if role else ''}, {', '.join(f'`{name}`' for name in names)}."
        for names, role in parts
        if names
    ]


def _by_origin(constants: tuple[Constant, ...]) -> dict[str, str]:
    grouped: dict[str, list[str]] = {}
    for constant in constants:
        grouped.setdefault(str(constant.origin), []).append(_plain(constant.value))
    return {origin: " and ".join(dict.fromkeys(values)) for origin, values in grouped.items()}


def _count(number: int, noun: str) -> str:
    words = dict(enumerate(("One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine"), start=1))
    verb = ("comes" if number == 1 else "come") if noun == "argument" else ("goes" if number == 1 else "go")
    return f"{words.get(number, number)} {noun}{'' if number == 1 else 's'} {verb}"


def _plain(value: Any) -> str:
    if value is None:
        return "the same"
    if _is_key(value):
        return "a random key"
    array = np.asarray(value)
    if array.ndim:
        return f"an array of shape {array.shape}"
    return f"{array.item():.4g}" if array.dtype.kind == "f" else str(array.item())


def _literal_text(literal: core.Literal) -> str:
    return f"{np.asarray(literal.val).item()}:{literal.aval.str_short(short_dtypes=True)}"


def _literals(jaxpr: core.Jaxpr) -> Iterator[core.Literal]:
    for equation in jaxpr.eqns:
        yield from (atom for atom in equation.invars if isinstance(atom, core.Literal))
        for parameter in jax.tree.leaves(list(equation.params.values()), is_leaf=_is_jaxpr):
            if isinstance(parameter, core.ClosedJaxpr):
                yield from _literals(parameter.jaxpr)
            elif isinstance(parameter, core.Jaxpr):
                yield from _literals(parameter)
    yield from (atom for atom in jaxpr.outvars if isinstance(atom, core.Literal))


def _is_jaxpr(value: Any) -> bool:
    return isinstance(value, core.Jaxpr | core.ClosedJaxpr)


def _outputs(closed: core.ClosedJaxpr, names: tuple[str, ...]) -> tuple[Output, ...]:
    """Follow each output back to the inputs; an equation passes on all that it reads."""
    jaxpr = closed.jaxpr
    refs = [v for v, value in zip(jaxpr.constvars, closed.consts, strict=True) if isinstance(value, jax.Ref)]
    reached = {variable: {index} for index, variable in enumerate([*refs, *jaxpr.invars])}
    constants = dict(zip(jaxpr.constvars, closed.consts, strict=True))
    for equation in jaxpr.eqns:
        sources = set().union(
            *(reached.get(atom, set()) for atom in equation.invars if not isinstance(atom, core.Literal))
        )
        reached.update((variable, sources) for variable in equation.outvars)

    def output(atom) -> Output:
        if isinstance(atom, core.Literal):
            return Output((), atom.val)
        inputs = sorted(reached.get(atom, set()))
        return Output(tuple(names[i] if i < len(names) else f"#{i}" for i in inputs), constants.get(atom))

    return tuple(output(atom) for atom in jaxpr.outvars)


def _concrete_leaves(hidden: Mapping[str, Any]) -> dict[str, Any]:
    """Name every array and number in `hidden`; tracers and other objects are left out."""
    leaves = {}
    for name, value in hidden.items():
        if isinstance(value, Iterator):  # jax.tree would use it up
            continue
        for path, leaf in jax.tree_util.tree_leaves_with_path(value):
            if isinstance(leaf, (bool, int, float, np.ndarray, np.generic)) or (
                isinstance(leaf, jax.Array) and not isinstance(leaf, jax.core.Tracer)
            ):
                leaves[name + jax.tree_util.keystr(path)] = leaf
    return leaves


def _origin(value: Any, hidden: Mapping[str, Any]) -> str | None:
    """The hidden variable that is this constant: the very same array, else one of equal value."""
    for name, leaf in hidden.items():
        if leaf is value:
            return name
    if _is_key(value):
        return None
    value = np.asarray(value)
    for name, leaf in hidden.items():
        if _is_key(leaf):
            continue
        leaf = np.asarray(leaf)
        if leaf.shape != value.shape or not np.can_cast(leaf.dtype, value.dtype, "same_kind"):
            continue  # 1.5 is not where a 1 comes from
        with np.errstate(over="ignore"):
            if np.array_equal(leaf.astype(value.dtype), value):
                return name
    return None


def _is_key(value: Any) -> bool:
    """True for a typed random key, which NumPy cannot hold."""
    return isinstance(value, jax.Array) and jax.dtypes.issubdtype(value.dtype, jax.dtypes.prng_key)
