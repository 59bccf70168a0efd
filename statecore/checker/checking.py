"""Look for impurities in any function: call it as Python and as JAX do, compare, and put everything back."""

import contextvars
import functools
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import jax

from statecore.checker.baking import baked
from statecore.checker.comparing import alike, in_short, same
from statecore.checker.phases import attempt, changes, holds_tracer, phase
from statecore.checker.places import is_absent
from statecore.checker.reach import Reach
from statecore.checker.report import KEY_USED_TWICE, NOT_PURE, NOT_TRACEABLE, RAISES, Finding, Report
from statecore.checker.standins import StandIns
from statecore.checker.subject import Subject
from statecore.checker.tracing import OTHER_CONSTANTS, SAME, Program, Statics, compared, draws

CALLS = 3
"""How many plain calls a check makes."""

FAILS = (NOT_PURE, NOT_TRACEABLE, RAISES, KEY_USED_TWICE)
"""The verdicts on which `assert_pure` fails, unless it is told otherwise."""

_one_at_a_time = threading.RLock()


def check(
    fn: Callable,
    *args: Any,
    static_argnames: str | Iterable[str] = (),
    static_argnums: int | Iterable[int] = (),
    **kwargs: Any,
) -> Report:
    """Call `fn(*args, **kwargs)` a few times, trace it at each call, and say what is impure about it.

    Everything that the function can reach is noted beforehand and put back afterwards: the
    attributes of the objects it uses, of their classes and of functions, globals, captured variables,
    defaults, containers, NumPy arrays, Refs, and the random generators of Python and NumPy.
    What cannot be put back, such as an iterator, a cache or a jitted function, is replaced by a copy
    or a stand-in meanwhile. One check runs at a time; other threads should not use these
    objects while it runs.

    Args:
      fn: anything that can be called: a function, a method, a partial, an object, and
        what JAX or a library makes of a function. A jitted function keeps its own static
        arguments. Otherwise numbers and arrays are traced, and any other argument is static.
      *args, **kwargs: its arguments, the same at every call.
      static_argnames, static_argnums: further arguments that are not traced, as for `jax.jit`.

    See `CANNOT_SEE` for what goes unnoticed. Raises TypeError when `fn` cannot be called.
    """
    if not callable(fn):
        raise TypeError(f"there is nothing to call: {in_short(fn)} is a {type(fn).__name__}")
    subject = Subject(fn, args, kwargs, Statics.given(static_argnums, static_argnames))
    with _one_at_a_time:
        # what the function sets in a context variable is set in a copy of the context
        return contextvars.copy_context().run(_Check(subject).report)


def assert_pure(
    fn: Callable,
    *args: Any,
    static_argnames: str | Iterable[str] = (),
    static_argnums: int | Iterable[int] = (),
    fail_on: Collection[str] = FAILS,
    **kwargs: Any,
) -> None:
    """Fail, saying what was found, when `check` comes to one of the verdicts in `fail_on`: for use in a test.

    Leave `KEY_USED_TWICE` out of `fail_on` where one key is used twice on purpose, and
    add `BAKES` to be told of every value that the program keeps as a constant.
    It cannot prove purity: see `CANNOT_SEE`. Raises AssertionError with the report as its text.
    """
    report = check(fn, *args, static_argnames=static_argnames, static_argnums=static_argnums, **kwargs)
    if not report.verdicts.isdisjoint(fail_on):
        raise AssertionError(str(report))


