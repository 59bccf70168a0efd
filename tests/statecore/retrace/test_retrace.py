"""`no_retrace` and `explain`: every cause is made to happen, and must be named with its sentence."""

import functools
import subprocess
import sys
import threading
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from statecore import reading
from statecore.copies import copy_of
from statecore.lines import executed_lines
from statecore.retrace import CANNOT_SEE, KINDS, Cause, Retraced, explain, no_retrace

ROOT = Path(__file__).parents[3]


class Config:
    """Compared by identity, as any class is."""


class Model:
    def apply(self, x):
        return x * 2


def double(x):
    return x * 2


def two(x, y):
    return x + y


def scaled(x, n):
    return x * n


def add_all(params):
    return jax.tree.map(lambda leaf: leaf + 1, params)


def count(state):
    return {**state, "n": state["n"] + 1}


def optimize_with_a_new_rule(x):
    for _ in range(2):
        jax.jit(lambda x: x * 0.1)(x)


def wrap_the_method_again(x):
    model = Model()
    for _ in range(2):
        jax.jit(model.apply)(x)


def fresh(function, **options):
    """A wrapper of a copy: wrappers of one function share what was traced."""
    return jax.jit(copy_of(function), **options)


def calls_of(*calls):
    """A block that makes these calls."""

    def block(wrapper):
        for args in calls:
            wrapper(*args)

    return block


def twice(function, *calls):
    return lambda: fresh(function), calls_of(*calls)


def under_two_settings(wrapper):
    x = jnp.ones((2, 2))
    wrapper(x)
    with jax.default_matmul_precision("float32"):
        wrapper(x)


def cleared(wrapper):
    wrapper(1.0)
    wrapper.clear_cache()
    wrapper(1.0)


