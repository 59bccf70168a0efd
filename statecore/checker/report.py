"""What a check found: facts, and the plain English made of them."""

import types
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

NOT_PURE = "not pure"
NOT_TRACEABLE = "not traceable"
KEY_USED_TWICE = "key used twice"
RAISES = "raises without jit"
BAKES = "bakes"

VERDICTS: Mapping[str, str] = types.MappingProxyType(
    {
        "differs": NOT_PURE,
        "freezes": NOT_PURE,
        "leaks": NOT_PURE,
        "changes": NOT_PURE,
        "refuses": NOT_TRACEABLE,
        "raises": RAISES,
        "reuses": KEY_USED_TWICE,
        "bakes": BAKES,
    }
)
"""The kinds of finding, and the verdict that each of them leads to."""

KINDS: Mapping[str, str] = types.MappingProxyType(
    {
        "differs": "differs from call to call",
        "freezes": "freezes a value",
        "leaks": "leaks a tracer",
        "changes": "changes something outside",
        "refuses": "cannot be traced",
        "raises": "raises without jit",
        "reuses": "uses a random key twice",
        "bakes": "bakes a value in",
    }
)
"""The kinds of finding, and how each is called."""

CANNOT_SEE = (
    "What happens with other arguments: other shapes, other values, the branch that was not taken.",
    "What is printed, logged, written to a file or sent away. It is no output and no state, and it really happens.",
    "State inside another library, a compiled extension, a thread or another process, unless the outputs show it. "
    "It is not put back either.",
    "A value that is read while tracing, is not a number or an array, and does not change between the calls.",
    "A global that is found by its name as a string, through `globals()` or `sys.modules`.",
    "A random key used twice where JAX's own `debug_key_reuse` does not look: one seed made into two keys, "
    "one number folded into a key twice, a key that is both split and folded, "
    "and any legacy `jax.random.PRNGKey`.",
    "A value that a compiled program hands to a callback: the check traces the function and does not compile it.",
)
"""What `check` cannot see. Passing it is no proof of purity."""


@dataclass(frozen=True)
class Finding:
    """One thing that showed.

    Attributes:
      kind: a key of `KINDS` and of `VERDICTS`.
      names: the variables that it is about, by their paths, such as `self.calls`.
      before, after: what was there before the calls and after them, in short; empty where it does not apply.
      outcomes: in short, what the calls gave one after another. For "freezes" it is what the program
        that was kept gives and what a program traced at that call gives.
      call: for "freezes", the number of the call.
      error: the exception, where one was raised.
      raises_plainly: True when plain Python raises as well.
      asked: True for an iterator that the function asked for its next item.
    """

    kind: str
    names: tuple[str, ...] = ()
    before: str = ""
    after: str = ""
    outcomes: tuple[str, ...] = ()
    call: int = 0
    error: Exception | None = None
    raises_plainly: bool = False
    asked: bool = False

    @property
    def verdict(self) -> str:
        return VERDICTS[self.kind]

    @property
    def words(self) -> str:
        """The finding in plain English, without its kind."""
        return _WORDS[self.kind](self)


