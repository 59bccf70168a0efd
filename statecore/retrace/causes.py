"""Why a function was traced again: what differs between two traces, as facts, and the sentence of each."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from statecore.retrace.signature import Argument, Static, Type
from statecore.retrace.watch import Trace

_DEFAULT = "by its default"

REMEDIES = {
    "shape": "Every shape has a program of its own: pad to one shape, or allow one trace for each.",
    "dtype": "Convert it before the call, so that its dtype is the same every time.",
    "weak type": "A Python number is weakly typed and an array usually is not: pass one or the other every time, "
    "for example jnp.float32(0.1) from the start.",
    "static value": "Every static value has a program of its own: if it changes often, let it be an ordinary argument.",
    "new object": "Its class compares by identity: make the object once, or give the class __eq__ and __hash__ by "
    "content (a frozen dataclass has them).",
    "structure": "Give it its final structure before the first call.",
    "sharding": "Lay it out over the devices in the same way before every call (jax.device_put).",
    "keyword": "jit keeps a program for each way of passing: always pass it in the same way.",
    "new function": "jit looks its programs up by the function object: define it once, outside the loop.",
    "new wrapper": "Call jax.jit once and keep the wrapper: what it held is lost with it.",
    "configuration": "Choose the setting before the first call and keep it.",
    "unseen": "The caches may have been cleared, or the function or its wrapper made again by a library.",
}
"""What to do about each kind of cause."""


@dataclass(frozen=True)
class Cause:
    """One reason why a call found no program.

    Attributes:
      kind: one of the keys of `REMEDIES`.
      path: the argument by its path (`state.count`, `params['w']`), the setting, or the function.
      before: what it was at the earlier trace.
      after: what it is now.
    """

    kind: str
    path: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self._fact()} {REMEDIES[self.kind]}"

    def _fact(self) -> str:
        if self.kind == "new function":
            return f"The arguments are the same, but `{self.path}` is a new function object with the same code."
        if self.kind == "new wrapper":
            return f"The arguments and the function are the same, but `{self.path}` was wrapped by jit again."
        if self.kind == "unseen":
            return f"The arguments of `{self.path}`, the function and the settings are the same."
        if self.kind == "configuration":
            return f"The setting `{self.path}` was {self.before} and is now {self.after}."
        if self.kind == "keyword":
            return f"Argument `{self.path}` was passed {self.before} and is now passed {self.after}."
        noun = {"static value": "Static argument", "new object": "Object"}.get(self.kind, "Argument")
        return f"{noun} `{self.path}` was {self.before} and is now {self.after}."


def closest(earlier: list[Trace], now: Trace) -> tuple[Cause, ...]:
    """Why no earlier trace serves: the differences from the one that differs least, the latest among equals."""
    return min((causes(before, now) for before in reversed(earlier)), key=len)


def causes(before: Trace, after: Trace) -> tuple[Cause, ...]:
    """What differs between two traces of the same code; what the function was is asked only when nothing else is."""
    passing = _passing(before, after)
    defaults = {cause.path for cause in passing if _DEFAULT in (cause.before, cause.after)}
    found = (*_arguments(before, after, defaults), *_settings(before, after), *passing)
    return found or (_function(before, after),)


def _arguments(before: Trace, after: Trace, leave_out: set[str]) -> Iterator[Cause]:
    absent = Argument({}, None)
    for name in {**before.arguments, **after.arguments}:
        if name in leave_out:
            continue
        yield from _argument(name, before.arguments.get(name, absent), after.arguments.get(name, absent))


def _argument(name: str, before: Argument, after: Argument) -> Iterator[Cause]:
    found = [
        cause
        for path in {**before.leaves, **after.leaves}
        for cause in _leaf(path, before.leaves.get(path), after.leaves.get(path))
    ]
    if not found and before.structure != after.structure:
        found = [Cause("structure", name, _nodes(before.structure), _nodes(after.structure))]
    yield from found


def _leaf(path: str, before: Type | Static | None, after: Type | Static | None) -> Iterator[Cause]:
    if isinstance(before, Type) and isinstance(after, Type):
        if before != after:
            yield Cause(_kind(before, after), path, str(before), str(after))
    elif isinstance(before, Static) and isinstance(after, Static):
        if not before.same(after):
            yield Cause(_static_kind(before, after), path, str(before), str(after))
    else:
        numbers = any(isinstance(leaf, Static) and leaf.value is not None for leaf in (before, after))
        kind = "static value" if numbers and before and after else "structure"
        yield Cause(kind, path, _text(before), _text(after))


def _kind(before: Type, after: Type) -> str:
    if before.shape != after.shape:
        return "shape"
    if before.dtype != after.dtype:
        return "dtype"
    return "weak type" if before.weak != after.weak else "sharding"


def _static_kind(before: Static, after: Static) -> str:
    if None in (before.value, after.value):
        return "structure"
    return "new object" if type(before.value) is type(after.value) and after.by_identity() else "static value"


def _text(leaf: Type | Static | None) -> str:
    return "absent" if leaf is None else str(leaf)


def _nodes(structure: Any) -> str:
    return str(structure).removeprefix("PyTreeDef(").removesuffix(")").replace("*", "leaf")


def _settings(before: Trace, after: Trace) -> Iterator[Cause]:
    for name, was in before.settings.items():
        if was != after.settings[name]:
            yield Cause("configuration", name, str(was), str(after.settings[name]))


def _passing(before: Trace, after: Trace) -> tuple[Cause, ...]:
    """The arguments that came by position once and by keyword the other time, or were left to their default."""
    if before.passed == after.passed:
        return ()
    ways = [_ways(trace) for trace in (before, after)]
    return tuple(
        Cause("keyword", name, ways[0].get(name, _DEFAULT), ways[1].get(name, _DEFAULT))
        for name in before.arguments
        if ways[0].get(name) != ways[1].get(name)
    )


def _ways(trace: Trace) -> dict[str, str]:
    count, keywords = trace.passed
    names = [name for name in trace.arguments if name not in keywords]
    return dict.fromkeys(names[: count + trace.function.bound], "by position") | dict.fromkeys(keywords, "by keyword")


def _function(before: Trace, after: Trace) -> Cause:
    if before.function.is_that_of(after.function):
        return Cause("unseen", after.name, "", "")
    kind = "new wrapper" if before.function == after.function else "new function"
    return Cause(kind, after.name, "", "")
