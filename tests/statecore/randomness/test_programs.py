"""Hidden and reused randomness, and what fixes it."""

import jax
import jax.experimental.random
import numpy as np
import pytest

from statecore import lockstep
from statecore.randomness.programs import (
    Sampler,
    fold_in,
    jitted_sampler,
    jitted_stateful_rng,
    programs,
    reuse,
    split,
)

KEY = jax.random.key(0)


def tape(program, calls=3):
    lane = lockstep.go(lockstep.start(program), calls)
    return lane, [float(value) for value in lane.tape]


def test_numpys_generator_is_asked_once_by_jit():
    lanes = programs(7)["numpy"]
    generator = np.random.default_rng(7)
    _, plain = tape(lanes["plain"])
    assert plain == [generator.normal() for _ in range(3)]
    lane, broken = tape(lanes["broken"])
    assert broken == pytest.approx([plain[0]] * 3)
    assert lane.kept.outputs[0].frozen


def test_a_key_on_self_is_split_once_by_jit_and_then_leaks():
    sampler = Sampler(KEY)
    plain = [float(sampler.sample()) for _ in range(3)]
    assert len(set(plain)) == 3
    sample = jitted_sampler(0)
    assert [float(sample()) for _ in range(3)] == pytest.approx([plain[0]] * 3)
    key = sample.__wrapped__.__self__.key
    assert isinstance(key, jax.core.Tracer)
    with pytest.raises(jax.errors.UnexpectedTracerError):
        jax.random.normal(key)


def test_a_key_on_self_can_be_observed_call_by_call():
    lanes = programs(0)["self"]
    _, plain = tape(lanes["plain"])
    _, broken = tape(lanes["broken"])
    assert broken == pytest.approx([plain[0]] * 3)


def test_a_reused_key_gives_the_same_number_and_a_split_one_does_not():
    lanes = programs(0)["reuse"]
    lane, broken = tape(lanes["broken"])
    assert len(set(broken)) == 1
    assert jax.random.key_data(lane.moment.state).tolist() == [0, 0]
    _, fixed = tape(lanes["split"])
    _, folded = tape(lanes["fold_in"])
    assert len(set(fixed)) == len(set(folded)) == 3


@pytest.mark.parametrize("mistake", ["numpy", "self", "reuse"])
@pytest.mark.parametrize("fix", ["split", "fold_in"])
def test_a_fix_draws_the_same_under_jit_as_without_it(mistake, fix):
    program = programs(3)[mistake][fix]
    _, jitted = tape(program)
    key, eager = jax.random.key(3), []
    for k in (1, 2, 3):
        if fix == "split":
            value, key = split(key)
        else:
            value = fold_in(key, k)
        eager.append(float(value))
    assert jitted == pytest.approx(eager, rel=1e-6)


@pytest.mark.parametrize("fix", ["split", "fold_in"])
def test_a_fix_is_traced_once_for_every_visitor_and_rewinds(fix):
    for _visitor in range(2):
        lane = lockstep.step(lockstep.start(programs(0)["reuse"][fix]))
        assert lane.moment.seen.traced
        lane = lockstep.go(lane, 4)
        assert not lane.moment.seen.traced
        before = lane.tape
        again = lockstep.go(lockstep.go(lane, 1), 4)
        assert again.tape == before


def test_the_old_key_is_untouched():
    before = jax.random.key_data(KEY).tolist()
    _, after = split(KEY)
    _, same = reuse(KEY)
    assert jax.random.key_data(KEY).tolist() == before == jax.random.key_data(same).tolist()
    assert jax.random.key_data(after).tolist() != before


def test_a_generator_on_a_ref_draws_new_numbers_under_jit():
    sample = jitted_stateful_rng(7)
    jitted = [float(sample()) for _ in range(4)]
    generator = jax.experimental.random.stateful_rng(7)
    assert jitted == pytest.approx([float(generator.normal()) for _ in range(4)])
    assert len(set(jitted)) == 4
