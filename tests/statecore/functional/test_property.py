"""Classes drawn at random: the pure function gives what Python gives, or is refused. Never anything else."""

import linecache
import zlib

import jax
import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from statecore.functional import CannotFunctionalize, functionalize

STARTS = {
    "i": ["0", "1", "3"], "f": ["0.5", "2.0"], "b": ["True", "False"], "j": ["jnp.zeros(2)", "jnp.ones(2)"],
    "a": ["np.zeros(2, np.float32)", "np.arange(2)", "np.zeros(2)"], "l": ["[0, 1]", "[0.5, jnp.ones(2)]"],
    "d": ["{'u': 0, 'v': {'w': 1.5}}", "{'u': jnp.zeros(2), 'v': {'w': 1}}"],
    "s": ["'text'", "None"], "o": ["Other()", "[Other()]"],
}  # fmt: skip
"""First values of the attributes, by name."""

PLAIN = (
    "self.i += 1", "self.f = self.f * 0.5 + 1", "self.b = jnp.logical_not(self.b)", "self.j = self.j * 2 + x",
    "self.j = self.j.at[0].set(x)", "self.a = self.a + 1", "self.l[0] += 1", "self.l[1] = self.l[1] * 2",
    "self.l = [self.l[0], self.l[0] + 1]", "self.d['u'] = self.d['u'] + x", "self.d['v']['w'] *= 2",
    "self.i, self.f = self.i + 2, self.f + 1", "v = self.d['v']\nv['w'] = v['w'] + 1", "self._helper(x)",
    "self.f = jnp.where(self.b, self.f, -self.f)", "self.f = self.f + self.i", "self.j = self.j + self.a",
    "l = self.l\nl[0] = l[0] + 1",
)  # fmt: skip
SUSPICIOUS = (
    "self.a[0] = 5", "self.a += 1", "a = self.a\na += 1", "self.a.sort()", "self.a = self.a * 0.5", "self.l.append(1)",
    "self.l, self.d['u'] = self.d['u'], self.l", "self.d['new'] = 1", "self.new = 1", "self.s = 'other'", "self.s = 1",
    "if self.b: self.i += 1", "for _ in range(self.i): self.f += 1", "self.f = self.f + jnp.zeros(self.i).sum()",
    "self.j = self.j[: self.i].sum() + self.j", "self.f = self.f if isinstance(self.f, float) else self.f * 0",
    "self.i = self.i if type(self.i) is int else self.i * 0", "x = 1 if self.i is THREE else 2\nself.f += x",
    "self.f += NAMES.get(f'{self.i}', 9)", "self.other().n += 1", "Made.shared = self.i", "self.kept = self.l",
    "self.l = self.d", "self.a = self.j", "self.j = self.a", "given['x'] = 1", "del self.f",
    "setattr(self, 'f', self.i)", "vars(self)['i'] = self.i + 1", "self.f = self.f + int(self.i)",
    "self.f += len(self.l)",
    "self.i = {0: 1, 1: 2, 3: 4}[self.i]", "self.f = self.f + np.float32(self.i)", "rows = self.a[0:1]\nrows += 1",
    "self.f = max(self.f, self.i)", "self.b = not self.b", "self.i = hash(self.i)", "self.s = self.s or 'x'",
)  # fmt: skip
RETURNS = ("self.i", "self.f * 2", "self.j + x", "self.l", "(self.i, self.d)", "jnp.sum(self.j) + self.f", "self.a")

HEADER = """\
import jax.numpy as jnp
import numpy as np

THREE = int("3")
NAMES = {"0": 0, "1": 1, "3": 3}

class Other:
    __slots__ = ("n",)
    def __init__(self):
        self.n = 0

"""


def made(starts, statements, returned):
    """A class with these attributes and a method with these statements, whose source can be read."""
    body = [line for statement in statements for line in statement.split("\n")]
    lines = [
        "class Made:", "    def __init__(self):", *(f"        self.{name} = {value}" for name, value in starts.items()),
        "    def other(self):", "        return self.o[0] if isinstance(self.o, list) else self.o",
        "    def _helper(self, by):", "        self.i += 1", "        self.f = self.f + by",
        "    def step(self, x, given):", *(f"        {line}" for line in body), f"        return {returned}",
    ]  # fmt: skip
    source = HEADER + "\n".join(lines) + "\n"
    file = f"<made {zlib.crc32(source.encode())}>"
    linecache.cache[file] = (len(source), None, source.splitlines(True), file)
    space = {"__name__": "made"}
    exec(compile(source, file, "exec"), space)
    return space["Made"], source


@st.composite
def classes(draw):
    starts = {name: draw(st.sampled_from(values)) for name, values in STARTS.items()}
    plain = draw(st.lists(st.sampled_from(PLAIN), max_size=3))
    suspicious = draw(st.lists(st.sampled_from(SUSPICIOUS), max_size=1))
    return starts, draw(st.permutations([*plain, *suspicious])), draw(st.sampled_from(RETURNS))


def numbers(tree):
    return [np.asarray(leaf, np.float64) for leaf in jax.tree.leaves(tree)]


def in_python(cls, calls=3):
    """Outputs and attributes call after call; None where the class does not run in Python either."""
    method, seen = cls().step, []
    try:
        for _ in range(calls):
            seen.append((numbers(method(0.5, {})), dict(vars(method.__self__))))
            seen[-1] = (seen[-1][0], {name: numbers(value) for name, value in seen[-1][1].items() if name not in "so"})
    except Exception:
        return None
    return seen


def made_pure(cls, calls=3):
    pure, state = functionalize(cls().step)
    step, seen = jax.jit(pure), []
    for _ in range(calls):
        output, state = step(state, 0.5, {})
        seen.append((numbers(output), {name: numbers(getattr(state, name)) for name in state.__dataclass_fields__}))
    return seen


tried = {"equal": 0, "refused": 0, "impossible": 0}


@settings(
    max_examples=120, phases=[Phase.explicit, Phase.generate], deadline=None, derandomize=True,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
@given(classes())
def test_a_class_drawn_at_random_is_equal_or_refused(drawn):
    cls, source = made(*drawn)
    wanted = in_python(cls)
    if wanted is None:
        tried["impossible"] += 1
        return
    cls, _ = made(*drawn)  # the first may have been written into
    try:
        got = made_pure(cls)
    except CannotFunctionalize:
        tried["refused"] += 1
        return
    tried["equal"] += 1
    for (output, state), (expected, attributes) in zip(got, wanted, strict=True):
        pairs = [(output, expected), *((state[name], attributes[name]) for name in state if name in attributes)]
        for ours, theirs in pairs:
            assert len(ours) == len(theirs), source
            for one, other in zip(ours, theirs, strict=True):
                np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5, err_msg=source)


def test_enough_of_them_were_of_each_kind():
    assert tried["equal"] >= 30
    assert tried["refused"] >= 30
