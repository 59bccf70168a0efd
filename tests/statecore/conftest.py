"""Arrays of different ranks are never combined by accident in a test of statecore."""

from collections.abc import Iterator

import jax
import pytest


@pytest.fixture(autouse=True)
def _strict_ranks(request: pytest.FixtureRequest) -> Iterator[None]:
    """A context manager of this thread, so that nothing global is changed; scalars are exempt.

    Programs written as somebody would write them add a bias to a batch: tests of these
    are marked `promotes_ranks`.
    """
    strict = "allow" if request.node.get_closest_marker("promotes_ranks") else "raise"
    with jax.numpy_rank_promotion(strict):
        yield
