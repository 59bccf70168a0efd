"""Arrays of different ranks are never combined by accident in a test of statecore."""

from collections.abc import Iterator

import jax
import pytest


@pytest.fixture(autouse=True)
def _strict_ranks(request: pytest.FixtureRequest) -> Iterator[None]:
    """A context manager of this thread, so that nothing global is changed; scalars are exempt.

    BatchNorm is a batch minus the mean of each feature: its textbook formula combines two ranks on purpose.
    The programs that the checker judges are written as anybody would write them, with `x @ w + b`.
    """
    node = request.node
    on_purpose = any(name in node.nodeid for name in ("batchnorm", "batch normalisation", "checker/test_programs"))
    with jax.numpy_rank_promotion("allow" if on_purpose or node.get_closest_marker("broadcasts") else "raise"):
        yield
