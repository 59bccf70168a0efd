"""The C loop of `c_loop.c`, compiled on the spot and called through ctypes."""

import ctypes
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

SOURCE = Path(__file__).with_name("c_loop.c")

_floats = np.ctypeslib.ndpointer(np.float32, ndim=1, flags="C_CONTIGUOUS")
_ARGUMENTS = [ctypes.c_longlong] * 2 + [_floats] * 2 + [ctypes.c_float] * 3 + [_floats] * 3


def compiler() -> str | None:
    """The C compiler of this machine: $CC, cc, gcc or clang, whichever is there first."""
    names = (os.environ.get("CC"), "cc", "gcc", "clang")
    return next((path for name in names if name and (path := shutil.which(name))), None)


@cache
def build(*flags: str) -> Callable | None:
    """`train` of `c_loop.c` compiled with `flags`, or None when nothing here can compile or load it."""
    cc = compiler()
    if cc is None:
        return None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        library = Path(folder, "c_loop.so")
        command = [cc, *flags, "-shared", "-fPIC", str(SOURCE), "-o", str(library)]
        try:
            subprocess.run(command, check=True, capture_output=True)
            train = ctypes.CDLL(str(library)).train
        except (OSError, subprocess.CalledProcessError):
            return None
    train.argtypes, train.restype = _ARGUMENTS, None
    return train
