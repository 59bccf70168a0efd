"""Arrays of different ranks are never combined by accident in a test of statecore."""

from collections.abc import Iterator

import jax
import pytest


@pytest.fixture(autouse=True)
def _strict_ranks(request: pytest.FixtureRequest) -> Iterator[None]:
    """A context manager of this thread, so that nothing global is changed; scalars are exempt.

    BatchNorm is a batch minus the mean of each feature: its textbook formula combines two ranks on purpose.
    """
    node = request.node
    about_batchnorm = any(name in node.nodeid for name in ("batchnorm", "batch normalisation"))
    with jax.numpy_rank_promotion("allow" if about_batchnorm or node.get_closest_marker("broadcasts") else "raise"):
        yield
