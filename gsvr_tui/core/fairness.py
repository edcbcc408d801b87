"""Whose turn it is: strict classes with ageing, inside a class fair between batches, inside a batch in order."""

from __future__ import annotations

from gsvr_tui.core.ids import created_at
from gsvr_tui.core.models import Priority

AGEING_S = 6 * 3600.0
"""A job that waits rises one class in so many seconds."""

Rank = tuple[int, float, str]


class FairShare:
    """Stride scheduling: every batch has a pass that grows with each request it gets; the smallest goes first."""

    def __init__(self) -> None:
        self._passes: dict[str, float] = {}

    def join(self, batch: str) -> None:
        """A batch takes part from now on; it gets no credit for the time before."""
        if batch not in self._passes:
            self._passes[batch] = min(self._passes.values(), default=0.0)

    def leave(self, batch: str) -> None:
        """A batch has nothing left to do."""
        self._passes.pop(batch, None)

    def charge(self, batch: str) -> None:
        """A batch got a request."""
        self._passes[batch] = self._passes.get(batch, 0.0) + 1.0

    def rank(self, batch: str, priority: Priority, job: str, wall: float) -> Rank:
        """Smaller goes first. `job` is the oldest of its batch and class; its id says since when it waits."""
        risen = max(0, int((wall - created_at(job)) / AGEING_S))
        return -min(int(Priority.HIGH), int(priority) + risen), self._passes.get(batch, 0.0), job
