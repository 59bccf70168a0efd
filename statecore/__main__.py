"""`python -m statecore`."""

import sys

from statecore.command import main

if __name__ == "__main__":
    sys.exit(main())
