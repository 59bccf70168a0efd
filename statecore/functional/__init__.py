"""State in, state out: any method that writes to self, made pure by one function.

`making` is the function itself, `state` the dataclass that it hands out, `attributes`
what of an object is state. The rest are checks: `bound` and `foreign` say what cannot
be taken at all, `uses` reads the source for `typetests` and `precision`, `reach`,
`watch` and `shared` compare before and after, `blame` finds the attribute behind an
error, and `verifying` runs both and compares.
"""

from statecore.functional.making import functionalize, unguarded
from statecore.functional.refusing import CannotFunctionalize, NotTheSame

__all__ = ["CannotFunctionalize", "NotTheSame", "functionalize", "unguarded"]
