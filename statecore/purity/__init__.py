"""What `jit`, `vmap` and `grad` assume of a function, and what happens when it is not so.

`entries` is the catalogue, `playing` makes its calls, `check` looks for
impurities in any function.
"""

from statecore.purity.checker import CANNOT_SEE, KINDS, Finding, Report, assert_pure, check

__all__ = ["CANNOT_SEE", "KINDS", "Finding", "Report", "assert_pure", "check"]
