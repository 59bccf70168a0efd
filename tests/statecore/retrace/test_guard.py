import os
import subprocess
import sys
import threading
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import pytest
from flax import nnx

from statecore.retrace import CANNOT_SEE, explain, no_retrace
from tests.statecore.retrace.retraces import guarded, retraced

ROOT = Path(__file__).parents[3]

pytest_plugins = ("pytester",)


def fresh():
    def step(x):
        return x * 1

    return jax.jit(step)


def test_a_fresh_wrapper_may_be_traced_once():
    step = fresh()
    with no_retrace(step):
        for number in range(5):
            step(float(number))


def test_a_wrapper_that_was_called_may_not_and_jax_itself_tells_why():
    step = fresh()
    step(jnp.zeros(2))
    guarded(step, lambda: step(jnp.ones(2)))
    text = str(retraced(step, lambda: step(jnp.zeros(3))))
    assert "It was called before the block, where its arguments were not seen. Now came `x`: float32[3]." in text
    assert "JAX says:" in text
    assert "now f32[3] and before f32[2]" in text


def test_the_line_of_the_call_is_named():
    step = fresh()

    def calls():
        step(1.0)
        step(jnp.zeros(2))

    line = calls.__code__.co_firstlineno + 2
    assert f"again at {__file__}:{line}." in str(retraced(step, calls))


@pytest.mark.parametrize(("called_before", "traces", "too_many"), [(0, 2, 0), (0, 3, 1), (1, 1, 0), (1, 2, 1)])
def test_allowed_traces(called_before, traces, too_many):
    step = fresh()
    if called_before:
        step(1.0)
    if not too_many:
        guarded(step, lambda: [step(jnp.zeros(size)) for size in range(traces)], allowed=1)
    else:
        error = retraced(step, lambda: [step(jnp.zeros(size)) for size in range(traces)], allowed=1)
        assert str(error).count("was traced again") == too_many


def test_only_traces_of_this_function_by_jit_count():
    def doubled(x):
        return x * 2

    step = jax.jit(doubled)
    with no_retrace(step):
        step(1.0)
        doubled(jnp.zeros(2))
        jax.vmap(doubled)(jnp.zeros(3))
        jax.lax.scan(lambda carry, x: (doubled(carry), x), 1.0, jnp.zeros(3))
        jax.jit(lambda x: doubled(x))(jnp.zeros(4))


def test_a_function_that_calls_itself_is_traced_once():
    def power(x, n):
        return x if n == 0 else x * power(x, n - 1)

    step = jax.jit(power, static_argnums=1)
    with no_retrace(step):
        assert float(step(2.0, 3)) == 16.0


def test_two_objects_have_a_first_call_each():
    class Model:
        def step(self, x):
            return x

    one, other = jax.jit(Model().step), jax.jit(Model().step)
    with no_retrace(one, other):
        one(1.0)
        other(1.0)


@pytest.mark.parametrize("wrap", [eqx.filter_jit, nnx.jit])
def test_wrappers_of_libraries(wrap):
    def step(x):
        return x * 1

    wrapped = wrap(step)
    error = retraced(wrapped, lambda: [wrapped(jnp.zeros(2)), wrapped(jnp.ones(2)), wrapped(jnp.zeros(3))])
    assert [str(cause).split(". ")[0] for cause in error.causes] == [
        "Argument `x` was float32[2] and is now float32[3]"
    ]


def test_what_is_no_function():
    with pytest.raises(TypeError, match="at least one function"), no_retrace():
        pass
    with pytest.raises(TypeError, match="finds no Python function in 3"), no_retrace(3):
        pass
    with pytest.raises(TypeError, match=r"wrapper with `\.trace`"):
        explain(lambda x: x, (1,), (2,))
    with pytest.raises(TypeError, match="as a tuple, not float"):
        explain(fresh(), 1.0, (2.0,))


def test_an_error_in_the_block_is_the_one_that_is_raised():
    step = fresh()
    with pytest.raises(ZeroDivisionError):
        guarded(step, lambda: [step(1.0), step(jnp.zeros(2)), 1 / 0])


def test_the_hooks_found_are_put_back_and_serve_in_the_block():
    step, seen = fresh(), []

    def profiler(frame, event, _arg):
        if event == "call":
            seen.append(frame.f_code.co_name)

    found = sys.gettrace(), sys.getprofile()
    sys.setprofile(profiler)
    try:
        with no_retrace(step):
            step(1.0)
            assert sys.gettrace() is found[0]
        assert sys.getprofile() is profiler
    finally:
        sys.setprofile(found[1])
    assert "step" in seen


def test_blocks_may_stand_in_each_other():
    outer, inner = fresh(), fresh()

    def calls():
        outer(1.0)
        guarded(inner, lambda: [inner(1.0), outer(jnp.zeros(2))])

    assert len(retraced(outer, calls).causes) == 1


def test_another_thread_is_not_seen_as_it_says():
    step = fresh()
    step(1.0)
    with no_retrace(step):
        thread = threading.Thread(target=step, args=(jnp.zeros(2),))
        thread.start()
        thread.join()
    assert any("threads" in sentence for sentence in CANNOT_SEE)


SHARDED = """
import jax, jax.numpy as jnp
from jax.sharding import NamedSharding, PartitionSpec
from statecore.retrace import Retraced, no_retrace
step = jax.jit(lambda x: x + 1)
whole = jnp.zeros(4)
split = jax.device_put(whole, NamedSharding(jax.make_mesh((2,), ("data",)), PartitionSpec("data")))
try:
    with no_retrace(step):
        step(whole)
        step(split)
except Retraced as error:
    print([cause.kind for cause in error.causes], error)
with no_retrace(step):
    step(jax.device_put(whole, jax.devices()[1]))
print("another device: no trace")
"""


def test_sharding_over_two_devices():
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=2", "JAX_PLATFORMS": "cpu", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", SHARDED], env=os.environ | flags, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("['sharding']"), done.stdout
    assert "data" in done.stdout
    assert "another device: no trace" in done.stdout


PLUGGED = """
import jax, jax.numpy as jnp, pytest

def test_stays(no_retrace):
    step = jax.jit(lambda x: x)
    with no_retrace(step):
        step(1.0)
        step(2.0)

@pytest.mark.pure
def test_changes(no_retrace):
    step = jax.jit(lambda x: x)
    with no_retrace(step):
        step(1.0)
        step(jnp.zeros(2))
"""


def test_the_plugin(pytester, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makepyfile(PLUGGED)
    plugged = ("-p", "statecore.pytest_plugin", "--strict-markers", "-p", "no:cacheprovider")
    every = pytester.runpytest_subprocess(*plugged)
    every.assert_outcomes(passed=1, failed=1)
    every.stdout.fnmatch_lines(["*Argument `x` was weakly typed float32* and is now float32?2?.*"])
    pytester.runpytest_subprocess(*plugged, "-m", "pure").assert_outcomes(failed=1, deselected=1)
