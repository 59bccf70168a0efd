"""Arrays of different ranks are never combined by accident in a test of statecore."""

from collections.abc import Iterator

import jax
import pytest


@pytest.fixture(autouse=True, scope="module")
def _strict_ranks(request: pytest.FixtureRequest) -> Iterator[None]:
    """A context manager of this thread, so that nothing global is changed; scalars are exempt.

    Programs written as somebody would write them add a bias to a batch: a module of tests
    of these is marked `promotes_ranks`. It is for a whole module, because JAX compiles
    anew under another setting.
    """
    marks = getattr(request.module, "pytestmark", [])
    names = {mark.name for mark in (marks if isinstance(marks, list) else [marks])}
    allowed = "promotes_ranks" in names
    with jax.numpy_rank_promotion("allow" if allowed else "raise"):
        yield
