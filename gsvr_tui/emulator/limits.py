"""Rate limiters of one project and model: requests and input tokens per minute, requests and tokens per day.

Google does not publish which kind of limiter it runs, so there are three; a client that is right must pass them all.
Pure: the time is an argument (emulator Unix seconds).
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Protocol

from gsvr_tui.core.pacific import next_midnight, pacific_day
from gsvr_tui.emulator.scenario import LimiterKind, Limits

WINDOW_S = 60.0


class Meter(Protocol):
    """Counts one dimension against its limit."""

    limit: int

    def wait(self, now: float, amount: int) -> float:
        """Seconds until `amount` more fits; 0 when it fits now, infinity when it never will."""
        ...

    def take(self, now: float, amount: int) -> None:
        """Count `amount`, whether it fits or not."""
        ...

    def give_back(self, now: float, amount: int) -> None:
        """Undo a `take` of the same amount."""
        ...

    def used(self, now: float) -> float:
        """What counts against the limit now."""
        ...


class SlidingMeter:
    """At most `limit` in any stretch of `WINDOW_S`."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._log: deque[tuple[float, int]] = deque()
        self._sum = 0

    def _trim(self, now: float) -> None:
        while self._log and self._log[0][0] <= now - WINDOW_S:
            self._sum -= self._log.popleft()[1]

    def wait(self, now: float, amount: int) -> float:
        """Seconds until enough of the window has passed."""
        self._trim(now)
        if amount > self.limit:
            return math.inf
        over = self._sum + amount - self.limit
        if over <= 0:
            return 0.0
        for at, taken in self._log:
            over -= taken
            if over <= 0:
                return at + WINDOW_S - now
        return WINDOW_S

    def take(self, now: float, amount: int) -> None:
        """Count it at `now`."""
        self._log.append((now, amount))
        self._sum += amount

    def give_back(self, now: float, amount: int) -> None:
        """Forget the latest entry of that amount."""
        for index in range(len(self._log) - 1, -1, -1):
            if self._log[index][1] == amount:
                del self._log[index]
                self._sum -= amount
                return

    def used(self, now: float) -> float:
        """Taken in the last window."""
        self._trim(now)
        return self._sum


class FixedMeter:
    """At most `limit` per calendar minute."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._window = -1
        self._sum = 0

    def _turn(self, now: float) -> None:
        window = int(now // WINDOW_S)
        if window != self._window:
            self._window, self._sum = window, 0

    def wait(self, now: float, amount: int) -> float:
        """Seconds until the next minute starts, if this one is full."""
        self._turn(now)
        if amount > self.limit:
            return math.inf
        return 0.0 if self._sum + amount <= self.limit else (self._window + 1) * WINDOW_S - now

    def take(self, now: float, amount: int) -> None:
        """Count it in this minute."""
        self._turn(now)
        self._sum += amount

    def give_back(self, now: float, amount: int) -> None:
        """Undo, if the minute is still the same."""
        self._turn(now)
        self._sum = max(0, self._sum - amount)

    def used(self, now: float) -> float:
        """Taken in this minute."""
        self._turn(now)
        return self._sum


class BucketMeter:
    """A token bucket of `capacity` refilled at `limit` a minute."""

    def __init__(self, limit: int, capacity: int | None = None) -> None:
        self.limit = limit
        self.capacity = limit if capacity is None else capacity
        self._level = float(self.capacity)
        self._at: float | None = None

    def _refill(self, now: float) -> None:
        if self._at is not None and now > self._at:
            self._level = min(self.capacity, self._level + (now - self._at) * self.limit / WINDOW_S)
        self._at = now if self._at is None else max(now, self._at)

    def wait(self, now: float, amount: int) -> float:
        """Seconds until the bucket holds enough."""
        self._refill(now)
        if amount > self.capacity or self.limit <= 0:
            return math.inf
        missing = amount - self._level
        return 0.0 if missing <= 1e-9 else missing * WINDOW_S / self.limit

    def take(self, now: float, amount: int) -> None:
        """Empty it by that much; never below one capacity of debt."""
        self._refill(now)
        self._level = max(-float(self.capacity), self._level - amount)

    def give_back(self, now: float, amount: int) -> None:
        """Fill it by that much."""
        self._refill(now)
        self._level = min(self.capacity, self._level + amount)

    def used(self, now: float) -> float:
        """What is missing from a full bucket."""
        self._refill(now)
        return self.capacity - self._level


class DayMeter:
    """At most `limit` per Pacific calendar day."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._day = ""
        self._sum = 0

    def _turn(self, now: float) -> None:
        day = pacific_day(now)
        if day != self._day:
            self._day, self._sum = day, 0

    def wait(self, now: float, amount: int) -> float:
        """Seconds until midnight Pacific, if the day is used up."""
        self._turn(now)
        if amount > self.limit:
            return math.inf
        return 0.0 if self._sum + amount <= self.limit else next_midnight(now) - now

    def take(self, now: float, amount: int) -> None:
        """Count it today."""
        self._turn(now)
        self._sum += amount

    def give_back(self, now: float, amount: int) -> None:
        """Undo, if it is still the same day."""
        self._turn(now)
        self._sum = max(0, self._sum - amount)

    def used(self, now: float) -> float:
        """Taken today."""
        self._turn(now)
        return self._sum


