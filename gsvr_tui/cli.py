"""The command line: finds the command, calls it, turns what it says into an exit code. No logic of its own."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from gsvr_tui import __version__


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit code. `arguments` is None for those of the process."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if arguments in (["--version"], ["-V"]):
        # click alone takes longer than this whole answer
        print(f"gsvr-tui {__version__}")
        return 0
    from gsvr_tui.commands.guard import guarded
    from gsvr_tui.commands.root import root

    return guarded(lambda: root.main(arguments, prog_name="gsvr-tui", standalone_mode=False))


if __name__ == "__main__":
    sys.exit(main())
