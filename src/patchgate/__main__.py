"""``python -m patchgate``: the same program as the ``patchgate`` command."""

import sys

from patchgate.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