@dataclass
class _Check:
    """One check while it runs."""

    subject: Subject
    outcomes: list[Any] = field(default_factory=list)
    not_copied: dict[str, None] = field(default_factory=dict)

    def report(self) -> Report:
        kept, leaks = self._traced()
        plain = list(self._plain(kept))
        if any(finding.kind == "changes" and not self.outcomes for finding in plain):
            return self._made(plain)
        findings = [*_differing(self.outcomes), *self._refused(kept), *leaks, *plain]
        if isinstance(kept, Program):
            findings += self._reused(kept)
            findings += self._baked(kept, findings)
        return self._made(findings)

    def _made(self, findings: Iterable[Finding]) -> Report:
        order = ("differs", "freezes", "leaks", "changes", "refuses", "raises", "reuses", "bakes")
        found = sorted(findings, key=lambda finding: order.index(finding.kind))
        return Report(self.subject.name, tuple(found), tuple(self.outcomes), tuple(self.not_copied))

    def _traced(self) -> tuple[Any, list[Finding]]:
        """The program that jit keeps, or the exception instead; and the tracers that were left."""
        if self.subject.jitted is not None:
            with phase(self.subject) as (subject, _, _):
                refusal = attempt(subject.trace_as_it_is)
            if isinstance(refusal, Exception):
                return refusal, []
        with phase(self.subject) as (subject, reach, stand):
            kept = attempt(subject.trace)
            return kept, list(self._leaked(kept, subject, reach, stand))

    def _leaked(self, kept: Any, subject: Subject, reach: Reach, stand: StandIns) -> Iterator[Finding]:
        holding = tuple(dict.fromkeys(path for path, _, now in changes(reach, stand) if holds_tracer(now)))
        if holding:
            yield Finding("leaks", names=holding)
        elif isinstance(kept, Program) and kept.leaked:
            outcome = attempt(subject)
            if isinstance(outcome, jax.errors.UnexpectedTracerError):
                yield Finding("leaks", error=outcome)
            elif self._leaks_to_jax():
                yield Finding("leaks")

    def _leaks_to_jax(self) -> bool:
        with phase(self.subject) as (subject, _, _), jax.checking_leaks():
            # whatever it raises: JAX can fail with an IndexError while it describes the leak it found
            return isinstance(attempt(subject.trace), Exception)

    def _plain(self, kept: Any) -> Iterator[Finding]:
        """Call it as plain Python; before each call but the first, trace the state as it is then."""
        with phase(self.subject) as (subject, reach, stand):
            frozen: Finding | None = None
            for call in range(1, CALLS + 1):
                if frozen is None and isinstance(kept, Program) and self._worth_tracing(call, reach, stand):
                    frozen = _frozen(kept, subject, call)
                self.outcomes.append(attempt(subject))
                if stand.asked:
                    break
            yield from _changed(reach, stand)
            yield from [frozen] if frozen else []
            if stand.asked:
                self.outcomes.clear()
                paths = dict.fromkeys(reach.iterators[id(asked)] for asked in stand.asked)
                yield from (Finding("changes", names=(path,), asked=True) for path in paths)
            self.not_copied |= dict.fromkeys((*reach.opaque, *stand.not_copied))

    def _worth_tracing(self, call: int, reach: Reach, stand: StandIns) -> bool:
        """The second call always; a later one where something shows that the calls are not alike."""
        return call == 2 or (call > 2 and (any(_differing(self.outcomes)) or any(_changed(reach, stand))))

    def _refused(self, kept: Any) -> Iterator[Finding]:
        if isinstance(kept, Exception) and not isinstance(kept, jax.errors.KeyReuseError):
            plainly = isinstance(self.outcomes[0], Exception)
            gave = () if plainly else (in_short(self.outcomes[0]),)
            yield Finding("refuses", error=kept, outcomes=gave, raises_plainly=plainly)
        elif isinstance(kept, Exception):
            yield Finding("reuses", error=kept)
        elif isinstance(self.outcomes[0], Exception):
            yield Finding("raises", error=self.outcomes[0])

    def _reused(self, kept: Program) -> Iterator[Finding]:
        if draws(kept.jaxpr):
            with phase(self.subject) as (subject, _, _), jax.debug_key_reuse(True):
                outcome = attempt(subject.trace)
            if isinstance(outcome, jax.errors.KeyReuseError):
                yield Finding("reuses", error=outcome)

    def _baked(self, kept: Program, findings: Iterable[Finding]) -> Iterator[Finding]:
        known = tuple(name for finding in findings for name in finding.names)
        names = tuple(name for name in baked(kept, self.subject) if not name.startswith(known))
        if names:
            yield Finding("bakes", names=names)


def _differing(outcomes: list[Any]) -> Iterator[Finding]:
    if not all(alike(outcomes[0], outcome) for outcome in outcomes[1:]):
        yield Finding("differs", outcomes=tuple(map(in_short, outcomes)))


def _frozen(kept: Program, subject: Subject, call: int) -> Finding | None:
    """A finding where the program that was kept gives something else than one that is traced now."""
    with phase(subject) as (again, _, _):
        fresh = attempt(again.trace)
    if not isinstance(fresh, Program):
        return None
    difference = compared(kept.jaxpr, fresh.jaxpr)
    if difference == SAME and alike(kept.still, fresh.still):
        return None
    with phase(subject) as (again, _, _):
        inputs = again.split.inputs
        gives = [attempt(functools.partial(program.result, inputs)) for program in (kept, fresh)]
    # where nothing but a constant differs, both round alike
    equal = alike if difference in (SAME, OTHER_CONSTANTS) else same
    if any(isinstance(outcome, Exception) for outcome in gives) or equal(*gives):
        return None
    return Finding("freezes", outcomes=tuple(map(in_short, gives)), call=call)


def _changed(reach: Reach, stand: StandIns) -> Iterator[Finding]:
    """What is not as it was, once for each path."""
    met: set[str] = set()
    for path, was, now in changes(reach, stand):
        if path not in met:
            met.add(path)
            yield Finding("changes", names=(path,), before=_shown(was), after=_shown(now))


def _shown(value: Any) -> str:
    return "" if is_absent(value) else in_short(value)
