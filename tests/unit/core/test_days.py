"""Pacific days, also those of 23 and 25 hours."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsvr_tui.core.pacific import PACIFIC, day_start, next_midnight, next_month, pacific_day


def unix(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("begins", "hours"),
    [("2026-03-08T08:00", 23), ("2026-11-01T07:00", 25), ("2026-11-24T08:00", 24), ("2026-07-04T07:00", 24)],
)
def test_a_day_has_the_hours_it_has_in_los_angeles(begins: str, hours: int) -> None:
    start = unix(begins)
    assert pacific_day(start) == begins[:10]
    assert pacific_day(start - 1) != begins[:10]
    assert next_midnight(start) == start + hours * 3600
    assert day_start(start + hours * 1800) == start
    assert pacific_day(start + hours * 3600 - 1) == begins[:10]
    assert pacific_day(start + hours * 3600) != begins[:10]


@given(st.floats(unix("2025-01-01T00:00"), unix("2031-01-01T00:00")))
def test_every_moment_lies_in_its_day(wall: float) -> None:
    assert day_start(wall) <= wall < next_midnight(wall)
    assert pacific_day(wall) == datetime.fromtimestamp(wall, PACIFIC).date().isoformat()
    assert next_midnight(wall) - day_start(wall) in (23 * 3600, 24 * 3600, 25 * 3600)
    month = next_month(wall)
    assert month > wall
    assert pacific_day(month).endswith("-01")
    assert pacific_day(month - 1)[:7] == pacific_day(wall)[:7]


def test_the_year_ends_in_the_next_one() -> None:
    assert pacific_day(next_month(unix("2026-12-31T20:00"))) == "2027-01-01"
