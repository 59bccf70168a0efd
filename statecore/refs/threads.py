"""Many threads on one Ref, with a lock around each call and without."""

import functools
import threading
from collections import Counter as Tally
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import jax

from statecore.refs.counters import RefCounter


def one_at_a_time(function: Callable, lock: AbstractContextManager | None = None) -> Callable:
    """`function`, called by one thread at a time.

    A call on a Ref gives its array away until it returns: the program writes the new
    value into the same memory, and the old array is deleted meanwhile. A second thread
    that asks in between finds a deleted array. The lock goes around everything that touches the
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
    on the moment), and XLA writes a line to stderr for each.
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
