"""Arrays of different ranks are never combined by accident in a test of statecore."""

from collections.abc import Iterator

import jax
import pytest


@pytest.fixture(autouse=True)
def _strict_ranks() -> Iterator[None]:
    """A context manager of this thread, so that nothing global is changed; scalars are exempt."""
    with jax.numpy_rank_promotion("raise"):
        yield
