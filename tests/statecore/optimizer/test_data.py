import jax
import numpy as np

from statecore import line, optimizer


def test_the_data_lie_around_the_line_and_the_offset():
    data = optimizer.make_data(jax.random.key(3), offset=4.0, noise=0.0)
    np.testing.assert_allclose(data.y, 2 * data.x - 1, rtol=1e-5, atol=1e-6)
    assert abs(float(data.x.mean()) - 4) < 0.5
    assert line.smallest_loss(data) < 1e-10
    assert data.x.shape == (128, 1)


def test_the_default_data_are_made_once():
    assert optimizer.default_data() is optimizer.default_data()
