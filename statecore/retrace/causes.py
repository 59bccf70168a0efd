"""Why a function was traced again: the facts, and the sentence that each gives."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from statecore.retrace.signature import Leaf, Signature

KINDS = (
    "shape",
    "dtype",
    "weak type",
    "static value",
    "structure",
    "keyword",
    "sharding",
    "new object",
    "new function",
    "new wrapper",
    "configuration",
    "caches",
)
"""What a cause may be."""

_REMEDIES = {
    "shape": "Pad it to one shape, or accept one program for each shape.",
    "dtype": "Convert it before the call, so that it always has one dtype.",
    "weak type": "A Python number is weakly typed, and an array is not. Pass one or the other every time.",
    "static value": "Every static value has a program of its own. Pass it as an array if it changes often.",
    "structure": "Give it its final structure from the first call on.",
    "keyword": "Pass it in the same way every time, by position or by keyword.",
    "sharding": "Put it on the same devices in the same way before every call.",
    "new object": "Make the object once, or give its class `__eq__` and `__hash__` by content.",
    "new function": "Define the function once, outside the loop: JAX looks programs up by the function object.",
    "new wrapper": "Call `jax.jit` once, and keep what it returns.",
    "configuration": "Change it before the first call, and not between calls.",
    "caches": "Something cleared the caches, or let the last wrapper of the function go.",
}


@dataclass(frozen=True)
class Cause:
    """One reason why a call found no program that was kept.

    Attributes:
      kind: one of `KINDS`.
      path: the argument, such as `state.count` or `params['w']`, or the setting of JAX; else empty.
      before, after: what it was when the function was traced before, and what it is now.
    """

    kind: str
    path: str = ""
    before: str = ""
    after: str = ""

    def __str__(self) -> str:
        return f"{self._fact()} {_REMEDIES[self.kind]}"

    def _fact(self) -> str:
        if self.kind == "new function":
            return "Nothing about the arguments changed: another function object with the same code was traced."
        if self.kind == "new wrapper":
            return "Nothing about the arguments changed: the method was wrapped again, and the old wrapper was gone."
        if self.kind == "caches":
            return "Nothing about the arguments or the function changed: JAX no longer had the program."
        if self.kind == "configuration":
            return f"JAX's setting `{self.path}` was {self.before} and is now {self.after}."
        if self.kind == "keyword":
            return f"`{self.path}` was passed {self.before} and is now passed {self.after}."
        what = {"static value": "the Python value ", "new object": "the object "}.get(self.kind, "")
        return f"`{self.path}` was {what}{self.before} and is now {self.after}."


def causes(before: Signature, after: Signature) -> tuple[Cause, ...]:
    """What differs between the arguments of two traces, the most telling first; empty when nothing does."""
    structures = tuple(_structures(before, after))
    if structures:
        return structures
    found = list(_leaves(before, after))
    certain = [cause for cause in found if cause.kind not in ("static value", "new object")]
    return tuple(certain or found)


def _structures(before: Signature, after: Signature) -> Iterator[Cause]:
    for name in {**before.structures, **after.structures}:
        was, now = before.structures.get(name, "absent"), after.structures.get(name, "absent")
        if was != now:
            yield Cause("structure", name, _tree(was), _tree(now))


def _leaves(before: Signature, after: Signature) -> Iterator[Cause]:
    for path, was in before.leaves.items():
        now = after.leaves.get(path)
        if now is not None:
            yield from _leaf(path, was, now)


def _leaf(path: str, was: Leaf, now: Leaf) -> Iterator[Cause]:
    if was.shape != now.shape:
        yield Cause("shape", path, was.type or "no array", now.type or "no array")
    elif was.dtype != now.dtype:
        yield Cause("dtype", path, was.type or "no array", now.type or "no array")
    elif was.weak != now.weak:
        yield Cause("weak type", path, _weakly(was), _weakly(now))
    elif was.sharding != now.sharding:
        yield Cause("sharding", path, was.sharding, now.sharding)
    elif not _same(was.value, now.value):
        kind = "new object" if type(was.value).__eq__ is object.__eq__ else "static value"
        yield Cause(kind, path, _short(was.value), _short(now.value))


def _same(one: Any, other: Any) -> bool:
    try:
        return bool(one == other) or (one != one and other != other)
    except Exception:
        return one is other


def _weakly(leaf: Leaf) -> str:
    return f"a {'weakly' if leaf.weak else 'strongly'} typed {leaf.type.removeprefix('~')}"


def _tree(structure: str) -> str:
    text = structure.removeprefix("PyTreeDef(").removesuffix(")").replace("*", "leaf")
    return text if structure == "absent" else f"the tree {text}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
