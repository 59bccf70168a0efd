"""What was observed, in words that a learner reads."""

from collections.abc import Sequence
from typing import Any

import jax

from statecore.kept import Constant, Kept, Output
from stateui import show

_NUMBERS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")


def program(kept: Kept, state: int = 0) -> list[str]:
    """A program in plain words: what comes in, what is baked in, what goes out.

    Args:
      kept: the program.
      state: how many leaves the explicit state has: the first inputs, the last outputs.
    """
    return [*_inputs(kept.inputs, state), *_baked(kept), *_unsure(kept), *_outputs(kept.outputs, kept.inputs, state)]


def _inputs(inputs: Sequence[str], state: int) -> list[str]:
    if not inputs:
        return ["Nothing comes in: the program has no argument."]
    parts = [(inputs[:state], ": the state"), (inputs[state:], "")] if state else [(inputs, "")]
    return [f"{_count(len(names), 'argument', 'come')} in{role}, {_code(names)}." for names, role in parts if names]


def _baked(kept: Kept) -> list[str]:
    """One sentence for each variable of which it is certain that the program holds what it was."""
    by_name: dict[str, list[Constant]] = {}
    for constant in kept.baked:
        if constant.origin:
            by_name.setdefault(constant.origin.name, []).append(constant)
    return [_origin(name, constants) for name, constants in by_name.items()]


def _origin(name: str, constants: list[Constant]) -> str:
    origin = constants[0].origin
    values = _and([_plain(each.value) for each in constants])
    if origin and origin.written:
        first = f" when it was {_plain(origin.first)}, and then set to {values}" if origin.first is not None else ""
        return f"`{name}` was read while tracing{first}. The program keeps {values} in its place."
    return f"`{name}` was read once, while tracing. The program keeps {values} in its place."


def _unsure(kept: Kept) -> list[str]:
    maybe = "That may be a value that was read while tracing"
    unsure = [constant for constant in kept.constants if constant.candidates]
    return [f"The program keeps {_plain(each.value)}. {maybe}: {_code(each.candidates)}." for each in unsure]


def _outputs(outputs: Sequence[Output], inputs: Sequence[str], state: int) -> list[str]:
    if outputs and all(output.frozen for output in outputs):
        return [f"What goes out is always {_and([_plain(each.constant) for each in outputs])}: no argument reaches it."]
    if not outputs:
        return []
    new = outputs[len(outputs) - state :] if state else ()
    role = ""
    if new and all(each.same_as == name for each, name in zip(new, inputs[:state], strict=True)):
        role = ", the state among them, which goes out as it came in"
    elif new:
        role = ", the new state" if len(outputs) == state else ", the new state among them"
    return [f"{_count(len(outputs), 'value', 'go')} out{role}, computed from what came in."]


def _count(number: int, noun: str, verb: str) -> str:
    word = _NUMBERS[number] if number < len(_NUMBERS) else str(number)
    one = {"come": "comes", "go": "goes"}[verb] if number == 1 else verb
    return f"{word} {noun}{'' if number == 1 else 's'} {one}"


def _code(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _and(texts: list[str]) -> str:
    return " and ".join(dict.fromkeys(texts))


def _plain(value: Any) -> str:
    if value is None:
        return "the same"
    if isinstance(value, jax.Array) and jax.dtypes.issubdtype(value.dtype, jax.dtypes.prng_key):
        return "a random key"
    if getattr(value, "ndim", 0):
        return f"an array of shape {tuple(value.shape)}"
    return show.value(value)
