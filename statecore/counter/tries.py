"""What happens to a counter when you poke at it: each experiment is a run with its result.

Every function builds its own objects, so running one again gives the same result
and two visitors never meet.
"""

import jax

from statecore.counter import Counter, CounterV2


def dropped_state():
    count = jax.jit(CounterV2().count)
    state = CounterV2().reset()
    values = []
    for _ in range(3):
        value, _ = count(state)
        values.append(int(value))
    return values


def reset_then_call():
    counter = Counter()
    count = jax.jit(counter.count)
    values = [int(count()), int(count())]
    counter.reset()
    values.append(int(count()))
    return values


def second_jit():
    counter = Counter()
    first = jax.jit(counter.count)
    values = [int(first())]
    counter.n = 41
    second = jax.jit(counter.count)
    values.append(int(second()))
    return values


def new_instance():
    old = jax.jit(Counter().count)
    values = [int(old()), int(old())]
    counter = Counter()
    counter.n = 7
    new = jax.jit(counter.count)
    return values + [int(new()), int(new())]


def wrapper_discarded():
    counter = Counter()
    values = []
    for _ in range(3):
        count = jax.jit(counter.count)
        values.append(int(count()))
        del count
    return values


def wrapper_kept():
    counter = Counter()
    wrappers, values = [], []
    for _ in range(3):
        count = jax.jit(counter.count)
        values.append(int(count()))
        wrappers.append(count)
    return values


class ShapedCounter(Counter):
    """A counter whose method takes an argument, and so has one trace for each shape."""

    def count_with(self, x):
        self.n += 1
        return x * 0 + self.n


def new_shape():
    counter = ShapedCounter()
    count = jax.jit(counter.count_with)
    values = []
    for size in (2, 2, 3, 3, 2):
        x = jax.numpy.zeros(size)
        values.append(int(count(x)[0]))
    return values


def go_on_from_the_past():
    count = jax.jit(CounterV2().count)
    states = [CounterV2().reset()]
    for _ in range(3):
        _, state = count(states[-1])
        states.append(state)
    value, _ = count(states[1])
    return int(value)


def looking_is_tracing():
    counter = Counter()
    look = jax.make_jaxpr(counter.count)
    values = []
    for _ in range(3):
        look()
        values.append(counter.n)
    return values


def looking_after_a_call():
    counter = Counter()
    count = jax.jit(counter.count)
    count()
    jax.make_jaxpr(counter.count)()
    return counter.n
