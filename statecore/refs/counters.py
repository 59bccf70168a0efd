"""Three counters under jit: hidden int, Ref, explicit state; and how to call a Ref from many threads."""

import functools
import threading
from collections import Counter as Tally
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import jax
import jax.numpy as jnp

from statecore.counter import Counter, CounterV2
from statecore.program import Program

RESET_BEFORE = 4
"""The call of the reset programs that resets its counter before it counts."""


class RefCounter:
    """The counter that changes itself, kept in a Ref: `jit` sees the read and the write."""

    def __init__(self):
        self.n = jax.new_ref(
            jnp.int32(0))

    def count(self):
        self.n[...] += 1
        return self.n[...]

    def reset(self):
        self.n[...] = 0


class HiddenReset(Counter):
    """The hidden counter, with a call that may reset it first."""

    def count_after(self, reset):
        if reset:
            self.reset()
        return self.count()


class RefReset(RefCounter):
    """The Ref counter, with a call that may reset it first."""

    def count_after(self, reset):
        if reset:
            self.reset()
        return self.count()


class ExplicitReset(CounterV2):
    """The explicit counter, with a call that may reset it first."""

    def reset(self):
        return jnp.int32(0)

    def count_after(self, n, reset):
        if reset:
            n = self.reset()
        return self.count(n)


class HiddenScan(Counter):
    """The hidden counter, counting five times in one compiled loop."""

    def count_five(self):
        def body(carry, _):
            return carry, self.count()

        _, values = jax.lax.scan(
            body, None, None, length=5)
        return values


class RefScan(RefCounter):
    """The Ref counter, counting five times in one compiled loop."""

    def count_five(self):
        def body(carry, _):
            return carry, self.count()

        _, values = jax.lax.scan(
            body, None, None, length=5)
        return values


class ExplicitScan(CounterV2):
    """The explicit counter, counting five times in one compiled loop."""

    def count_five(self, n):
        def body(n, _):
            value, n = self.count(n)
            return n, value

        n, values = jax.lax.scan(
            body, n, None, length=5)
        return values, n


def hidden():
    counter = Counter()
    return jax.jit(counter.count)


def ref():
    counter = RefCounter()
    return jax.jit(counter.count)


def explicit():
    counter = CounterV2()
    return jax.jit(counter.count)


def donated():
    counter = CounterV2()
    return jax.jit(
        counter.count, donate_argnums=0)


def hidden_reset():
    counter = HiddenReset()
    return jax.jit(
        counter.count_after,
        static_argnums=0)


def ref_reset():
    counter = RefReset()
    return jax.jit(
        counter.count_after,
        static_argnums=0)


def explicit_reset():
    counter = ExplicitReset()
    return jax.jit(
        counter.count_after,
        static_argnums=1)


def hidden_scan():
    counter = HiddenScan()
    return jax.jit(
        counter.count_five)


def ref_scan():
    counter = RefScan()
    return jax.jit(
        counter.count_five)


def explicit_scan():
    counter = ExplicitScan()
    return jax.jit(
        counter.count_five)


def call(count):
    value = count()
    return value


def call_with_state(count, n):
    value, n = count(n)
    return value, n


def call_after(count, reset):
    value = count(reset)
    return value


def call_n_after(count, n, reset):
    value, n = count(n, reset)
    return value, n


# an int32, as the Ref holds: a Python 0 would trace twice
def first_state() -> jax.Array:
    return jnp.int32(0)


def _reset(k: int) -> tuple[bool]:
    return (k == RESET_BEFORE,)


CALL = {
    "hidden": Program(hidden, call),
    "ref": Program(ref, call),
    "explicit": Program(explicit, call_with_state, first_state),
}
"""Every call adds one."""
RESET = {
    "hidden": Program(
        hidden_reset, call_after, inputs=_reset, watch=(HiddenReset.count_after, Counter.count, Counter.reset)
    ),
    "ref": Program(
        ref_reset, call_after, inputs=_reset, watch=(RefReset.count_after, RefCounter.count, RefCounter.reset)
    ),
    "explicit": Program(
        explicit_reset,
        call_n_after,
        first_state,
        inputs=_reset,
        watch=(ExplicitReset.count_after, CounterV2.count, ExplicitReset.reset),
    ),
}
"""As `CALL`; call `RESET_BEFORE` resets its counter first, so it is another program and is traced anew."""
SCAN = {
    "hidden": Program(hidden_scan, call, watch=(HiddenScan.count_five, Counter.count)),
    "ref": Program(ref_scan, call, watch=(RefScan.count_five, RefCounter.count)),
    "explicit": Program(explicit_scan, call_with_state, first_state, watch=(ExplicitScan.count_five, CounterV2.count)),
}
"""Every call counts five times in one `scan`."""


def hidden_set():
    counter = Counter()
    count = jax.jit(counter.count)
    values = [int(count()), int(count())]
    counter.n = 100
    return [*values, int(count())]


def ref_set():
    counter = RefCounter()
    count = jax.jit(counter.count)
    values = [int(count()), int(count())]
    counter.n[...] = 100
    return [*values, int(count())]


def ref_replaced():
    counter = RefCounter()
    count = jax.jit(counter.count)
    values = [int(count()), int(count())]
    counter.n = jax.new_ref(jnp.int32(100))
    return [*values, int(count())]


def old_ref():
    counter = RefCounter()
    count = jax.jit(counter.count)
    before = counter.n
    count()
    return int(before[...])


def old_state():
    count = jax.jit(CounterV2().count)
    before = jnp.int32(0)
    count(before)
    return int(before)


def one_at_a_time(function: Callable, lock: AbstractContextManager | None = None) -> Callable:
    """`function`, called by one thread at a time.

    A call on a Ref takes its buffer away and puts a new one in its place, so a second
    thread may find the buffer gone. The lock goes around everything that touches the
    Ref, reading `ref[...]` for display as well; functions on one Ref share one `lock`.
    It is not reentrant: such a function must not call another one on the same lock.
    """
    gate = lock or threading.Lock()

    @functools.wraps(function)
    def alone(*args, **kwargs):
        with gate:
            return function(*args, **kwargs)

    return alone


@dataclass(frozen=True)
class Race:
    """Many threads on one Ref: calls made, what it counted, and the errors by first line."""

    calls: int
    counted: int
    errors: dict[str, int]


def race(threads: int = 4, calls: int = 100, locked: bool = True) -> Race:
    """Call one Ref counter `calls` times from each of `threads` threads.

    Without the lock some calls fail with "Array has been deleted" (how many depends
    on the machine's mood), and XLA writes a line to stderr for each.
    Raises ValueError unless there are 1 to 16 threads and 1 to 1,000 calls.
    """
    if not (1 <= threads <= 16 and 1 <= calls <= 1000):
        raise ValueError(f"1 to 16 threads and 1 to 1,000 calls each, not {threads} and {calls}")
    counter = RefCounter()
    count = jax.jit(counter.count)
    count()
    counter.reset()
    attempt = one_at_a_time(count) if locked else count
    errors: Tally[str] = Tally()

    def work():
        for _ in range(calls):
            try:
                attempt()
            except (RuntimeError, ValueError) as error:
                errors[f"{type(error).__name__}: {error}".partition("\n")[0][:120]] += 1

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return Race(threads * calls, int(counter.n[...]), dict(errors))
