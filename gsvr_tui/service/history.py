"""What was used, over days: how long answers took, and sums per account and model. Pure, from the store's rows."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from gsvr_tui.core.models import Now
from gsvr_tui.core.pacific import pacific_day
from gsvr_tui.store.codec import UsageDay

SHORTEST_S = 0.05
STEPS_TO_DOUBLE = 4
"""Buckets of service times are a factor of 2^(1/4) wide, so that a quantile read from them is within 10 %."""
LAST_BUCKET = 79
MINUTES = 60
MINUTE_S = 60.0


class Latency:
    """A distribution of seconds in logarithmic buckets. As text: `bucket:count` separated by blanks."""

    def __init__(self, counts: Iterable[tuple[int, int]] = ()) -> None:
        self._counts: Counter[int] = Counter()
        for bucket, count in counts:
            self._counts[bucket] += count

    @classmethod
    def parse(cls, text: str) -> Latency:
        """From its text; what is not `bucket:count` is passed over, a damaged row must not stop the service."""
        found = []
        for item in text.split():
            bucket, _, count = item.partition(":")
            if bucket.isdecimal() and count.isdecimal() and int(bucket) <= LAST_BUCKET:
                found.append((int(bucket), int(count)))
        return cls(found)

    def text(self) -> str:
        """The compact form that `parse` reads."""
        return " ".join(f"{bucket}:{count}" for bucket, count in sorted(self._counts.items()) if count)

    def add(self, seconds: float) -> Latency:
        """One more; returns itself."""
        steps = math.log2(max(seconds, SHORTEST_S) / SHORTEST_S) * STEPS_TO_DOUBLE
        self._counts[min(LAST_BUCKET, int(steps))] += 1
        return self

    def merge(self, other: Latency) -> None:
        """Take in another distribution."""
        self._counts.update(other._counts)

    @property
    def count(self) -> int:
        """How many were added."""
        return sum(self._counts.values())

    def mean(self) -> float | None:
        """Seconds on average, None when there is none."""
        return math.fsum(_middle(b) * n for b, n in self._counts.items()) / self.count if self.count else None

    def spread(self) -> float:
        """Standard deviation as a share of the mean; 0 for fewer than two."""
        mean = self.mean()
        if mean is None or self.count < 2:
            return 0.0
        variance = math.fsum((_middle(b) - mean) ** 2 * n for b, n in self._counts.items()) / self.count
        return math.sqrt(variance) / mean

    def quantile(self, share: float) -> float | None:
        """Seconds that `share` (0 to 1) of the answers took at most, within 10 %; None when there is none."""
        wanted = math.ceil(share * self.count) or 1
        seen = 0
        for bucket, count in sorted(self._counts.items()):
            seen += count
            if seen >= wanted and count:
                return _middle(bucket)
        return None


def _middle(bucket: int) -> float:
    return SHORTEST_S * float(2 ** ((bucket + 0.5) / STEPS_TO_DOUBLE))


class MinuteRates:
    """Answers in each of the last minutes, by project × model. Of this run only."""

    def __init__(self) -> None:
        self._answers: dict[tuple[str, str], deque[float]] = {}

    def answered(self, project: str, model: str, now: Now) -> None:
        """One more answer."""
        self._answers.setdefault((project, model), deque()).append(now.mono)

    def per_minute(self, project: str, model: str, now: Now) -> tuple[int, ...]:
        """Counts of the last 60 minutes, oldest first; empty when there were none."""
        times = self._answers.get((project, model))
        while times and times[0] <= now.mono - MINUTES * MINUTE_S:
            times.popleft()
        if not times:
            return ()
        counts = [0] * MINUTES
        for at in times:
            counts[MINUTES - 1 - min(MINUTES - 1, max(0, int((now.mono - at) / MINUTE_S)))] += 1
        return tuple(counts)


@dataclass(frozen=True, slots=True)
class UsageSum:
    """Use of one account and model over days; empty names: of all. Quantiles are seconds from send to answer."""

    account: str
    project: str
    model: str
    requests: int = 0
    answered: int = 0
    failed: int = 0
    rejected: int = 0  # answered 429
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: float = 0.0
    p50_s: float | None = None
    p95_s: float | None = None

    @property
    def success(self) -> float | None:
        """Answered of those that were answered or failed; rejections are counted by themselves. None: none ended."""
        ended = self.answered + self.failed
        return self.answered / ended if ended else None


def days_back(days: int, wall: float) -> str:
    """The first of the last `days` Pacific days, today included."""
    return (date.fromisoformat(pacific_day(wall)) - timedelta(days=max(1, days) - 1)).isoformat()


def usage_sums(rows: Iterable[UsageDay], first_day: str = "") -> tuple[tuple[UsageSum, ...], UsageSum]:
    """Sums per account and model since `first_day`, sorted, and the sum of all."""
    groups: dict[tuple[str, str, str], list[UsageDay]] = {}
    for row in rows:
        if row.day >= first_day:
            groups.setdefault((row.account, row.project, row.model), []).append(row)
    sums = tuple(_sum(*key, found) for key, found in sorted(groups.items()))
    return sums, _sum("", "", "", [row for found in groups.values() for row in found])


def _sum(account: str, project: str, model: str, rows: list[UsageDay]) -> UsageSum:
    latency = Latency()
    for row in rows:
        latency.merge(Latency.parse(row.latency))
    return UsageSum(
        account=account,
        project=project,
        model=model,
        requests=sum(row.requests for row in rows),
        answered=sum(row.answered for row in rows),
        failed=sum(row.failed for row in rows),
        rejected=sum(row.rejected for row in rows),
        tokens_in=sum(row.tokens_in for row in rows),
        tokens_out=sum(row.tokens_out for row in rows),
        cost_usd=math.fsum(row.cost_usd for row in rows),
        p50_s=latency.quantile(0.5),
        p95_s=latency.quantile(0.95),
    )
