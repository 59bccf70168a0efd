"""What programs did, recorded: plain immutable data that is kept, sent, compared and gone on from.

`data` is what a recording holds, `values` how a value becomes plain, `recorder` makes the
calls, and `notation` writes recordings as JSON.
"""

from statecore.recording.data import Code, Moment, Recording, Track, first_difference
from statecore.recording.notation import NotARecording, dumps, loads
from statecore.recording.recorder import Recorder, record, until

__all__ = [
    "Code",
    "Moment",
    "NotARecording",
    "Recorder",
    "Recording",
    "Track",
    "dumps",
    "first_difference",
    "loads",
    "record",
    "until",
]
