"""The jitted trainer: what it returns, what its program holds, and what it leaves on self."""

import inspect
import io

import jax
import numpy as np
import pytest
from jax.experimental import io_callback

from statecore import line, regression
from statecore.observation import observe
from statecore.regression import hidden, leaked, programs
from tests.helpers import finish
from tests.statecore.regression.problems import problem, python_loop

RATES = ((0, 0.1),)


def broken_after(calls: int):
    params, data = problem()
    update = programs.broken(params, 0.1)
    losses = [update(*data) for _ in range(calls)]
    return inspect.unwrap(update).__self__, losses, params, data


def test_without_jit_the_trainer_learns_as_the_pure_update_does():
    params, data = problem()
    trainer = regression.Trainer(params, 0.1)
    losses = [float(trainer.update(*data)) for _ in range(50)]
    loop = python_loop(params, data, 0.1, 50)
    np.testing.assert_allclose(losses, loop.loss[:50], rtol=1e-5)
    np.testing.assert_allclose(trainer.params, loop[50], rtol=1e-5)


def test_with_jit_its_loss_is_flat():
    _, losses, params, data = broken_after(10)
    assert {float(loss) for loss in losses} == {float(losses[0])}
    assert float(losses[0]) == pytest.approx(float(line.loss(params, *data)), rel=1e-6)


def test_with_jit_another_rate_changes_nothing_and_runs_nothing():
    params, data = problem()
    update = programs.broken(params, 0.1)
    first = observe(update, *data)
    inspect.unwrap(update).__self__.learning_rate = 100.0
    second = observe(update, *data)
    assert (first.traced, second.traced) == (True, False)
    assert float(first.value) == float(second.value)


def test_what_the_trainer_s_program_keeps():
    params, data = problem()
    seen = observe(programs.broken(params, 0.1), *data)
    origins = [constant.origin.name for constant in seen.kept.baked]
    assert origins == ["self.params.weight", "self.params.bias", "self.learning_rate"]
    assert len(seen.kept.inputs) == 2


def test_its_params_looked_at_in_three_ways():
    trainer, *_ = broken_after(1)
    out = io.StringIO()
    assert observe(leaked.print_params, trainer, out).error is None
    assert "JitTracer" in out.getvalue()
    assert isinstance(observe(leaked.convert_params, trainer).error, jax.errors.ConcretizationTypeError)
    assert isinstance(observe(leaked.use_params, trainer).error, jax.errors.UnexpectedTracerError)


@pytest.fixture
def told(monkeypatch):
    """The rate that the trainer held in every call of the compiled program."""
    heard: list[float] = []

    class Telling(line.Trainer):
        def update(self, x, y):
            io_callback(lambda: heard.append(self.learning_rate), None, ordered=True)
            return super().update(x, y)

    monkeypatch.setattr(programs, "broken", lambda params, rate: jax.jit(Telling(params, rate).update))
    return heard


def test_the_trainer_is_really_called_and_told_each_rate_in_time(told):
    params, data = problem(points=16)
    found, shares = finish(hidden.train(params, data, ((0, 0.1), (30, 0.5)), 2500))
    assert told == [0.1] * 30 + [0.5] * (2501 - 30)
    assert len(found.losses) == 2501
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert len(shares) == 4  # 30 calls, then 1024, 1024 and the rest


def test_whoever_stops_asking_ends_the_calls(told):
    params, data = problem(points=16)
    work = hidden.train(params, data, RATES, 5000)
    next(work)
    work.close()
    assert len(told) == 1 + 1024  # the call that traced, and a chunk


@pytest.mark.parametrize("seed", [0, 1])
def test_the_baked_params_are_constants_of_the_program(seed):
    params, data = problem(seed)
    found, _ = finish(hidden.train(params, data, RATES, 5))
    assert found.baked == params
    assert any(constant.value is found.baked.weight for constant in found.kept.constants)
    # the program computes the loss of the line that it holds
    assert set(found.losses) == {found.losses[0]}
    assert found.losses[0] == pytest.approx(float(line.loss(found.baked, *data)), rel=1e-6)


def test_a_program_without_params_among_its_constants_has_no_baked_line():
    params, data = problem()
    seen = observe(programs.fixed(), params, *data)
    with pytest.raises(LookupError, match="weight and bias"):
        _ = hidden.Hidden(np.zeros(1), seen.kept, params).baked


def test_what_is_left_on_self_are_the_tracers_themselves():
    params, data = problem()
    found, _ = finish(hidden.train(params, data, RATES, 5))
    assert all(isinstance(leaf, jax.core.Tracer) for leaf in found.left)
    with pytest.raises(jax.errors.UnexpectedTracerError):
        found.left.weight + 1
