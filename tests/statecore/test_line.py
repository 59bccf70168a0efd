"""The model of the training lessons, against NumPy and its closed forms."""

import re
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from statecore import line
from statecore.line import Data, Params


def problem(seed: int = 0, points: int = 128, **truth) -> tuple[Params, Data]:
    data_key, params_key = jax.random.split(jax.random.key(seed))
    return Params(*jax.random.normal(params_key, (2,))), line.make_data(data_key, points, **truth)


def descend(params: Params, data: Data, rate: float) -> Params:
    """One step down the gradient."""
    grads = jax.grad(line.loss)(params, *data)
    return jax.tree.map(lambda param, grad: param - rate * grad, params, grads)


@pytest.mark.parametrize("points", [16, 128, 1_000])
def test_data_has_the_shape_and_the_truth_asked_for(points):
    _, data = problem(3, points, weight=-4.0, bias=0.5, noise=0.0)
    assert data.x.shape == data.y.shape == (points, 1)
    assert data.x.dtype == data.y.dtype == jnp.float32
    np.testing.assert_allclose(data.y, -4.0 * data.x + 0.5, rtol=1e-5, atol=1e-6)


def test_noise_is_scaled_and_nothing_else_changes():
    _, quiet = problem(3, 10_000, noise=0.0)
    _, noisy = problem(3, 10_000, noise=0.25)
    np.testing.assert_array_equal(quiet.x, noisy.x)
    assert np.std(np.asarray(noisy.y - quiet.y)) == pytest.approx(0.25, rel=0.05)


def test_a_seed_gives_the_same_data_and_another_seed_other_data():
    first, again, other = (problem(seed)[1] for seed in (5, 5, 6))
    np.testing.assert_array_equal(first.x, again.x)
    np.testing.assert_array_equal(first.y, again.y)
    assert not np.array_equal(first.x, other.x)


def test_loss_is_the_mean_squared_error():
    params, data = problem()
    x, y = (np.asarray(values, np.float64) for values in data)
    expected = np.mean((float(params.weight) * x + float(params.bias) - y) ** 2)
    assert float(line.loss(params, *data)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("points", [2, 16, 128, 10_000])
@pytest.mark.parametrize("truth", [{}, {"weight": -30.0, "bias": 100.0, "noise": 7.0}])
def test_least_squares_is_numpy_s(points, truth):
    _, data = problem(7, points, **truth)
    x, y = (np.asarray(values, np.float64) for values in data)
    expected, *_ = np.linalg.lstsq(np.hstack([x, np.ones_like(x)]), y, rcond=None)
    np.testing.assert_allclose(line.least_squares(data), expected.ravel(), rtol=1e-9, atol=1e-9)


def test_the_gradient_vanishes_at_least_squares():
    _, data = problem()
    best = Params(*(jnp.float32(leaf) for leaf in line.least_squares(data)))
    np.testing.assert_allclose(jax.grad(line.loss)(best, *data), [0, 0], atol=1e-6)


def test_curvature_is_the_hessian_of_the_loss():
    params, data = problem()
    hessian = jax.hessian(line.loss)(params, *data)
    np.testing.assert_allclose(np.asarray(hessian).reshape(2, 2), line.curvature(data), rtol=1e-5, atol=1e-6)


def test_the_largest_stable_rate_is_two_by_the_largest_eigenvalue():
    _, data = problem()
    x = np.asarray(data.x, np.float64).ravel()
    design = np.stack([x, np.ones_like(x)], axis=1)
    largest = np.max(np.linalg.svd(design, compute_uv=False)) ** 2 * 2 / len(x)
    assert line.largest_stable_rate(data) == pytest.approx(2 / largest, rel=1e-9)
    assert line.growth(data, line.largest_stable_rate(data)) == pytest.approx(1, rel=1e-9)


def test_growth_is_what_one_step_does_to_the_error_in_the_worst_direction():
    _, data = problem()
    rate = 1.5 * line.largest_stable_rate(data)
    best = np.array(line.least_squares(data))
    worst = np.linalg.eigh(line.curvature(data))[1][:, -1]
    before = Params(*(jnp.float32(leaf) for leaf in best + 100 * worst))
    after = np.array(descend(before, data, rate))
    assert np.linalg.norm(after - best) / 100 == pytest.approx(line.growth(data, rate), rel=1e-4)


def test_loss_on_grid_is_the_loss():
    _, data = problem()
    weights, biases = np.linspace(-3, 5, 7), np.linspace(-40, 2, 5)
    grid = line.loss_on_grid(data, weights, biases)
    assert grid.shape == (5, 7)
    expected = [[float(line.loss(Params(w, b), *data)) for w in weights] for b in biases]
    np.testing.assert_allclose(grid, expected, rtol=1e-5)


def test_the_least_loss_on_a_grid_is_at_least_squares():
    _, data = problem()
    best = line.least_squares(data)
    grid = line.loss_on_grid(data, best.weight + np.array([-1, 0, 1]), best.bias + np.array([-0.5, 0, 0.5]))
    assert grid[1, 1] == grid.min()


def test_an_offset_moves_the_inputs_and_makes_the_valley_narrow():
    at_zero = line.make_data(jax.random.key(1))
    conditions = []
    for offset in (0.0, 1.0, 2.0, 4.0):
        data = line.make_data(jax.random.key(1), offset=offset)
        np.testing.assert_allclose(data.x, at_zero.x + offset, rtol=1e-6)
        low, high = np.linalg.eigvalsh(line.curvature(data))
        conditions.append(high / low)
    assert conditions == sorted(conditions)
    assert conditions[0] < 2 < 20 < conditions[2]


def test_smallest_loss_is_least():
    _, data = problem(1, offset=2.0)
    best, solution = line.smallest_loss(data), line.least_squares(data)
    np.testing.assert_allclose(line.loss(solution, *data), best, rtol=1e-5)
    for nudge in ((0.1, 0.0), (0.0, -0.1)):
        assert line.loss(Params(solution.weight + nudge[0], solution.bias + nudge[1]), *data) > best


def test_the_instruments_import_no_lesson_and_the_optimizer_imports_no_other_one():
    root = Path(line.__file__).parent
    instruments = {root / f"{name}.py": "" for name in ("line", "history", "training")}
    lessons = dict.fromkeys((root / "optimizer").glob("*.py"), "optimizer")
    lessons |= dict.fromkeys((root / "regression").glob("*.py"), "regression")
    folders = {path.parent.name for path in root.glob("*/__init__.py")}
    assert {"optimizer", "regression", "refs"} <= folders
    assert len(lessons) > 10
    for path, own in (instruments | lessons).items():
        imported = set(re.findall(r"from statecore(?:\.| import )(\w+)", path.read_text(encoding="utf-8")))
        assert not imported & (folders - {own}), path
