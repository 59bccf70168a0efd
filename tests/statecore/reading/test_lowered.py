"""A canary for each thing that the lessons on keys and Refs assume of JAX, and the refusals of what reads otherwise."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import pytest

from statecore.reading import Unreadable
from statecore.reading import lowered as reading
from statecore.reading.lowered import Entry


def donating():
    return jax.jit(lambda x, y: (x + y, 2 * x), donate_argnums=1)


def lowered():
    return donating().lower(jnp.ones(3), jnp.zeros(3))


def equation(function, *args):
    """The first equation of a function's program."""
    return jax.make_jaxpr(function)(*args).jaxpr.eqns[0]


# --- the program that JAX hands to the compiler


def test_the_signature_is_that_of_the_function():
    entry = reading.entry(lowered())
    assert entry.arguments == ("%arg0: tensor<3xf32>", "%arg1: tensor<3xf32>")
    assert entry.results == ("tensor<3xf32>", "tensor<3xf32>")
    assert len(entry.returned) == 2
    assert entry.aliased in ({1: 0}, {1: 1})


def test_a_function_without_arguments_or_results_has_a_signature():
    assert reading.entry(jax.jit(lambda: 1.0).lower())[:2] == ((), ("tensor<f32>",))
    assert reading.entry(jax.jit(lambda x: None).lower(1.0))[1:] == ((), (), {})


@pytest.mark.parametrize("module", [
    SimpleNamespace(),
    SimpleNamespace(body=SimpleNamespace(operations=[])),
    SimpleNamespace(body=SimpleNamespace(operations=[SimpleNamespace(attributes={"sym_name": 1})])),
])
def test_a_module_of_another_shape_is_unreadable(module):
    with pytest.raises(Unreadable, match="compiler_ir"):
        reading.entry(SimpleNamespace(compiler_ir=lambda _dialect: module))


def test_the_text_has_every_part_of_the_signature():
    program = lowered()
    entry, text = reading.entry(program), program.as_text()
    places = reading.places(text, entry)
    for spans, parts in (
        (places.arguments, entry.arguments), (places.results, entry.results), (places.returned, entry.returned)
    ):
        assert tuple(text[slice(*span)] for span in spans) == parts
    ((argument, span),) = places.aliases.items()
    assert text[slice(*span)] == f"tf.aliasing_output = {entry.aliased[argument]} : i32"


@pytest.mark.parametrize(("old", "new"), [
    ("@main(", "@entry("), ("%arg1: ", "%second: "), ("tf.aliasing_output", "jax.alias"), ("->", "=>"),
    ("return", "yield"),
])  # fmt: skip
def test_an_altered_text_is_unreadable(old, new):
    program = lowered()
    text = program.as_text()
    assert old in text
    with pytest.raises(Unreadable):
        reading.places(text.replace(old, new), reading.entry(program))


def test_values_returned_in_another_order_are_unreadable():
    program = lowered()
    entry = reading.entry(program)
    with pytest.raises(Unreadable, match="main returns"):
        reading.places(program.as_text(), Entry(entry.arguments, entry.results, entry.returned[::-1], {}))


def test_the_compilers_table_shares_what_the_signature_shares():
    program = lowered()
    header = program.compile().as_text().partition("\n")[0]
    (shared,) = reading.shared_buffers(header)
    assert {shared.argument: shared.result} == reading.entry(program).aliased
    assert header[slice(*shared.place)].startswith("{" + str(shared.result) + "}")
    alone = jax.jit(jnp.sin).lower(1.0).compile().as_text().partition("\n")[0]
    assert reading.shared_buffers(alone) == ()


@pytest.mark.parametrize(("old", "new"), [
    ("HloModule ", "Module "), ("{}, ", "[], "), ("input_output_alias", "aliases"),
])  # fmt: skip
def test_an_altered_table_is_unreadable(old, new):
    header = lowered().compile().as_text().partition("\n")[0]
    assert old in header
    with pytest.raises(Unreadable):
        reading.shared_buffers(header.replace(old, new, 1))


