"""Whose code is it: the caller's own, which is looked into, or that of a library, which is not?"""

import functools
import sys
import sysconfig
from typing import Any

_PATHS = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})

FRAMEWORKS = frozenset({"jax", "jaxlib", "numpy", "scipy", "flax", "equinox", "haiku", "optax"})
"""Libraries that are never looked into, wherever they are installed."""

_HOLDERS = frozenset({"types", "collections", "weakref", "argparse", "functools"})
"""Modules of the standard library whose objects hold what a caller put into them, and no more."""


def top(module: str) -> str:
    """The top-level package of a module."""
    return module.partition(".")[0]


@functools.cache
def _is_installed(package: str) -> bool:
    if package in FRAMEWORKS or package in sys.builtin_module_names:
        return True
    if package in sys.stdlib_module_names:
        return package != "__main__"
    file = getattr(sys.modules.get(package), "__file__", None)
    return file is not None and file.startswith(_PATHS)


def is_library(module: Any, own: str) -> bool:
    """Whether the module of that name belongs to a library; `own` is the package of the function that is checked."""
    package = top(str(module))
    return _is_installed(package) and (package != own or package in FRAMEWORKS or package in sys.stdlib_module_names)


def is_opaque(value: Any) -> bool:
    """Whether an object is one of JAX, NumPy or the standard library, whose inside is its own affair."""
    module = str(type(value).__module__)
    package = top(module)
    if package in ("jax", "jaxlib", "numpy"):
        return not hasattr(type(value), "defjvp") and not hasattr(type(value), "defvjp")
    return package in sys.stdlib_module_names and package not in _HOLDERS and package != "__main__"
