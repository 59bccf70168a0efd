"""Put the contestants to the test, one group of rows after the other."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import jax

from benchmarks import agreement, rounds
from benchmarks.contestants import (
    Problem,
    compiled_c_loop,
    counter_calls,
    make_problem,
    numpy_loop,
    page_loop,
    page_loop_recorded,
    scan,
)
from benchmarks.table import Aim, Row

STEPS, POINTS = 1_000, 128
"""The documentation page's own run."""
REFERENCE = f"the scan at {STEPS:,} x {POINTS}"
LEFT_OUT = "left out: no C compiler that can build it ($CC, cc, gcc, clang)"

GROWTH: Mapping[str, Callable] = {
    "page's loop": page_loop,
    "C loop, -O3": compiled_c_loop("-O3"),
}
"""Who is met at every size."""
CONTESTANTS: Mapping[str, Callable] = {
    "page's loop": page_loop,
    "page's loop, history kept": page_loop_recorded,
    "NumPy loop, history kept": numpy_loop,
    "C loop, -O3": compiled_c_loop("-O3"),
    "C loop, -O3 -march=native": compiled_c_loop("-O3", "-march=native"),
    "counter, one call a step": counter_calls,
}
"""Who is met on the page's own run."""


@dataclass(frozen=True)
class Plan:
    """What is measured and for how long.

    Attributes:
      steps: the run lengths, at `POINTS` points.
      sizes: (steps, points) pairs by which the cost by points is measured.
      seconds: how long the page's own run is measured; each other size gets a quarter.
    """

    steps: tuple[int, ...]
    sizes: tuple[tuple[int, int], ...]
    seconds: float


FULL = Plan(
    steps=(100, 1_000, 10_000, 100_000),
    sizes=((1_000, 100), (1_000, 1_000), (1_000, 10_000), (500, 100_000), (60, 1_000_000)),
    seconds=12,
)
QUICK = Plan(steps=(100, 1_000), sizes=((300, 100), (100, 10_000)), seconds=0.8)


def aims() -> dict[str, Aim]:
    """What this version of JAX should reach on the page's own run."""
    slower = 2 if jax.__version_info__ >= (0, 12) else 4
    return {
        "page's loop": Aim(20, "its / scan at least 20"),
        "C loop, -O3": Aim(1 / slower, f"scan / its at most {slower}"),
    }


def measure(plan: Plan) -> Iterator[tuple[str, list[Row]]]:
    """The groups of the table, each a title and its rows, as they are done."""
    yield "the page's own run", compare(make_problem(STEPS, POINTS), CONTESTANTS, plan.seconds, aims())
    by_steps = [(steps, POINTS) for steps in plan.steps]
    for title, sizes in (("by number of steps", by_steps), ("by number of points", plan.sizes)):
        problems = (make_problem(*size) for size in sizes)
        yield title, [row for problem in problems for row in compare_growth(problem, plan.seconds / 4)]


def compare_growth(problem: Problem, seconds: float) -> list[Row]:
    """The scan of one size beside the page's loop, C, and the scan of the page's own run."""
    reference = scan(make_problem(STEPS, POINTS))
    work = problem.steps * problem.points / (STEPS * POINTS)
    return compare(problem, GROWTH, seconds, {}, {REFERENCE: (reference, work)})


def compare(
    problem: Problem,
    contestants: Mapping[str, Callable],
    seconds: float,
    aims: Mapping[str, Aim],
    others: Mapping[str, tuple[Callable, float]] | None = None,
) -> list[Row]:
    """A row for each contestant, after all of them were seen to agree with the scan.

    `others` are runs of another size, each with how many times the work of it
    this problem is.
    """
    others = others or {}
    runs = {name: prepare(problem) for name, prepare in contestants.items()}
    there = {name: run for name, run in runs.items() if run is not None}
    history = scan(problem)
    # the first run of each compiles, and is the one that is checked
    agreement.check(problem, {name: run() for name, run in there.items()}, history())
    for run, _ in others.values():
        run()
    racers = {"scan": history, **there, **{name: run for name, (run, _) in others.items()}}
    times = rounds.interleave(racers, seconds)

    def row(name: str, work: float = 1.0) -> Row:
        ratios = times[name] * work / times["scan"] if name in times else None
        return Row(problem.steps, problem.points, name, ratios, aims.get(name), "" if name in times else LEFT_OUT)

    return [*(row(name) for name in contestants), *(row(name, work) for name, (_, work) in others.items())]
