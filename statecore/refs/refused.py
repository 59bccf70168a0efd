"""Small programs that a Ref refuses, each beside the one that works.

Every function makes its own Ref, so it may be run again and by two visitors at once.
"""

import jax
import jax.numpy as jnp


def returned():
    n = jax.new_ref(jnp.int32(3))

    @jax.jit
    def count():
        n[...] += 1
        return n

    return count()


def returned_fixed():
    n = jax.new_ref(jnp.int32(3))

    @jax.jit
    def count():
        n[...] += 1
        return n[...]

    return count()


def passed_twice():
    n = jax.new_ref(jnp.int32(3))

    @jax.jit
    def add(to, what):
        to[...] += what[...]

    add(n, n)
    return n[...]


def passed_twice_fixed():
    n = jax.new_ref(jnp.int32(3))

    @jax.jit
    def add(to, what):
        to[...] += what

    add(n, n[...])
    return n[...]


def closed_and_passed():
    n = jax.new_ref(jnp.int32(3))

    @jax.jit
    def add(to):
        to[...] += n[...]

    add(n)
    return n[...]


def closed_and_passed_fixed():
    n = jax.new_ref(jnp.int32(3))

    @jax.jit
    def double():
        n[...] += n[...]

    double()
    return n[...]


def vmapped():
    total = jax.new_ref(jnp.float32(0))

    def add(x):
        total[...] += x

    jax.vmap(add)(jnp.arange(3.0))
    return total[...]


def vmapped_fixed():
    totals = jax.new_ref(jnp.zeros(3))

    def add(total, x):
        total[...] += x

    jax.vmap(add)(totals, jnp.arange(3.0))
    return totals[...]


def used_in_maths():
    angle = jax.new_ref(jnp.float32(0.5))
    return jax.jit(jnp.sin)(angle)


def used_in_maths_fixed():
    angle = jax.new_ref(jnp.float32(0.5))
    return jax.jit(jnp.sin)(angle[...])


def differentiated():
    last = jax.new_ref(jnp.float32(0))

    def loss(w):
        error = (w - 1) ** 2
        last[...] = error
        return error

    slope = jax.grad(loss)(jnp.float32(3))
    return slope, last[...]


def differentiated_fixed():
    last = jax.new_ref(jnp.float32(0))

    def loss(w):
        error = (w - 1) ** 2
        last[...] = jax.lax.stop_gradient(error)
        return error

    slope = jax.grad(loss)(jnp.float32(3))
    return slope, last[...]


def wrong_dtype():
    n = jax.new_ref(jnp.int32(3))
    n[...] += 0.5
    return n[...]


def wrong_dtype_fixed():
    n = jax.new_ref(jnp.float32(3))
    n[...] += 0.5
    return n[...]


def carried():
    n = jax.new_ref(jnp.int32(3))

    def body(n, _):
        n[...] += 1
        return n, n[...]

    _, values = jax.lax.scan(body, n, length=3)
    return values


def carried_fixed():
    n = jax.new_ref(jnp.int32(3))

    def body(_, x):
        n[...] += 1
        return None, n[...]

    _, values = jax.lax.scan(body, None, length=3)
    return values


def gradient_of_ref():
    w = jax.new_ref(jnp.float32(3))

    def loss(w):
        return (w[...] - 1) ** 2

    return jax.grad(loss)(w)


def gradient_of_ref_fixed():
    w = jax.new_ref(jnp.float32(3))

    def loss(w):
        return (w - 1) ** 2

    return jax.grad(loss)(w[...])


def frozen_inside():
    n = jax.new_ref(jnp.int32(3))

    @jax.jit
    def read():
        return jax.freeze(n)

    return read()


def frozen_outside():
    n = jax.new_ref(jnp.int32(3))

    @jax.jit
    def count():
        n[...] += 1

    count()
    return jax.freeze(n)
