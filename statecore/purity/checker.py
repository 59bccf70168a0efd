"""Look for impurities in any function: call it as Python and as JAX do, on copies, and compare."""

import copy
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from statecore.purity.reach import State, Subject, described_arguments, in_short, numbers

CANNOT_SEE = (
    "A global or captured variable that is read, and that nobody changes between the calls of the check.",
    "What is printed, written to a file or sent away: it is no output and no state.",
    "A random key (the state of JAX's random numbers, as a value) used twice where JAX's own `debug_key_reuse` "
    "does not look: a legacy `jax.random.PRNGKey`, "
    "or one key handed to two calls.",
    "What happens with other arguments: other shapes, other values, the branch that was not taken.",
    "State kept inside a library, a compiled extension or another process, unless the outputs show it. "
    "It cannot be copied either, so the check moves it.",
)
"""What `check` cannot see. Passing it is no proof of purity."""

KINDS: Mapping[str, str] = types.MappingProxyType(
    {
        "differs": "differs from call to call",
        "freezes": "freezes a value",
        "leaks": "leaks a tracer",
        "changes": "changes something outside",
        "refuses": "cannot be traced",
        "reuses": "uses a random key twice",
    }
)
"""The kinds of finding, and how each is called."""


@dataclass(frozen=True)
class Finding:
    """One impurity that showed: its kind, of `KINDS`, and what was seen."""

    kind: str
    words: str


@dataclass(frozen=True)
class Report:
    """What a check found.

    Attributes:
      name: the function's name.
      findings: the impurities that showed; empty when none did.
      eager, traced: the outcome of each call, a value or the exception raised,
        without `jit` and with it.
      not_copied: what could not be copied, and was therefore used by the check itself.
      cannot_see: what no check of this sort can see.
    """

    name: str
    findings: tuple[Finding, ...]
    eager: tuple[Any, ...]
    traced: tuple[Any, ...]
    not_copied: tuple[str, ...]
    cannot_see: tuple[str, ...] = CANNOT_SEE

    @property
    def kinds(self) -> frozenset[str]:
        return frozenset(finding.kind for finding in self.findings)

    @property
    def clean(self) -> bool:
        """True when no impurity showed, which is no proof that there is none."""
        return not self.findings

    def in_words(self) -> str:
        """The report as text, one line for each finding."""
        if self.clean:
            return f"{self.name}: no impurity showed in {len(self.eager)} calls."
        lines = [f"- {KINDS[finding.kind]}: {finding.words}" for finding in self.findings]
        lines += [f"- `{name}` could not be copied: the check has used it" for name in self.not_copied]
        return "\n".join((f"{self.name} is not pure:", *lines))


def check(function: Callable, *args: Any, calls: int = 3) -> Report:
    """Call `function(*args)` several times without and with `jit` and say what is impure about it.

    The calls are made on copies: of the function, the object it is a method of,
    its defaults, and the data and functions of its module and closure that it
    names. So the check does not move what it checks, except for `not_copied`,
    and for what is reached through a class or another module.

    Args:
      function: a function, a method, a `functools.partial`, or a `jax.jit`
        wrapper, which is seen through.
      *args: its arguments, the same for every call; it is handed a copy of them.
      calls: how many calls to make each way, at least 2.

    See `CANNOT_SEE` for what goes unnoticed. Raises TypeError where `function`
    has no Python body to look at or is transformed by JAX already (`jit` apart),
    ValueError for fewer than 2 calls.
    """
    if calls < 2:
        raise ValueError(f"one call cannot differ from the next: make at least 2, not {calls}")
    plain, jitted, leaking, reusing = (Subject(function) for _ in range(4))
    before = plain.state()
    given = copy.deepcopy(args)
    eager = tuple(_outcome(plain.function, *given) for _ in range(calls))
    traced_function = jax.jit(jitted.function)
    traced = tuple(_outcome(traced_function, *copy.deepcopy(args)) for _ in range(calls))
    findings = [
        *_differing(eager),
        *_refused(eager, traced),
        *_frozen(eager, traced),
        *_leaked(traced, jitted, leaking, args),
        *_changed(before, plain.state()),
        *_changed(described_arguments(args), described_arguments(given)),
        *_reused(reusing, args),
    ]
    return Report(plain.name, tuple(findings), eager, traced, plain.not_copied)


