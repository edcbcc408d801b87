"""Money: caps that hold before a request starts, not after it was paid.

A request is reserved at its estimated price against every cap it falls under and settled with the real one. An outcome
that is not known stays spent.
"""

from __future__ import annotations

from collections import deque
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
    projects: dict[str, float] = field(default_factory=dict)  # of a month
    spend: dict[str, float] = field(default_factory=dict)  # of ten minutes, by project: the service's own limit

    def bind(self, batch: str) -> bool:
        """True when requests of this batch may fall under a cap of the user's."""
        general = self.run is not None or self.day is not None or self.month is not None
        return general or batch in self.batches or bool(self.projects)


@dataclass(frozen=True, slots=True)
class CapHit:
    """Which cap a request would pass: `scope` is run, day, month, batch, project or spend."""

    scope: str
    cap_usd: float
    committed_usd: float
    wanted_usd: float

    def words(self) -> str:
        """One line for people."""
        names = {
            "run": "this run",
            "day": "today",
            "month": "this month",
            "batch": "this batch",
            "project": "this project and month",
            "spend": "ten minutes, which the service sets,",
        }
        return (
            f"the cap for {names[self.scope]} is ${self.cap_usd:.2f}; ${self.committed_usd:.4f} is spent or in flight "
            f"and the next request needs about ${self.wanted_usd:.4f}"
        )


_TOLERANCE = 1e-9
SPEND_SPAN_S = 600.0
CLOCK_GRAIN_S = 0.01  # wall times are too large for the last digits of a monotonic one
TIER_SPEND_USD = {"tier1": 10.0, "tier2": 50.0, "tier3": 200.0}
"""What a project of a tier may spend in ten minutes (the service's rate-limit page)."""


class MoneyBook:
    """Spent and reserved sums by scope."""

    def __init__(self, caps: Caps | None = None) -> None:
        self.caps = caps or Caps()
        self._spent: dict[str, float] = {}
        self._reserved: dict[str, tuple[tuple[str, ...], float]] = {}
        self._held: dict[str, float] = {}
        self._recent: dict[str, deque[tuple[float, float]]] = {}  # project → (monotonic, USD) of the last ten minutes
        self._recent_usd: dict[str, float] = {}  # their sums

    @staticmethod
    def _scopes(batch: str, project: str, now: Now) -> tuple[str, ...]:
        day = pacific_day(now.wall)
        return "run", f"day {day}", f"month {day[:7]}", f"batch {batch}", f"project {project} {day[:7]}"

    def _cap(self, scope: str) -> float | None:
        kind, _, name = scope.partition(" ")
        if kind == "batch":
            return self.caps.batches.get(name)
        if kind == "project":
            return self.caps.projects.get(name.rpartition(" ")[0])
        return {"run": self.caps.run, "day": self.caps.day, "month": self.caps.month}[kind]

    def hit(self, batch: str, usd: float, now: Now, project: str = "") -> CapHit | None:
        """The first cap that a request of `usd` would pass, or None."""
        if usd <= 0:
            return None  # what costs nothing passes no cap
        for scope in self._scopes(batch, project, now) if self.caps.bind(batch) else ():
            cap = self._cap(scope)
            committed = self._spent.get(scope, 0.0) + self._held.get(scope, 0.0)
            if cap is not None and committed + usd > cap + _TOLERANCE:
                return CapHit(scope.partition(" ")[0], cap, committed, usd)
        spend = self.caps.spend.get(project)
        if spend is None:
            return None
        recent = self.spent_10min(project, now)
        if recent + usd > spend + _TOLERANCE and recent > 0:
            return CapHit("spend", spend, recent, usd)
        return None

    def spent_10min(self, project: str, now: Now) -> float:
        """Reserved and spent on a project in the last ten minutes."""
        recent = self._recent.get(project)
        if not recent:
            return 0.0
        while recent and recent[0][0] + SPEND_SPAN_S <= now.mono:
            self._recent_usd[project] -= recent.popleft()[1]
        return self._recent_usd[project] if recent else 0.0

    def lifts_at(self, hit: CapHit, now: Now, project: str = "") -> float | None:
        """Wall time at which a cap has room again by itself; None: never without an act of the user."""
        if hit.scope == "spend":
            surplus = hit.committed_usd + hit.wanted_usd - hit.cap_usd
            for at, usd in self._recent.get(project, ()):
                surplus -= usd
                if surplus <= _TOLERANCE:
                    return now.wall + at + SPEND_SPAN_S - now.mono + CLOCK_GRAIN_S
            return now.wall + SPEND_SPAN_S
        if hit.scope == "day":
            return next_midnight(now.wall)
        return next_month(now.wall) if hit.scope in ("month", "project") else None

    def reserve(self, key: str, batch: str, usd: float, now: Now, project: str = "") -> None:
        """Hold `usd` for a request; call `hit` first."""
        scopes = self._scopes(batch, project, now)
        self._reserved[key] = (scopes, usd)
        for scope in scopes:
            self._held[scope] = self._held.get(scope, 0.0) + usd
        if usd > 0 and project in self.caps.spend:
            recent = self._recent.setdefault(project, deque())
            self._recent_usd[project] = usd + (self._recent_usd[project] if recent else 0.0)
            recent.append((now.mono, usd))

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
