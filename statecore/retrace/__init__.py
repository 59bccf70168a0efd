"""Why did it compile again? Traces are watched as they happen, and the argument that changed is named.

`signature` is what a call gives JAX to look up, `causes` how two of them differ, and
`watching` has `no_retrace` for a block of code or a test and `explain` for two calls.
"""

from statecore.retrace.causes import KINDS, Cause
from statecore.retrace.watching import CANNOT_SEE, Retraced, explain, no_retrace

__all__ = ["CANNOT_SEE", "KINDS", "Cause", "Retraced", "explain", "no_retrace"]
