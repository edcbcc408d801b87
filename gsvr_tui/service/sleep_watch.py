"""Notices that the computer slept, or that somebody set its clock: the two clocks then stop going side by side.

Most systems stop the monotonic clock while they sleep. Spans in flight are then longer than they seem, connections are
dead without anybody knowing, and what was to happen "in five hours" may be due now.
"""

from __future__ import annotations

from gsvr_tui.core.models import Now

JUMP_S = 30.0
LOOK_S = 30.0
"""So often the clocks are compared while there is something to wait for (real time)."""


class SleepWatch:
    """Compares the clocks from look to look."""

    def __init__(self) -> None:
        self._last: tuple[Now, float] | None = None

    def jumped(self, now: Now, correction: float) -> float:
        """By how many seconds the wall clock ran ahead of the monotonic one (below 0: it was set back); else 0.

        `correction` is what the service's own time adds to the wall clock: its changes are no jump.
        """
        last, self._last = self._last, (now, correction)
        if last is None:
            return 0.0
        before, corrected = last
        ahead = (now.wall - correction - before.wall + corrected) - (now.mono - before.mono)
        return ahead if abs(ahead) > JUMP_S else 0.0
