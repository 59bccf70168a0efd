"""Why did it compile again? `no_retrace` fails when it happens in a block, `explain` says why a second call would.

`watch` sees that a function is traced, `signature` what came in, `causes` what differs, `guard` has the two tools.
"""

from statecore.retrace.causes import Cause
from statecore.retrace.guard import CANNOT_SEE, Retraced, explain, no_retrace

__all__ = ["CANNOT_SEE", "Cause", "Retraced", "explain", "no_retrace"]
