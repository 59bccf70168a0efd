"""A description of a caller's world that is made without the checker, to be compared before and after."""

import functools
import itertools
import logging
import operator
import random
import types

import jax
import numpy as np

LRU = type(functools.lru_cache(lambda: None))
JITTED = type(jax.jit(lambda: None))


def described(*roots):
    """Everything reachable from the roots, as plain data; and the hidden generators of Python and NumPy."""
    seen = {}
    kind, keys, *rest = np.random.get_state()
    return [_one(root, seen) for root in roots], random.getstate(), (kind, keys.tolist(), *rest)


def _one(value, seen):
    if isinstance(value, jax.core.Tracer):
        return "a tracer"
    if value is None or isinstance(value, bool | int | float | complex | str | bytes):
        return (type(value).__name__, repr(value))
    if id(value) in seen:
        return ("met", seen[id(value)][0])
    seen[id(value)] = (len(seen), value)
    return (type(value).__name__, id(value), _inside(value, seen))


def _inside(value, seen):
    if isinstance(value, jax.Array):
        key = jax.dtypes.issubdtype(value.dtype, jax.dtypes.prng_key)
        return "given up" if value.is_deleted() else np.asarray(jax.random.key_data(value) if key else value).tobytes()
    if isinstance(value, np.ndarray):
        return value.tobytes()
    if isinstance(value, np.random.Generator):
        return repr(value.bit_generator.state)
    if isinstance(value, random.Random):
        return value.getstate()
    if isinstance(value, JITTED):
        # what a library compiles for itself, such as jnp.tanh, is not the caller's
        own = str(value.__wrapped__.__module__).startswith(("tests", "statecore"))
        return (value._cache_size() if own else 0, _one(value.__wrapped__, seen))
    if isinstance(value, LRU):
        return (value.cache_info(), _one(value.__wrapped__, seen))
    if isinstance(value, types.GeneratorType):
        return value.gi_frame.f_lasti
    if isinstance(value, itertools.count):
        return repr(value)
    if isinstance(value, type(iter([]))):
        return operator.length_hint(value)
    if isinstance(value, types.FunctionType):
        return _function(value, seen)
    if isinstance(value, types.ModuleType | logging.Logger):  # a logger remembers its level
        return None
    if isinstance(value, dict):
        return [(_one(key, seen), _one(part, seen)) for key, part in value.items()]
    if isinstance(value, set | frozenset):
        return sorted(map(repr, value))
    if isinstance(value, list | tuple) or type(value).__name__ == "deque":
        return [_one(part, seen) for part in value]
    return _object(value, seen)


def _function(function, seen):
    captured = []
    for cell in function.__closure__ or ():
        try:
            captured.append(_one(cell.cell_contents, seen))
        except ValueError:
            captured.append("empty")
    named = {name: function.__globals__.get(name) for name in function.__code__.co_names}
    own = function.__module__.startswith(("tests", "statecore"))
    return (
        captured,
        _one(function.__dict__, seen),
        _one(function.__defaults__, seen),
        [(name, _one(value, seen)) for name, value in named.items()] if own else None,
    )


def _object(value, seen):
    if isinstance(value, type):
        own = value.__module__.startswith(("tests", "statecore"))
        return (
            [(name, _one(part, seen)) for name, part in vars(value).items() if not name.startswith("__")] if own else 0
        )
    if isinstance(value, functools.partial):
        return [_one(part, seen) for part in (value.func, value.args, value.keywords)]
    if isinstance(value, types.MethodType):
        return [_one(value.__func__, seen), _one(value.__self__, seen)]
    held = dict(getattr(value, "__dict__", {}))
    for base in type(value).__mro__:
        for name, slot in vars(base).items():
            if isinstance(slot, types.MemberDescriptorType) and "__slots__" in vars(base):
                held[name] = getattr(value, name, "empty")
    return [(name, _one(part, seen)) for name, part in held.items()] + [_one(type(value), seen)]
