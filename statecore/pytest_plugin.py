"""For pytest: the marker `pure` and the fixture `no_retrace`; found by its entry point when statecore is installed."""

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "pure: asserts that a function is pure; `pytest -m pure` runs these alone")


@pytest.fixture
def no_retrace():
    """`with no_retrace(step): ...` fails when `step` is traced again after its first call."""
    from statecore.retrace import no_retrace

    return no_retrace
