"""The optimizers that race, each as a rule: a function from a learning rate to an optax optimizer."""

from collections.abc import Callable
from typing import Any

import optax

Rule = Callable[[Any], optax.GradientTransformation]
"""Learning rate -> optimizer. A rule is a function of a module, so that its run compiles once."""


def sgd(learning_rate):
    return optax.sgd(learning_rate)


def momentum(learning_rate):
    return optax.sgd(learning_rate, momentum=0.9)


RULES: dict[str, Rule] = {"SGD": sgd, "momentum": momentum, "Adam": optax.adam}
"""The rules by the name a reader knows."""
