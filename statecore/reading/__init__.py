"""What JAX prints and how its objects are shaped: the one place that knows.

Everything here rests on an assumption about JAX that no documentation promises. Each one
is checked when it is used, and `Unreadable` says which one failed; each has a canary in the
tests. `jaxprs` reads programs, `wrappers` what `jit` returned, `traces` what happens while
`jit` traces, and `lowered` what becomes of a program on its way to the compiler.
"""

from statecore.reading.unreadable import Unreadable

__all__ = ["Unreadable"]
