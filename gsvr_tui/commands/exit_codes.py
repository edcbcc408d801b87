"""What the exit codes mean; the README lists them."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of every command."""

    DONE = 0
    SOME_FAILED = 1  # failed, partial, cancelled or left out
    USAGE = 2  # a mistake in the call, the config or the accounts: nothing can be done until it is put right
    STOPPED = 3  # by budget or quota; what is left goes on with `resume`
    FAULT = 70  # a fault of the program's own
    INTERRUPTED = 130  # by a signal; what is left goes on with `resume`