@dataclass(frozen=True, slots=True)
class Breach:
    """One dimension without room: which, its limit, and when there will be room (infinity: never)."""

    dimension: str  # rpm, tpm, rpd, tpd
    limit: int
    wait_s: float

    @property
    def per_day(self) -> bool:
        """True for the daily dimensions."""
        return self.dimension in ("rpd", "tpd")


def _minute_meter(kind: LimiterKind, limit: int, capacity: int | None) -> Meter:
    if kind is LimiterKind.FIXED:
        return FixedMeter(limit)
    if kind is LimiterKind.BUCKET:
        return BucketMeter(limit, capacity)
    return SlidingMeter(limit)


@dataclass(slots=True)
class QuotaBook:
    """The meters of one project and model."""

    limits: Limits
    kind: LimiterKind = LimiterKind.SLIDING
    bucket_capacity: int | None = None  # requests; None: the whole rpm
    count_rejected: bool = False
    other_traffic_rpm: float = 0.0  # requests of another program on the same project, evenly spread
    meters: dict[str, Meter] = field(default_factory=dict)
    _other_at: float | None = None

    def __post_init__(self) -> None:
        self._build()

    def _build(self) -> None:
        if self.limits.rpm is not None:
            self.meters["rpm"] = _minute_meter(self.kind, self.limits.rpm, self.bucket_capacity)
        if self.limits.tpm is not None:
            self.meters["tpm"] = _minute_meter(self.kind, self.limits.tpm, None)
        if self.limits.rpd is not None:
            self.meters["rpd"] = DayMeter(self.limits.rpd)
        if self.limits.tpd is not None:
            self.meters["tpd"] = DayMeter(self.limits.tpd)

    def change(self, limits: Limits, now: float) -> None:
        """Put other limits in force; what was used stays used."""
        before = {name: meter.used(now) for name, meter in self.meters.items()}
        self.limits = limits
        kept = self.meters
        self.meters = {}
        self._build()
        for name, meter in self.meters.items():
            if isinstance(old := kept.get(name), SlidingMeter | FixedMeter | DayMeter):
                old.limit = meter.limit
                self.meters[name] = old
            elif used := int(before.get(name, 0)):
                meter.take(now, used)

    @staticmethod
    def _amount(dimension: str, tokens: int) -> int:
        return tokens if dimension in ("tpm", "tpd") else 1

    def _count_others(self, now: float) -> None:
        if self.other_traffic_rpm <= 0 or "rpm" not in self.meters:
            return
        step = WINDOW_S / self.other_traffic_rpm
        at = now - WINDOW_S if self._other_at is None else self._other_at
        at = max(at, now - 2 * WINDOW_S)
        while at + step <= now:
            at += step
            if self.meters["rpm"].wait(at, 1) == 0.0:
                self.meters["rpm"].take(at, 1)
        self._other_at = at

    def admit(self, now: float, tokens: int) -> list[Breach]:
        """Count a request of so many input tokens and return nothing, or the dimensions it breaks (nothing counted)."""
        self._count_others(now)
        breaches = []
        for dimension, meter in self.meters.items():
            wait = math.inf if meter.limit <= 0 else meter.wait(now, self._amount(dimension, tokens))
            if wait > 0:
                breaches.append(Breach(dimension, meter.limit, wait))
        if not breaches:
            for dimension, meter in self.meters.items():
                meter.take(now, self._amount(dimension, tokens))
        elif self.count_rejected:
            for dimension in ("rpm", "rpd"):
                if dimension in self.meters and self.meters[dimension].limit > 0:
                    self.meters[dimension].take(now, 1)
        return breaches

    def refund(self, now: float, tokens: int) -> None:
        """Take back an admitted request (where failed requests are said not to count)."""
        for dimension, meter in self.meters.items():
            meter.give_back(now, self._amount(dimension, tokens))

    def used(self, now: float) -> dict[str, dict[str, float]]:
        """Per dimension what is used and the limit; for the state page."""
        return {name: {"used": meter.used(now), "limit": meter.limit} for name, meter in self.meters.items()}