TABLE = {
    "shape": (
        *twice(double, (jnp.ones(3),), (jnp.ones(4),)),
        Cause("shape", "x", "float32[3]", "float32[4]"),
        "`x` was float32[3] and is now float32[4]. Pad it to one shape, or accept one program for each shape.",
    ),
    "dtype of a leaf": (
        *twice(count, ({"n": jnp.int32(0)},), ({"n": jnp.float32(0)},)),
        Cause("dtype", "state['n']", "int32[]", "float32[]"),
        "`state['n']` was int32[] and is now float32[]. Convert it before the call, so that it always has one dtype.",
    ),
    "weak type": (
        *twice(double, (1.0,), (jnp.float32(1),)),
        Cause("weak type", "x", "a weakly typed float32[]", "a strongly typed float32[]"),
        "`x` was a weakly typed float32[] and is now a strongly typed float32[]. "
        "A Python number is weakly typed, and an array is not. Pass one or the other every time.",
    ),
    "static value": (
        lambda: fresh(scaled, static_argnums=1),
        lambda wrapper: (wrapper(1.0, 2), wrapper(1.0, 3)),
        Cause("static value", "n", "2", "3"),
        "`n` was the Python value 2 and is now 3. "
        "Every static value has a program of its own. Pass it as an array if it changes often.",
    ),
    "static object made again": (
        lambda: jax.jit(lambda x, config: x, static_argnames="config"),
        lambda wrapper: (wrapper(1.0, config=Config()), wrapper(1.0, config=Config())),
        None,
        "Make the object once, or give its class `__eq__` and `__hash__` by content.",
    ),
    "structure": (
        *twice(add_all, ({"w": 1.0},), ({"w": 1.0, "b": 2.0},)),
        Cause("structure", "params", "the tree {'w': leaf}", "the tree {'b': leaf, 'w': leaf}"),
        "`params` was the tree {'w': leaf} and is now the tree {'b': leaf, 'w': leaf}. "
        "Give it its final structure from the first call on.",
    ),
    "None that becomes an array": (
        *twice(add_all, (None,), (jnp.ones(2),)),
        Cause("structure", "params", "the tree None", "the tree leaf"),
        "`params` was the tree None and is now the tree leaf. Give it its final structure from the first call on.",
    ),
    "keyword": (
        lambda: fresh(two),
        lambda wrapper: (wrapper(1.0, 2.0), wrapper(1.0, y=2.0)),
        Cause("keyword", "y", "by position", "by keyword"),
        "`y` was passed by position and is now passed by keyword. "
        "Pass it in the same way every time, by position or by keyword.",
    ),
    "new function": (
        lambda: optimize_with_a_new_rule,
        lambda function: function(1.0),
        Cause("new function"),
        "Nothing about the arguments changed: another function object with the same code was traced. "
        "Define the function once, outside the loop: JAX looks programs up by the function object.",
    ),
    "new wrapper": (
        lambda: Model.apply,
        lambda _: wrap_the_method_again(1.0),
        Cause("new wrapper"),
        "Nothing about the arguments changed: the method was wrapped again, and the old wrapper was gone. "
        "Call `jax.jit` once, and keep what it returns.",
    ),
    "configuration": (
        lambda: jax.jit(lambda x: x @ x),
        under_two_settings,
        Cause("configuration", "jax_default_matmul_precision", "None", "'float32'"),
        "JAX's setting `jax_default_matmul_precision` was None and is now 'float32'. "
        "Change it before the first call, and not between calls.",
    ),
    "caches": (
        lambda: jax.jit(lambda x: x * 3),
        cleared,
        Cause("caches"),
        "Nothing about the arguments or the function changed: JAX no longer had the program. "
        "Something cleared the caches, or let the last wrapper of the function go.",
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_each_cause_is_named_with_its_sentence(name):
    make, block, cause, sentence = TABLE[name]
    function = make()
    with pytest.raises(Retraced) as failed, no_retrace(function):
        block(function)
    assert sentence in str(failed.value)
    assert "was traced twice where one trace was expected" in str(failed.value)
    if cause is not None:
        assert failed.value.causes == (cause,)


def test_the_table_has_the_kinds_there_are():
    assert len(TABLE) >= 12
    found = {cause.kind for _, _, cause, _ in TABLE.values() if cause}
    assert found | {"new object", "sharding"} == set(KINDS)


@pytest.mark.parametrize("name", ["new function", "new wrapper", "caches", "configuration"])
def test_watching_does_not_keep_a_program_alive(name):
    """Were the old function held, JAX would find its trace, and there would be nothing to see."""
    make, block, *_ = TABLE[name]
    function = make()
    with pytest.raises(Retraced), no_retrace(function):
        block(function)


@pytest.mark.parametrize(
    "calls",
    [
        [(1.0,), (2.0,), (-3.5,)],
        [(np.float32(1),), (np.float64(1),), (jnp.float32(1),)],
        [(jnp.ones(3),), (np.ones(3, np.float32),), (np.ones(3),)],
        [({"w": 1.0},), ({"w": 2.0},)],
    ],
)
def test_what_jax_finds_again_passes(calls):
    """NumPy's float64 among them: JAX makes a float32 of it before it looks."""
    wrapper = jax.jit(lambda x: jax.tree.map(lambda leaf: leaf + 1, x))
    with no_retrace(wrapper):
        for args in calls:
            wrapper(*args)
    assert explain(jax.jit(lambda x: jax.tree.map(lambda leaf: leaf - 1, x)), calls[0], calls[1]) == ()


def retraced(match, *functions, block, **options):
    """The error of a block that must fail."""
    with pytest.raises(Retraced, match=match) as failed, no_retrace(*functions, **options):
        block()
    return failed.value


def test_a_wrapper_that_was_called_before_may_not_be_traced_at_all():
    wrapper = fresh(double)
    wrapper(1.0)
    with no_retrace(wrapper):
        wrapper(2.0)
    expected = r"traced once where no further trace was expected.*`x`: float32\[3\]"
    assert retraced(expected, wrapper, block=lambda: wrapper(jnp.ones(3))).causes == ()


def test_further_traces_can_be_allowed():
    wrapper = fresh(double)
    with no_retrace(wrapper, allowed=1):
        wrapper(jnp.ones(8))
        wrapper(jnp.ones(5))
    other = fresh(double)
    block = functools.partial(calls_of(*((jnp.ones(size),) for size in (1, 2, 3))), other)
    found = retraced("3 times where at most 2 traces were expected", other, block=block, allowed=1)
    assert found.causes == (Cause("shape", "x", "float32[2]", "float32[3]"),)


def test_several_functions_are_watched_and_the_right_one_is_named():
    def one(x):
        return x + 1

    def other(x):
        return x + 2

    first, second = jax.jit(one), jax.jit(other)
    retraced("`other` was traced twice", first, second, block=lambda: (first(1.0), second(1.0), second(jnp.ones(2))))


def test_a_scan_a_vmap_and_a_grad_inside_are_part_of_the_one_trace():
    def step(carry, x):
        return carry + x, carry

    def run(xs):
        total, _ = jax.lax.scan(step, 0.0, xs)
        return total + jax.vmap(double)(xs).sum() + jax.grad(lambda x: x**2)(total)

    wrapper = jax.jit(run)
    with no_retrace(wrapper, step, double):
        for _ in range(3):
            wrapper(jnp.ones(4))


def test_grad_and_vmap_alone_keep_no_program_and_are_not_counted():
    def square(x):
        return x * x

    with no_retrace(square):
        for k in range(3):
            jax.grad(square)(float(k))


def test_a_partial_and_a_method_are_seen_through():
    wrapper = jax.jit(functools.partial(copy_of(scaled), n=2))
    retraced("`scaled` was traced twice", wrapper, block=lambda: (wrapper(1.0), wrapper(jnp.ones(2))))
    method = jax.jit(Model().apply)
    retraced("`apply` was traced twice", method, block=lambda: (method(1.0), method(jnp.ones(2))))


def test_what_the_block_raises_goes_through():
    with pytest.raises(ZeroDivisionError), no_retrace(jax.jit(double)):
        raise ZeroDivisionError


def test_the_tracer_that_was_there_is_put_back():
    with executed_lines(double) as ran:
        before = sys.gettrace()
        with no_retrace(jax.jit(double)):
            assert sys.gettrace() is not before
        assert sys.gettrace() is before
        double(1.0)
    assert ran


def test_another_thread_is_not_watched():
    wrapper = jax.jit(lambda x: x + 7)
    with no_retrace(wrapper):
        threads = [threading.Thread(target=wrapper, args=(jnp.ones(size),)) for size in (1, 2, 3)]
        for thread in threads:
            thread.start()
            thread.join()
    assert any("other threads" in text for text in CANNOT_SEE)


@pytest.mark.parametrize("thing", [3, "step", len, jnp.sin])
def test_what_has_no_body_is_refused(thing):
    if thing is jnp.sin:
        with no_retrace(thing):  # a function of JAX has a body like any other
            thing(1.0)
        return
    with pytest.raises(TypeError, match="no Python body"), no_retrace(thing):
        pass


def test_without_a_function_nothing_is_watched():
    with pytest.raises(TypeError, match="name the functions"), no_retrace():
        pass


def test_explain_asks_jax_and_names_the_paths():
    def step(state, x, *, train):
        return {"params": state["params"] * x, "n": state["n"] + 1}

    state = {"params": jnp.ones(2), "n": 0}
    wrapper = jax.jit(step, static_argnames="train")
    again = {**state, "n": jnp.int32(1)}
    (cause,) = explain(wrapper, ((state, 1.0), {"train": True}), ((again, 1.0), {"train": True}))
    assert (cause.kind, cause.path) == ("weak type", "state['n']")
    calls = [((state, 1.0), {"train": train}) for train in (True, False)]
    (cause,) = explain(fresh(step, static_argnames="train"), *calls)
    assert cause == Cause("static value", "train", "True", "False")
    with pytest.raises(TypeError, match="is no jax"):
        explain(step, (1.0,), (2.0,))


def test_explain_still_tells_when_the_first_call_was_traced_before():
    wrapper = jax.jit(lambda x: x * 9)
    wrapper(1.0)
    assert [cause.kind for cause in explain(wrapper, (1.0,), (jnp.ones(2),))] == ["shape"]


SHARDED = """
import jax, jax.numpy as jnp, sys
from jax.sharding import AxisType, NamedSharding, PartitionSpec as P
from statecore.retrace import Retraced, no_retrace
assert len(jax.devices()) == 2
step = jax.jit(lambda x: x * 2)
one = jax.device_put(jnp.ones(4), jax.devices()[0])
if sys.argv[1] == "other device":
    spread = jax.device_put(jnp.ones(4), jax.devices()[1])
else:
    mesh = jax.make_mesh((2,), ("data",), axis_types=(getattr(AxisType, sys.argv[1]),))
    spread = jax.device_put(jnp.ones(4), NamedSharding(mesh, P("data")))
try:
    with no_retrace(step):
        step(one)
        step(spread)
except Retraced as error:
    print(error.causes[0].kind, "|", error)
"""


@pytest.mark.parametrize(
    ("axes", "sentence"),
    [
        ("Explicit", "`x` was float32[4] and is now float32[4@data] on a mesh of 2 (data). Put it on the same devices"),
        ("Auto", "`x` was float32[4] and is now float32[4] on a mesh of 2 (data). Put it on the same devices"),
        ("other device", "was compiled again for a trace that was kept. An argument lies on other devices"),
    ],
)
def test_another_sharding_is_seen_whether_python_runs_or_not(axes, sentence):
    """On another device the trace is found, and only compiled again."""
    env = {"XLA_FLAGS": "--xla_force_host_platform_device_count=2", "PATH": "", "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, "-c", SHARDED, axes]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("sharding | ")
    assert sentence in done.stdout


# --- the assumptions about JAX --------------------------------------------------------------------------------


def test_where_jit_traces_its_function_and_arguments_can_be_read():
    seen = []

    def body(x, y):
        seen.append(reading.jit_call(sys._getframe()))
        return x + y

    jax.jit(body)(1.0, y=2.0)
    jax.grad(body)(1.0, 2.0)
    call, outside = seen
    assert (call.function, call.by_position, call.by_keyword) == (body, 1, ("y",))
    assert outside is None


def test_a_wrapper_tells_whether_it_was_called():
    wrapper = jax.jit(lambda x: x)
    assert reading.cached_programs(wrapper) == 0
    wrapper(1.0)
    assert reading.cached_programs(wrapper) == 1
    with pytest.raises(reading.Unreadable):
        reading.cached_programs(double)
