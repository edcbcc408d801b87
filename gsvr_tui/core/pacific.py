"""Pacific days: requests-per-day quotas reset at midnight in Los Angeles, also on days of 23 and 25 hours."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

PACIFIC = ZoneInfo("America/Los_Angeles")


@lru_cache(maxsize=64)
def _day_of_hour(hour: int) -> str:
    return datetime.fromtimestamp(hour * 3600, PACIFIC).date().isoformat()


def pacific_day(wall: float) -> str:
    """The Pacific calendar day of a moment (Unix seconds) as `YYYY-MM-DD`."""
    return _day_of_hour(int(wall // 3600))  # Pacific days begin on whole hours of UTC


@lru_cache(maxsize=64)
def _midnight_after(day: str) -> float:
    following = date.fromisoformat(day) + timedelta(days=1)
    return datetime.combine(following, time.min, PACIFIC).astimezone(UTC).timestamp()


def next_midnight(wall: float) -> float:
    """Unix seconds of the next Pacific midnight after a moment."""
    return _midnight_after(pacific_day(wall))


@lru_cache(maxsize=64)
def _start_of(day: str) -> float:
    return datetime.combine(date.fromisoformat(day), time.min, PACIFIC).astimezone(UTC).timestamp()


def day_start(wall: float) -> float:
    """Unix seconds of the Pacific midnight a moment's day began with."""
    return _start_of(pacific_day(wall))


def next_month(wall: float) -> float:
    """Unix seconds of the beginning of the next Pacific month after a moment."""
    day = date.fromisoformat(pacific_day(wall))
    first = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    return datetime.combine(first, time.min, PACIFIC).astimezone(UTC).timestamp()
