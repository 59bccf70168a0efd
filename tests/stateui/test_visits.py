from dataclasses import replace

import jax.numpy as jnp
import pytest

from statecore import optimizer, training
from statecore.regression.runs import LEARNER
from statecore.work import finish
from stateui import trees, visits
from stateui.parts.regression import _full


@pytest.mark.parametrize(
    ("rates", "expected"),
    [
        (((0, 0.005),), "rate 0.005"),
        (((0, 0.005), (250, 0.1)), "rate 0.005, 0.1 from step 250"),
        (((0, 1e-06), (2, 0.5), (3, 2.0)), "rate 1e-06, 0.5 from step 2, 2 from step 3"),
    ],
)
def test_a_branch_is_called_by_its_rates(rates, expected):
    assert visits.label(rates) == expected


def test_a_state_is_described_leaf_by_leaf():
    rows = {name: trees.describe(optimizer.init(optimizer.START, rule).opt_state)
            for name, rule in optimizer.RULES.items()}  # fmt: skip
    assert rows["SGD"] == ()
    assert [row.path for row in rows["momentum"]] == ["[0].trace.weight", "[0].trace.bias"]
    assert [row.path for row in rows["Adam"]] == [
        "[0].count", "[0].mu.weight", "[0].mu.bias", "[0].nu.weight", "[0].nu.bias",
    ]  # fmt: skip
    count = rows["Adam"][0]
    assert (count.shape, count.dtype, int(count.value), count.value.nbytes) == ((), "int32", 0, 4)
    assert trees.describe(optimizer.State(jnp.ones(2), ()))[0].path == ".params"


def test_a_run_that_cannot_be_forked_says_why():
    run = finish(training.begin(LEARNER, optimizer.START, optimizer.default_data(), 0.01, 10))
    assert _full(run) == ""
    largest = replace(run, steps=training.MAX_WORK // 128)
    assert "1,000,000,000 points × steps" in _full(largest)
    assert "8 branches" in _full(replace(run, rates=run.rates * training.MAX_BRANCHES))
