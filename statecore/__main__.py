"""`python -m statecore`."""

import sys

from statecore.command import main

sys.exit(main())