@dataclass(frozen=True)
class Report:
    """What a check found.

    Attributes:
      name: the function's name.
      findings: what showed; empty when nothing did.
      outcomes: the outcome of each plain call, a value or the exception raised.
      not_copied: what could not be copied. Where it can be read but not put back, such as a
        generator, a stand-in took its place; the rest, such as a lock, was used as it is.
      cannot_see: what no check of this sort can see.
    """

    name: str
    findings: tuple[Finding, ...]
    outcomes: tuple[Any, ...] = field(repr=False)
    not_copied: tuple[str, ...] = ()
    cannot_see: tuple[str, ...] = field(default=CANNOT_SEE, repr=False)

    @property
    def kinds(self) -> frozenset[str]:
        return frozenset(finding.kind for finding in self.findings)

    @property
    def verdicts(self) -> frozenset[str]:
        return frozenset(finding.verdict for finding in self.findings)

    @property
    def pure(self) -> bool:
        """True when no impurity showed, which is no proof that there is none."""
        return NOT_PURE not in self.verdicts

    @property
    def traceable(self) -> bool:
        """True when `jit` can trace it with these arguments."""
        return NOT_TRACEABLE not in self.verdicts

    @property
    def clean(self) -> bool:
        """True when nothing at all was found."""
        return not self.findings

    @property
    def summary(self) -> str:
        """The report in one line."""
        calls = f"in {len(self.outcomes)} calls"
        if not self.pure:
            return f"{self.name} is not pure."
        if not self.traceable:
            return f"{self.name}: no impurity showed {calls}, but it is not traceable."
        if RAISES in self.verdicts:
            return f"{self.name}: no impurity showed {calls}, but it raises without jit."
        if KEY_USED_TWICE in self.verdicts:
            return f"{self.name}: no impurity showed {calls}, but a random key is used twice."
        return f"{self.name}: no impurity showed {calls}."

    def __str__(self) -> str:
        lines = [f"- {KINDS[finding.kind]}: {finding.words}" for finding in self.findings]
        lines += [f"- `{name}` could not be copied." for name in self.not_copied]
        return "\n".join((self.summary, *lines))


def _and(parts: tuple[str, ...]) -> str:
    shown = parts if len(parts) <= 4 else (*parts[:3], f"{len(parts) - 3} more")
    return ", ".join(shown[:-1]) + (" and " if shown[1:] else "") + shown[-1]


def _named(found: Finding) -> str:
    return _and(tuple(f"`{name}`" for name in found.names))


def error_in_short(error: Exception) -> str:
    """An exception by its type and its first sentence."""
    sentence = str(error).partition("\n")[0].partition(". ")[0].rstrip(".")
    return f"{type(error).__name__}: {sentence}"


def _differs(found: Finding) -> str:
    return f"The same arguments gave {_and(found.outcomes)}."


def _freezes(found: Finding) -> str:
    kept, fresh = found.outcomes
    return f"At call {found.call} the program that jit kept gives {kept}. A program that is traced then gives {fresh}."


def _leaks(found: Finding) -> str:
    if found.names:
        return f"When the trace is over, a tracer is left in {_named(found)}."
    if isinstance(found.error, Exception):
        return f"A plain call after a jitted one meets a tracer: {error_in_short(found.error)}."
    return "JAX's `checking_leaks` finds a tracer that is still held when its trace is over."


def _changes(found: Finding) -> str:
    if found.asked:
        return f"{_named(found)} is asked for its next item, and does not come back to where it was."
    if not found.before and not found.after:
        return f"{_named(found)} is not in the state that it was in before the calls."
    if not found.before:
        return f"{_named(found)} was made by the calls: {found.after}."
    if not found.after:
        return f"{_named(found)} was {found.before} before the calls and is gone after them."
    return f"{_named(found)} was {found.before} before the calls and is {found.after} after them."


def _refuses(found: Finding) -> str:
    assert found.error is not None
    plainly = " Plain Python raises too." if found.raises_plainly else ""
    gives = f" Plain Python gives {found.outcomes[0]}." if found.outcomes else ""
    return f"{error_in_short(found.error)}.{plainly}{gives}"


def _raises(found: Finding) -> str:
    return "" if found.error is None else f"{error_in_short(found.error)}. It can be traced all the same."


def _reuses(found: Finding) -> str:
    return "" if found.error is None else f"{error_in_short(found.error)}."


def _bakes(found: Finding) -> str:
    was, it = ("was", "it is a constant") if len(found.names) == 1 else ("were", "they are constants")
    return f"{_named(found)} {was} read while tracing, and {it} of the program: a later change will not be seen."


_WORDS = {
    "differs": _differs,
    "freezes": _freezes,
    "leaks": _leaks,
    "changes": _changes,
    "refuses": _refuses,
    "raises": _raises,
    "reuses": _reuses,
    "bakes": _bakes,
}
