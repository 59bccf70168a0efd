"""Three ways to look at the params that a jitted trainer left on self: tracers, not numbers."""


def print_params(trainer, out):
    print(trainer.params.weight, file=out)


def convert_params(trainer):
    return float(trainer.params.weight)


def use_params(trainer):
    return trainer.params.weight + 1
