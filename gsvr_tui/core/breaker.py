"""A breaker over something shared by all jobs: a model (overload) or the network.

Closed: all may go. Tripped: nobody until `open_until`. Then half-open: one request goes to see; its success closes the
breaker, its failure doubles the wait. Changing accounts does not help against an overloaded model, so there is one
breaker per model over all projects.
"""

from __future__ import annotations

import math

FIRST_WAIT_S = 15.0
LONGEST_WAIT_S = 60.0
"""One look a minute is gentle, and the end of an overload is not missed for long."""
GIVE_WAY_S = 900.0
"""A model that was down for this long gives way to its fallback."""


class Breaker:
    """Times are monotonic seconds."""

    __slots__ = ("_first_s", "_longest_s", "_since", "_wait_s", "open_until", "probe", "reason", "successes")

    def __init__(self, first_s: float = FIRST_WAIT_S, longest_s: float = LONGEST_WAIT_S) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._wait_s = 0.0
        self._since = math.inf
        self.open_until = -math.inf
        self.probe: str | None = None  # the job that was let through half-open
        self.reason = ""
        self.successes = 0

    @property
    def closed(self) -> bool:
        """True when nothing is wrong."""
        return self._wait_s == 0.0

    def trip(self, mono: float, jitter: float, reason: str) -> None:
        """A failure. Failures of requests that were in flight when it tripped do not count again.

        `jitter` in [0, 1) stretches the wait by up to a fifth.
        """
        self.probe = None
        self.reason = reason
        if mono < self.open_until:
            return
        self._since = min(self._since, mono)
        self._wait_s = min(self._longest_s, self._wait_s * 2 if self._wait_s else self._first_s)
        self.open_until = mono + self._wait_s * (1 + jitter / 5)

    def succeed(self) -> None:
        """A request went through: closed again."""
        self.successes += 1
        self._wait_s, self._since, self.open_until = 0.0, math.inf, -math.inf
        self.probe, self.reason = None, ""

    def earliest(self, mono: float) -> float:
        """When a request may go; `inf` while a half-open probe is out."""
        if self.closed:
            return mono
        if mono < self.open_until:
            return self.open_until
        return mono if self.probe is None else math.inf

    def start(self, key: str) -> None:
        """A request goes; if the breaker is half-open it is the probe."""
        if not self.closed and self.probe is None:
            self.probe = key

    def forget(self, key: str) -> None:
        """The probe ended without saying anything about what the breaker guards."""
        if self.probe == key:
            self.probe = None

    def gave_way(self, mono: float) -> bool:
        """True when it has been failing for so long that a fallback should be used.

        Not while one may go to see: else nobody would find out that it works again.
        """
        return not self.closed and mono - self._since >= GIVE_WAY_S and self.earliest(mono) > mono
