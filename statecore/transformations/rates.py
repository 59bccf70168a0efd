"""Learning rates spread evenly in their logarithm."""

import numpy as np


def spread(ends: tuple[float, float], count: int) -> np.ndarray:
    """`count` rates from the first end to the second, float32 of shape (count,).

    Raises ValueError unless both ends are positive and finite, the smaller first.
    """
    low, high = ends
    if not 0 < low < high < np.inf:
        raise ValueError(f"rates must be two positive numbers, the smaller first, got {ends}")
    return np.geomspace(low, high, count, dtype=np.float32)
