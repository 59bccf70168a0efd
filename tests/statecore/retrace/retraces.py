"""Running something in the block."""

import pytest

from statecore.retrace import Retraced, no_retrace


def retraced(step, run, **options):
    """The failure that the block gives when `run` runs in it."""
    with pytest.raises(Retraced) as caught:
        guarded(step, run, **options)
    return caught.value


def guarded(step, run, **options):
    with no_retrace(step, **options):
        run()
