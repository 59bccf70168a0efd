"""What a Ref costs beside explicit state, measured on this machine while you watch."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import jax
import numpy as np

from statecore.refs import counters, programs

SCAN_STEPS = 10_000
"""The steps of one compiled loop."""
MAX_CALLS = 20_000
"""The most calls of one batch."""


@dataclass(frozen=True)
class Timing:
    """One way of counting: microseconds for one count, one entry for each batch so far."""

    name: str
    microseconds: np.ndarray

    @property
    def median(self) -> float:
        """The median over the batches; nan before the first."""
        return float(np.median(self.microseconds)) if len(self.microseconds) else float("nan")


@dataclass(frozen=True)
class Progress:
    """A measurement under way.

    Attributes:
      done, total: how many batches have been run, and how many there will be.
      timings: what is known so far: "explicit call", "Ref call", "explicit scan", "Ref scan".
    """

    done: int
    total: int
    timings: tuple[Timing, ...]


def count_with_state(count, n, calls):
    for _ in range(calls):
        _, n = count(n)
    return jax.block_until_ready(n)


def count_with_ref(count, calls):
    for _ in range(calls):
        value = count()
    return jax.block_until_ready(value)


def measure(calls: int = 2_000, batches: int = 5) -> Iterator[Progress]:
    """Time the counters in turn, yielding after each batch; stop asking to cancel.

    Each batch makes `calls` jitted calls, or one compiled scan of `SCAN_STEPS` steps,
    and waits for the result. Compiling is not counted. Raises ValueError when
    `calls` is not in 1..MAX_CALLS or `batches` not in 1..100.
    """
    if not (1 <= calls <= MAX_CALLS and 1 <= batches <= 100):
        raise ValueError(f"1 to {MAX_CALLS:,} calls and 1 to 100 batches, not {calls:,} and {batches}")
    ways = _ways(calls)
    found: dict[str, list[float]] = {name: [] for name in ways}
    total = batches * len(ways)
    for done in range(total):
        name = list(ways)[done % len(ways)]
        run, counts = ways[name]
        start = time.perf_counter()
        run()
        found[name].append((time.perf_counter() - start) / counts * 1e6)
        timings = (Timing(name, np.asarray(values, np.float32)) for name, values in found.items())
        yield Progress(done + 1, total, tuple(timings))


def _ways(calls: int) -> dict[str, tuple[Callable[[], object], int]]:
    """Each way of counting, compiled already, and how many counts one run of it makes."""
    explicit, ref = programs.explicit(), programs.ref()
    explicit_scan, ref_scan = _explicit_scan(), _ref_scan()
    n = programs.first_state()
    ways: dict[str, tuple[Callable[[], object], int]] = {
        "explicit call": (lambda: count_with_state(explicit, n, calls), calls),
        "Ref call": (lambda: count_with_ref(ref, calls), calls),
        "explicit scan": (lambda: jax.block_until_ready(explicit_scan(n)), SCAN_STEPS),
        "Ref scan": (lambda: jax.block_until_ready(ref_scan()), SCAN_STEPS),
    }
    for run in (lambda: explicit(n), ref, lambda: explicit_scan(n), ref_scan):
        jax.block_until_ready(run())
    return ways


def _explicit_scan() -> Callable:
    counter = counters.CounterV2()

    def body(n, _):
        _, n = counter.count(n)
        return n, None

    return jax.jit(lambda n: jax.lax.scan(body, n, None, length=SCAN_STEPS)[0])


def _ref_scan() -> Callable:
    counter = counters.RefCounter()

    def body(carry, _):
        counter.count()
        return carry, None

    def run():
        jax.lax.scan(body, None, None, length=SCAN_STEPS)
        return counter.n[...]

    return jax.jit(run)
