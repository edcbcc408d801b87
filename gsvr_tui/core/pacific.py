"""Pacific days: requests-per-day quotas reset at midnight in Los Angeles, also on days of 23 and 25 hours."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

PACIFIC = ZoneInfo("America/Los_Angeles")


def pacific_day(wall: float) -> str:
    """The Pacific calendar day of a moment (Unix seconds) as `YYYY-MM-DD`."""
    return datetime.fromtimestamp(wall, PACIFIC).date().isoformat()


@lru_cache(maxsize=64)
def _midnight_after(day: str) -> float:
    following = date.fromisoformat(day) + timedelta(days=1)
    return datetime.combine(following, time.min, PACIFIC).astimezone(UTC).timestamp()


def next_midnight(wall: float) -> float:
    """Unix seconds of the next Pacific midnight after a moment."""
    return _midnight_after(pacific_day(wall))