# --- Refs in a jaxpr


def with_refs(outside):
    def function(x):
        inside = jax.new_ref(x)
        inside[...] += 1
        outside[...] = inside[...]
        jax.ref.addupdate(outside, ..., x)
        return outside[...]

    return function


def test_the_jaxpr_prints_every_ref_every_read_and_every_write():
    closed = jax.make_jaxpr(with_refs(jax.new_ref(jnp.float32(0))))(1.0)
    found = reading.ref_places(closed)
    assert {role: len(spans) for role, spans in found.items()} == {"ref": 1, "made": 1, "read": 3, "write": 3}
    assert [str(closed)[slice(*span)] for span in found["made"]] == ["c:Ref{f32[]}"]


def test_refs_inside_a_scan_are_found_too():
    ref = jax.new_ref(jnp.zeros(3))

    def scanned(x):
        def body(carry, _):
            ref[...] += x
            return carry, ref[...]

        return jax.lax.scan(body, None, None, length=3)

    found = reading.ref_places(jax.make_jaxpr(scanned)(jnp.ones(3)))
    assert [len(found[role]) for role in ("ref", "read", "write")] == [1, 2, 1]


@pytest.mark.parametrize(("old", "new"), [("Ref{", "Reference{"), (" <- ", " := "), ("new_ref", "array_ref")])
def test_an_altered_jaxpr_is_unreadable(old, new, monkeypatch):
    closed = jax.make_jaxpr(with_refs(jax.new_ref(jnp.float32(0))))(1.0)
    assert old in str(closed)
    altered = str(closed).replace(old, new)
    monkeypatch.setattr(type(closed), "__str__", lambda _self: altered)
    with pytest.raises(Unreadable, match="of its Refs"):
        reading.ref_places(closed)


# --- keys


def test_the_operations_on_keys_have_the_names_that_are_known():
    key = jax.random.key(0)
    assert reading.makes_of_keys(equation(jax.random.split, key)) == "split"
    assert reading.makes_of_keys(equation(lambda key: jax.random.fold_in(key, 1), key)) == "fold_in"
    assert reading.makes_of_keys(equation(jnp.sin, 1.0)) == ""
    seeds = equation(jax.jit(lambda seed: jax.random.key(seed)), 0)
    assert reading.makes_keys(seeds)
    assert not reading.makes_keys(equation(jax.jit(jnp.sin), 1.0))


@pytest.mark.parametrize(("draw", "name"), [
    (jax.random.normal, "normal"), (jax.random.uniform, "uniform"), (jax.jit(jnp.sin), ""),
])  # fmt: skip
def test_a_call_of_a_jitted_function_is_known_with_the_draw_that_it_is(draw, name):
    call = reading.called(equation(draw, 1.0 if name == "" else jax.random.key(0)))
    assert call.drawing == name
    assert len(call.jaxpr.eqns) > 0
    assert reading.called(equation(jnp.negative, 1.0)) is None


def test_a_call_of_another_shape_is_unreadable():
    shaped_otherwise = SimpleNamespace(primitive=SimpleNamespace(name="jit"), params={"program": None, "name": "f"})
    with pytest.raises(Unreadable, match="call of a jitted function"):
        reading.called(shaped_otherwise)


def test_an_operation_runs_by_itself():
    add = equation(lambda x, y: x + y, 1.0, 2.0)
    assert [float(each) for each in reading.run(add, [3.0, 4.0])] == [7.0]
    with pytest.raises(Unreadable, match="operation add"):
        reading.run(add, [jax.random.key(0), 1.0])


def test_the_branches_of_a_cond_are_programs_inside():
    branches = equation(lambda x: jax.lax.cond(x > 0, jnp.sin, jnp.cos, x), 1.0)
    found = jax.make_jaxpr(lambda x: jax.lax.cond(x > 0, jnp.sin, jnp.cos, x))(1.0).jaxpr.eqns[-1]
    assert len(reading.programs_inside(found)) == 2
    assert reading.programs_inside(branches) == []
