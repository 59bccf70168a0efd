"""The pytest plugin, in a pytest of its own."""

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]


@pytest.fixture(autouse=True)
def _found(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))


@pytest.mark.parametrize(("argument", "outcome"), [("2.0", {"passed": 2}), ("jnp.ones(3)", {"passed": 1, "failed": 1})])
def test_the_fixture_and_the_marker(pytester, argument, outcome):
    pytester.makepyfile(
        f"""
        import jax, jax.numpy as jnp, pytest

        step = jax.jit(lambda x: x * 2)

        def test_one_program(no_retrace):
            with no_retrace(step):
                step(1.0)
                step({argument})

        @pytest.mark.pure
        def test_marked():
            pass
        """
    )
    result = pytester.runpytest_subprocess("-p", "statecore.pytest_plugin", "--strict-markers")
    result.assert_outcomes(**outcome)


def test_the_marker_selects(pytester):
    pytester.makepyfile("import pytest\n@pytest.mark.pure\ndef test_a(): pass\ndef test_b(): pass\n")
    result = pytester.runpytest_subprocess("-p", "statecore.pytest_plugin", "--strict-markers", "-m", "pure")
    result.assert_outcomes(passed=1, deselected=1)
