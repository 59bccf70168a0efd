"""What it costs to record: the three counters, called twelve times.

    python -m benchmarks.recording      # set JAX's compilation cache in the environment for the goal's numbers

The goal: at most 25 ms with the persistent compilation cache on (JAX_COMPILATION_CACHE_DIR,
JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS=0, JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES=-1), and 8,000 bytes.
"""

import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import jax

from statecore.counter import PROGRAMS
from statecore.recording import dumps, record

CALLS = 12
ROUNDS = 20


@dataclass(frozen=True)
class Cost:
    """What was measured.

    Attributes:
      recorded: milliseconds for all calls recorded, the median of the rounds.
      called: milliseconds for the same calls on fresh wrappers, not observed.
      size: bytes of the recording as JSON.
    """

    recorded: float
    called: float
    size: int

    @property
    def ratio(self) -> float:
        """How many times as long as the calls alone."""
        return self.recorded / self.called


def measure(rounds: int = ROUNDS) -> Cost:
    """Both in turn, after one round that is not counted; every round builds and traces again."""
    times = [(_milliseconds(lambda: record(PROGRAMS, CALLS)), _milliseconds(call_alone)) for _ in range(rounds + 1)]
    recorded, called = (statistics.median(column) for column in zip(*times[1:], strict=True))
    return Cost(recorded, called, len(dumps(record(PROGRAMS, CALLS)).encode()))


def call_alone() -> list[list]:
    """The same calls, each to its end, not observed: what every program gave."""
    given: list[list] = []
    for program in PROGRAMS.values():
        made = program.made()
        assert made.call is not None
        state = program.init() if program.init else None
        given.append([])
        for call in range(1, CALLS + 1):
            inputs = program.inputs(call)
            value = made.call(made.function, state, *inputs) if program.explicit else made.call(made.function, *inputs)
            value, state = jax.block_until_ready(value) if program.explicit else (jax.block_until_ready(value), None)
            given[-1].append(value)
    return given


def render(cost: Cost) -> str:
    cache = "on" if os.environ.get("JAX_COMPILATION_CACHE_DIR") else "off"
    return f"""\
{CALLS} calls of {", ".join(PROGRAMS)}.
Python {platform.python_version()}, JAX {jax.__version__}, compilation cache {cache}
recorded: {cost.recorded:.1f} ms
not observed: {cost.called:.1f} ms
ratio: {cost.ratio:.2f}
JSON: {cost.size:,} bytes"""


def _milliseconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - start)


if __name__ == "__main__":
    print(render(measure()))
