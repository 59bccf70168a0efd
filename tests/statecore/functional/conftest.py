"""Nothing in these tests may rely on ranks that JAX promotes silently."""

import jax
import pytest


@pytest.fixture(autouse=True)
def strict_ranks():
    with jax.numpy_rank_promotion("raise"):
        yield