def assert_pure(function: Callable, *args: Any, calls: int = 3) -> None:
    """Fail, saying what was found, unless `check` finds nothing: for use in a test.

    It cannot prove purity: see `CANNOT_SEE`.
    """
    report = check(function, *args, calls=calls)
    if not report.clean:
        raise AssertionError(report.in_words())


def _differing(eager: tuple) -> Iterator[Finding]:
    if not all(same(eager[0], outcome) for outcome in eager[1:]):
        yield Finding("differs", f"the same arguments gave {_listed(eager)}")


def _refused(eager: tuple, traced: tuple) -> Iterator[Finding]:
    if isinstance(traced[0], Exception) and not _is_leak(traced[0]):
        instead = "" if isinstance(eager[0], Exception) else f", where plain Python gives {in_short(eager[0])}"
        yield Finding("refuses", f"{in_short(traced[0])}{instead}")


def _frozen(eager: tuple, traced: tuple) -> Iterator[Finding]:
    if any(isinstance(outcome, Exception) for outcome in (*eager, *traced)):
        return
    if not all(map(same, eager, traced)):
        yield Finding("freezes", f"plain Python gives {_listed(eager)}, and jit {_listed(traced)}")


def _leaked(traced: tuple, jitted: Subject, fresh: Subject, args: tuple) -> Iterator[Finding]:
    """Tracers left where they can be seen, or met by a plain call, or else found by JAX's own leak checker."""
    left = [f"`{name}`" for name, seen in jitted.state().items() if seen.tracer]
    if left:
        yield Finding("leaks", f"after a jitted call a tracer is left in {' and '.join(left)}")
    elif _is_leak(_outcome(jitted.function, *copy.deepcopy(args))):
        yield Finding("leaks", "a plain call after a jitted one meets a tracer and raises UnexpectedTracerError")
    else:
        with jax.checking_leaks():
            outcome = _outcome(jax.jit(fresh.function), *copy.deepcopy(args))
        # whatever it raises: JAX 0.10 can fail with an IndexError while it describes the leak it found
        if isinstance(outcome, Exception) and not isinstance(traced[0], Exception):
            yield Finding("leaks", "JAX's `checking_leaks` found a tracer that is still held when its trace is over")


def _changed(before: State, after: State) -> Iterator[Finding]:
    for name, now in after.items():
        was = before.get(name)
        if was is None:
            yield Finding("changes", f"`{name}` was made by the calls: {now.words}")
        elif was.mark != now.mark and was.words == now.words:
            yield Finding("changes", f"`{name}` is not in the state that it was in before the calls")
        elif was.mark != now.mark:
            yield Finding("changes", f"`{name}` was {was.words} before the calls and is {now.words} after them")


def _reused(subject: Subject, args: tuple) -> Iterator[Finding]:
    with jax.debug_key_reuse(True):
        outcome = _outcome(jax.jit(subject.function), *copy.deepcopy(args))
    if isinstance(outcome, jax.errors.KeyReuseError):
        yield Finding("reuses", in_short(outcome))


def _outcome(function: Callable, *args: Any) -> Any:
    try:
        return jax.tree.map(_at_rest, function(*args))
    except Exception as raised:
        return raised


def _at_rest(leaf: Any) -> Any:
    """A value that a later write cannot change."""
    return np.array(leaf) if isinstance(leaf, np.ndarray) else leaf


def _is_leak(outcome: Any) -> bool:
    return isinstance(outcome, jax.errors.UnexpectedTracerError)


def same(one: Any, other: Any) -> bool:
    """Equal values, within the rounding by which a compiled program may differ; or like errors."""
    if isinstance(one, Exception) or isinstance(other, Exception):
        return type(one) is type(other)
    ones, others = jax.tree.leaves(one), jax.tree.leaves(other)
    alike = str(jax.tree.structure(one)) == str(jax.tree.structure(other))
    return alike and all(map(_same_leaf, ones, others))


def _same_leaf(one: Any, other: Any) -> bool:
    one, other = numbers(one), numbers(other)
    if one.shape != other.shape:
        return False
    if one.dtype.kind in "fc" or other.dtype.kind in "fc":
        return np.allclose(one, other, rtol=1e-4, atol=1e-6, equal_nan=True)
    return bool(np.all(one == other))


def _listed(outcomes: tuple) -> str:
    return ", ".join(map(in_short, outcomes))
