"""Money: caps that hold before a request starts, not after it was paid.

A request is reserved at its estimated price against every cap it falls under and settled with the real one. An outcome
that is not known stays spent.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gsvr_tui.core.models import Now
from gsvr_tui.core.pacific import next_midnight, next_month, pacific_day


@dataclass(frozen=True, slots=True)
class Caps:
    """Upper bounds in USD; None: no bound. Days and months are Pacific ones, as the bill's are."""

    run: float | None = None
    day: float | None = None
    month: float | None = None
    batches: dict[str, float] = field(default_factory=dict)

    def any_for(self, batch: str) -> bool:
        """True when a request of this batch falls under a cap."""
        return self.run is not None or self.day is not None or self.month is not None or batch in self.batches


@dataclass(frozen=True, slots=True)
class CapHit:
    """Which cap a request would pass: `scope` is run, day, month or batch."""

    scope: str
    cap_usd: float
    committed_usd: float
    wanted_usd: float

    def words(self) -> str:
        """One line for people."""
        names = {"run": "this run", "day": "today", "month": "this month", "batch": "this batch"}
        return (
            f"the cap for {names[self.scope]} is ${self.cap_usd:.2f}; ${self.committed_usd:.4f} is spent or in flight "
            f"and the next request needs about ${self.wanted_usd:.4f}"
        )


_TOLERANCE = 1e-9


class MoneyBook:
    """Spent and reserved sums by scope."""

    def __init__(self, caps: Caps | None = None) -> None:
        self.caps = caps or Caps()
        self._spent: dict[str, float] = {}
        self._reserved: dict[str, tuple[tuple[str, ...], float]] = {}
        self._held: dict[str, float] = {}

    @staticmethod
    def _scopes(batch: str, now: Now) -> tuple[str, ...]:
        day = pacific_day(now.wall)
        return "run", f"day {day}", f"month {day[:7]}", f"batch {batch}"

    def _cap(self, scope: str) -> float | None:
        kind, _, name = scope.partition(" ")
        if kind == "batch":
            return self.caps.batches.get(name)
        return {"run": self.caps.run, "day": self.caps.day, "month": self.caps.month}[kind]

    def hit(self, batch: str, usd: float, now: Now) -> CapHit | None:
        """The first cap that a request of `usd` would pass, or None."""
        if usd <= 0 or not self.caps.any_for(batch):
            return None  # what costs nothing passes no cap
        for scope in self._scopes(batch, now):
            cap = self._cap(scope)
            committed = self._spent.get(scope, 0.0) + self._held.get(scope, 0.0)
            if cap is not None and committed + usd > cap + _TOLERANCE:
                return CapHit(scope.partition(" ")[0], cap, committed, usd)
        return None

    @staticmethod
    def lifts_at(hit: CapHit, now: Now) -> float | None:
        """Wall time at which a cap has room again by itself; None: never without an act of the user."""
        if hit.scope == "day":
            return next_midnight(now.wall)
        return next_month(now.wall) if hit.scope == "month" else None

    def reserve(self, key: str, batch: str, usd: float, now: Now) -> None:
        """Hold `usd` for a request; call `hit` first."""
        scopes = self._scopes(batch, now)
        self._reserved[key] = (scopes, usd)
        for scope in scopes:
            self._held[scope] = self._held.get(scope, 0.0) + usd

    def settle(self, key: str, usd: float | None) -> None:
        """The request ended at a price of `usd`; None: not known, the whole reservation counts as spent."""
        held = self._reserved.pop(key, None)
        if held is None:
            return
        scopes, reserved = held
        for scope in scopes:
            self._held[scope] = max(0.0, self._held[scope] - reserved)
            self._spent[scope] = self._spent.get(scope, 0.0) + (reserved if usd is None else usd)

    def restore(self, scope: str, usd: float) -> None:
        """Money of an earlier run under `day 2026-11-24`, `month 2026-11` or `batch <id>`."""
        self._spent[scope] = self._spent.get(scope, 0.0) + usd

    @property
    def run_spent(self) -> float:
        """Spent in this run, unknown outcomes included."""
        return self._spent.get("run", 0.0)

    @property
    def run_reserved(self) -> float:
        """Held for what is in flight."""
        return self._held.get("run", 0.0)
