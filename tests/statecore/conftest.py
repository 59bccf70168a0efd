"""Arrays of different ranks are never combined by accident in a test of statecore; scalars are exempt."""

from collections.abc import Iterator
from contextlib import nullcontext

import jax
import pytest

# BatchNorm is a batch minus the mean of each feature: its textbook formula combines two ranks on purpose.
# The programs that the checker judges are written as anybody would write them, with `x @ w + b`.
ON_PURPOSE = ("batchnorm", "batch normalisation", "checker/test_programs")


def _on_purpose(node: pytest.Item | pytest.Collector) -> bool:
    return any(name in node.nodeid for name in ON_PURPOSE) or node.get_closest_marker("broadcasts") is not None


@pytest.fixture(autouse=True, scope="module")
def _strict_ranks(request: pytest.FixtureRequest) -> Iterator[None]:
    """For the fixtures of a module too: JAX compiles again what was compiled under another setting."""
    with jax.numpy_rank_promotion("allow" if _on_purpose(request.node) else "raise"):
        yield


@pytest.fixture(autouse=True)
def _ranks_on_purpose(request: pytest.FixtureRequest) -> Iterator[None]:
    """For one test of a module that is strict otherwise."""
    with jax.numpy_rank_promotion("allow") if _on_purpose(request.node) else nullcontext():
        yield
