"""Each experiment is a run: its result is what JAX does, on every supported version."""

import inspect
from concurrent.futures import ThreadPoolExecutor

import pytest

from statecore.counter import tries as experiments

RESULTS = {
    "dropped_state": [1, 1, 1],  # no side effect at all, and still no counting
    "reset_then_call": [1, 1, 1],  # the program never looks at the counter again
    "second_jit": [1, 1],  # the bound methods are equal, so the trace is shared while it lives
    "new_instance": [1, 1, 8, 8],
    "wrapper_discarded": [1, 2, 3],  # nothing left to share: traced again each time
    "wrapper_kept": [1, 1, 1],
    "new_shape": [1, 1, 2, 2, 1],  # one frozen number for each shape
    "go_on_from_the_past": 2,  # the state after call 1, handed over again
    "looking_is_tracing": [1, 1, 1],  # looked at once and for all: the trace is kept
    "looking_after_a_call": 1,  # and it is the one that jit keeps
}


def test_every_experiment_is_tested():
    functions = inspect.getmembers(experiments, inspect.isfunction)
    own = {name for name, function in functions if function.__module__ == experiments.__name__}
    assert own == set(RESULTS)


@pytest.mark.parametrize("name", RESULTS)
def test_an_experiment_gives_its_result_again_and_again(name):
    run = getattr(experiments, name)
    assert [run() for _ in range(3)] == [RESULTS[name]] * 3


@pytest.mark.parametrize("name", RESULTS)
def test_results_are_plain_numbers(name):
    found = getattr(experiments, name)()
    assert all(type(value) is int for value in (found if isinstance(found, list) else [found]))


def test_visitors_do_not_meet():
    with ThreadPoolExecutor(8) as pool:
        runs = {name: [pool.submit(getattr(experiments, name)) for _ in range(4)] for name in RESULTS}
    for name, futures in runs.items():
        assert [future.result() for future in futures] == [RESULTS[name]] * 4
