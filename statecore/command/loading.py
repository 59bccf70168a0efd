"""A file that somebody wrote, run in a namespace of its own; what it raises is shown as Python shows it."""

import importlib.util
import sys
import traceback
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from statecore.printing import Printer

_OURS = str(Path(__file__).parents[1])


class Failed(Exception):
    """The file or an expression could not be run; the message is what Python says of it."""


@contextmanager
def opened(file: str) -> Iterator[None]:
    """Let the file import what stands beside it; afterwards everything is as it was."""
    path = Path(file)
    if not path.is_file():
        raise Failed(f"statecore: there is no file {file}")
    before = sys.path[:], sys.modules.get(path.stem)
    sys.path.insert(0, str(path.resolve().parent))
    try:
        yield
    finally:
        sys.path[:], module = before
        sys.modules.pop(path.stem, None)
        if module is not None:
            sys.modules[path.stem] = module


def namespace(file: str, write: Callable[..., None] | None = None) -> types.ModuleType:
    """Run the file afresh. Nothing is shared with another run of it; its `print` is `write`, or keeps the lines."""
    path = Path(file).resolve()
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise Failed(f"statecore: {file} is no Python file")
    module = importlib.util.module_from_spec(spec)
    module.__dict__["print"] = write or Printer()
    sys.modules[path.stem] = module  # a dataclass looks its module up
    try:
        spec.loader.exec_module(module)
    except SystemExit as left:  # its code would be taken for the answer of a check
        raise Failed(f"statecore: {file} left with sys.exit({left.code!r})") from None
    except Exception as error:
        raise Failed(told(error)) from None
    return module


def evaluated(expression: str, module: types.ModuleType) -> Any:
    """The value of an expression that sees what the file defines, and `jax`, `jnp` and `np` where it does not."""
    try:
        return eval(compile(expression, "<string>", "eval"), names_of(module))
    except Exception as error:
        raise Failed(f"In {expression!r}:\n{told(error)}") from None


def names_of(module: types.ModuleType) -> dict[str, Any]:
    """The globals of the file, with the usual names added."""
    import jax
    import jax.numpy as jnp
    import numpy as np

    for name, value in {"jax": jax, "jnp": jnp, "np": np}.items():
        module.__dict__.setdefault(name, value)
    return module.__dict__


def told(error: BaseException) -> str:
    """An exception as Python tells it, from the first frame that is not ours."""
    told = traceback.TracebackException.from_exception(error)
    frames = list(told.stack)
    theirs = [k for k, frame in enumerate(frames) if not frame.filename.startswith((_OURS, "<frozen", "<string>"))]
    told.stack = traceback.StackSummary.from_list(frames[theirs[0] :] if theirs else [])
    return "".join(told.format()).rstrip()
