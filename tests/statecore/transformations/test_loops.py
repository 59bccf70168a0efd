"""The same steps in every loop, against NumPy in float64."""

import numpy as np
import pytest

from statecore import transformations as tf
from tests.statecore.transformations.oracle import DATA, START, numpy_path


@pytest.mark.parametrize("variant", tf.VARIANTS, ids=lambda variant: variant.name)
def test_every_loop_takes_the_same_steps(variant):
    run, args = variant.make(50), variant.arguments(START, DATA)
    *expected, _ = numpy_path(0.05, 50)[:, -1]
    np.testing.assert_allclose(np.stack(run(*args, 0.05)), expected, rtol=1e-4)
