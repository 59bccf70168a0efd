"""Many learners at once, each as if alone."""

import numpy as np
import pytest

from statecore import line
from statecore import transformations as tf
from tests.statecore.transformations.oracle import DATA, START, numpy_path


def test_each_learner_learns_as_if_alone():
    learners = tf.learn_together(START, DATA, (0.001, 0.3), 100, learners=16)
    assert len(learners) == 16
    np.testing.assert_allclose(learners.rate, np.geomspace(0.001, 0.3, 16), rtol=1e-5)
    for i in (0, 7, 15):
        weight, bias, error = numpy_path(float(learners.rate[i]), 100)
        np.testing.assert_allclose(learners.weight[i], weight, rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(learners.bias[i], bias, rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(learners.loss[i], error, rtol=1e-3)
    assert all(column.dtype == np.float32 for column in vars(learners).values())


def test_the_best_learner_is_between_the_slow_and_the_diverging():
    limit = line.largest_stable_rate(DATA)
    learners = tf.learn_together(START, DATA, (0.001, 4 * limit), 100)
    best = learners.best
    assert 0 < best < 63
    assert learners.rate[best] < limit
    assert learners.loss[best, -1] == np.nanmin(learners.loss[:, -1])
    stable = learners.rate < 0.99 * limit
    assert (learners.loss[stable, -1] <= learners.loss[stable, 0]).all()
    assert (~(learners.loss[learners.rate > 1.1 * limit, -1] < 1e3)).all()


def test_no_best_learner_when_all_diverged():
    learners = tf.learn_together(START, DATA, (50.0, 100.0), 300, learners=4)
    with pytest.raises(ValueError, match="every learner diverged"):
        _ = learners.best
