"""The same network by hand and in three libraries.

The libraries are extras: this package imports without them, and each of its modules
needs its own. `load` gives the module, or says how to install what is missing.
"""

import importlib
import importlib.metadata
import importlib.util
from dataclasses import dataclass
from types import ModuleType


@dataclass(frozen=True)
class Library:
    """One way of building the network.

    Attributes:
      title: what a reader calls it.
      module: the module here that trains the network with it.
      package: what it is imported as.
      requirement: what pip installs; empty where nothing is needed.
      convention: how its BatchNorm keeps the running statistics.
    """

    title: str
    module: str
    package: str
    requirement: str
    convention: str

    @property
    def distribution(self) -> str:
        """The name that pip knows it by."""
        return self.requirement.partition(">")[0]


LIBRARIES = {
    "by_hand": Library(
        "By hand",
        "by_hand",
        "jax",
        "",
        "The mean starts at 0 and the variance at 1; evaluation uses them as they are.",
    ),
    "flax": Library(
        "Flax NNX",
        "flax_nnx",
        "flax",
        "flax>=0.12.8,<0.13",
        "The mean starts at 0 and the variance at 1; evaluation uses them as they are.",
    ),
    "equinox": Library(
        "Equinox",
        "equinox_",
        "equinox",
        "equinox>=0.13.8,<0.14",
        'With mode="batch" the mean starts at 0 and the variance at 1, with a counter; evaluation divides both by '
        "1 - decay ** steps (decay is the share of the past kept). That makes a variance that started at 1 too large: "
        "early test losses differ.",
    ),
    "haiku": Library(
        "Haiku",
        "haiku_",
        "haiku",
        "dm-haiku>=0.0.17,<0.1",
        "Both start at 0 with a counter; beside the sums it keeps their averages, "
        "divided by 1 - decay ** steps, for evaluation.",
    ),
}


class MissingLibrary(ImportError):
    """The library is not installed; the message says how to install it."""


def installed(name: str) -> bool:
    """True when the library can be imported. Imports nothing. Raises KeyError for a name not in LIBRARIES."""
    return importlib.util.find_spec(LIBRARIES[name].package) is not None


def version(name: str) -> str:
    """The installed version. Raises MissingLibrary when there is none."""
    library = LIBRARIES[name]
    if not installed(name):
        raise MissingLibrary(hint(name))
    return importlib.metadata.version(library.distribution or library.package)


def hint(name: str) -> str:
    """How to install the library."""
    library = LIBRARIES[name]
    return f'{library.title} is not installed. Install it with: pip install "{library.requirement}"'


def load(name: str) -> ModuleType:
    """The module that trains with this library. Raises MissingLibrary when it is not installed."""
    if not installed(name):
        raise MissingLibrary(hint(name))
    return importlib.import_module(f"{__name__}.{LIBRARIES[name].module}")
