"""The command `statecore`: point it at a class that "does nothing", and read why."""

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence
from importlib import metadata

EXAMPLE = """\
example:
  statecore record counter.py 'Counter().count'
  statecore record layer.py 'Layer().apply' 'jnp.ones((8, 4))' --calls 5
  statecore check counter.py 'jax.jit(Counter().count)'

EXPRESSION gives what is called; each ARGUMENT is an expression too, and is evaluated
again for every call. All of them see what the file defines.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Returns 0, or 1 when a check finds something, 2 when it could not be done, and 130 when interrupted.
    """
    options = _parser().parse_args(arguments)
    with contextlib.suppress(AttributeError, ValueError):  # a stream of the caller's
        sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    # JAX is imported here, so that --help answers at once
    from statecore.command import checking, loading, recording

    run = recording.run if options.command == "record" else checking.run
    try:
        with loading.opened(options.file):
            code = run(options)
            sys.stdout.flush()
            return code
    except loading.Failed as failed:
        print(failed, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # whoever read the output has gone; nothing more can be written, not even at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="statecore",
        description="See what jit does with a function or a method that keeps state.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"statecore {_version()}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="record | check")
    record = commands.add_parser(
        "record", help="call it plain, jitted and made pure, and show the calls side by side", epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    check = commands.add_parser("check", help="say what is impure about it; exits 1 when something is")
    for command in (record, check):
        command.add_argument("file", metavar="FILE.py", help="the file that defines it")
        command.add_argument("expression", metavar="EXPRESSION", help="what is called, such as 'Counter().count'")
        command.add_argument("arguments", metavar="ARGUMENT", nargs="*", help="what it is called with")
    record.add_argument("--calls", type=_calls, default=3, metavar="N", help="how many calls to make (3)")
    record.add_argument("--json", action="store_true", help="print the recording as JSON, and nothing else")
    return parser


def _calls(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 100:
        raise argparse.ArgumentTypeError(f"it makes 1 to 100 calls, not {number}")
    return number


def _version() -> str:
    try:
        return metadata.version("statecore")
    except metadata.PackageNotFoundError:
        return "(not installed)"
