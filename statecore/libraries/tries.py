"""Things to try with dozens of layers: each takes no argument and returns what it found."""

# Each imports its own library, which may be missing: then the import says so.

import jax

from statecore.libraries import by_hand, network


def count_the_wires():
    state = by_hand.first_state(network.init())
    return {
        name: len(jax.tree.leaves(part))
        for name, part in state._asdict().items()}


def take_nnx_apart():
    from flax import nnx

    from statecore.libraries import flax_nnx

    model, _ = flax_nnx.build(network.init())
    structure, *states = nnx.split(
        model, nnx.Param, nnx.BatchStat)
    params, stats = states
    return {
        "params": len(jax.tree.leaves(params)),
        "stats": len(jax.tree.leaves(stats)),
        "arrays left in the structure":
            len(jax.tree.leaves(structure))}


def write_on_an_equinox_module():
    from statecore.libraries import equinox_

    counter = equinox_.SelfCounter()
    return counter.count()


def ask_haiku_for_names():
    from statecore.libraries import haiku_

    x, _ = network.make_data()
    params, state, _ = haiku_.build(
        network.init(), x)
    return [next(iter(params)),
            next(iter(state))]
