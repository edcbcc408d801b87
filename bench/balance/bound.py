"""The lower bound: the least time in which anybody could do the jobs of a scene.

For every project the earliest possible moments of sending are laid out (as many at once as the minute allows, again
when they have left the window, none while the service is overloaded, none beyond the day), those of all projects are
merged, and the n-th of them plus the shortest service time is the bound. Where tokens are limited, the same is asked of
the sum of tokens, which can flow in any pieces; the larger of the two holds. Nothing is taken off for transfers or for
work of one's own, so that nobody can beat it by honest means.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gsvr_tui.core.pacific import next_midnight, pacific_day

MINUTE_S = 60.0


@dataclass(frozen=True, slots=True)
class Supply:
    """What a project gives. Times are seconds after the start. None: no limit.

    `changes` are (from when on, requests a minute); `ends_at`: nothing is accepted from then on; `taken` requests a
    minute belong to somebody else.
    """

    rpm: int | None = None
    tpm: int | None = None
    rpd: int | None = None
    changes: tuple[tuple[float, int], ...] = ()
    ends_at: float = math.inf
    taken: float = 0.0

    def rate(self, at: float) -> float:
        """Requests a minute that are ours at a moment."""
        rate: float = math.inf if self.rpm is None else self.rpm
        for since, rpm in self.changes:
            if at >= since:
                rate = rpm
        return rate - self.taken


def send_times(supply: Supply, start_wall: float, closed: tuple[float, float] | None, most: int) -> Iterator[float]:
    """The earliest moments at which a project takes requests, at most `most` of them.

    A share of a request that somebody else's traffic leaves over is kept for the next minute.
    """
    window: deque[float] = deque()
    days: dict[str, int] = {}
    at, owed = 0.0, 0.0
    for _ in range(most):
        while True:
            if closed is not None and closed[0] <= at < closed[1]:
                at = closed[1]
            day = pacific_day(start_wall + at)
            if supply.rpd is not None and days.get(day, 0) >= supply.rpd:
                at = next_midnight(start_wall + at) - start_wall
                continue
            while window and window[0] <= at - MINUTE_S:
                window.popleft()
            rate = supply.rate(at)
            if len(window) + 1 <= rate + owed:
                break
            if not window:
                return
            owed = (owed + rate % 1.0) % 1.0 if math.isfinite(rate) else 0.0
            at = window[0] + MINUTE_S
        if at >= supply.ends_at:
            return
        window.append(at)
        days[day] = days.get(day, 0) + 1
        yield at


def by_requests(
    supplies: Sequence[Supply], jobs: int, start_wall: float, closed: tuple[float, float] | None = None
) -> float:
    """When the last of `jobs` requests can be sent at the earliest; infinity if never."""
    if jobs <= 0:
        return 0.0
    if any(s.rpm is None and s.rpd is None and not s.changes and s.ends_at > 0 for s in supplies):
        return closed[1] if closed is not None and closed[0] <= 0 else 0.0
    merged = heapq.merge(*(send_times(supply, start_wall, closed, jobs) for supply in supplies))
    for count, at in enumerate(merged, start=1):
        if count == jobs:
            return at
    return math.inf


def by_tokens(supplies: Sequence[Supply], tokens: int) -> float:
    """When the last of so many input tokens can be sent at the earliest."""
    if any(supply.tpm is None for supply in supplies):
        return 0.0
    a_minute = sum(supply.tpm or 0 for supply in supplies)
    return MINUTE_S * (math.ceil(tokens / a_minute) - 1) if a_minute and tokens else 0.0


def lower_bound(
    supplies: Sequence[Supply],
    tokens: Sequence[int],
    service_s: float,
    start_wall: float,
    closed: tuple[float, float] | None = None,
) -> float:
    """Seconds in which jobs of these input tokens can be done at the earliest, each in one request."""
    requests = by_requests(supplies, len(tokens), start_wall, closed)
    return max(requests, by_tokens(supplies, sum(tokens))) + service_s


def service_share(bound_s: float, measured_s: float) -> float:
    """Bound over measured; 0 where nothing was measured."""
    return bound_s / measured_s if measured_s > 0 else 0.0
