"""`python -m gsvr_tui`: the same as the command `gsvr-tui`."""

import sys

from gsvr_tui.cli import main

if __name__ == "__main__":
    sys.exit(main())
