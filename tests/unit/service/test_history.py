"""Sums and distributions of what was used."""

from __future__ import annotations

from statistics import quantiles

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsvr_tui.core.models import Now
from gsvr_tui.service.history import Latency, MinuteRates, days_back, usage_sums
from gsvr_tui.store.codec import UsageDay


@given(st.lists(st.floats(0.06, 30_000), min_size=1, max_size=200), st.sampled_from([0.5, 0.95]))
def test_a_quantile_is_within_ten_percent_of_the_exact_one(times: list[float], share: float) -> None:
    latency = Latency()
    for seconds in times:
        latency.add(seconds)
    ordered = sorted(times)
    exact = ordered[max(0, -(-int(share * 100) * len(times) // 100) - 1)]
    found = latency.quantile(share)
    assert found is not None
    assert found == pytest.approx(exact, rel=0.1)


def test_a_distribution_is_the_same_after_its_text_and_adds_up_over_days() -> None:
    monday, tuesday = Latency(), Latency()
    for seconds in (0.01, 1.0, 1.0, 90.0):
        monday.add(seconds)
    tuesday.add(5.0)
    assert Latency.parse(monday.text()).text() == monday.text()
    monday.merge(Latency.parse(tuesday.text()))
    assert monday.count == 5
    assert Latency().quantile(0.5) is None


def test_a_damaged_distribution_loses_only_what_is_damaged() -> None:
    good = Latency().add(3.0).text()
    assert Latency.parse(f"{good} x:1 5 :: 900:4 -1:3").text() == good


def test_days_are_pacific_and_today_counts() -> None:
    wall = 1_795_506_000.0  # 2026-11-24 05:00 UTC, 23 November in Los Angeles
    assert days_back(1, wall) == "2026-11-23"
    assert days_back(7, wall) == "2026-11-17"


def test_sums_keep_accounts_apart_and_leave_older_days_out() -> None:
    rows = [
        UsageDay("p", "m", "2026-11-20", requests=9, answered=9, account="a"),
        UsageDay("p", "m", "2026-11-23", requests=3, answered=2, failed=1, cost_usd=0.5, account="a"),
        UsageDay(
            "p", "m", "2026-11-24", requests=2, answered=1, rejected=1, account="a", latency=Latency().add(2).text()
        ),
        UsageDay("p", "m", "2026-11-24", requests=4, answered=4, account="b", latency=Latency().add(8).text()),
    ]
    (a, b), everything = usage_sums(rows, "2026-11-23")
    assert (a.account, a.requests, a.answered, a.failed, a.rejected, a.cost_usd) == ("a", 5, 3, 1, 1, 0.5)
    assert a.success == 0.75
    assert (b.account, b.success) == ("b", 1.0)
    assert a.p50_s == pytest.approx(2, rel=0.1)
    assert everything.requests == 9
    assert everything.p95_s == pytest.approx(8, rel=0.1)
    assert usage_sums([], "")[1].success is None


def test_the_last_hour_is_counted_by_minutes_and_older_answers_are_forgotten() -> None:
    rates = MinuteRates()
    for at in (0.0, 10.0, 70.0, 3_590.0):
        rates.answered("p", "m", Now(at, at))
    counts = rates.per_minute("p", "m", Now(3_599.0, 3_599.0))
    assert len(counts) == 60
    assert (counts[0], counts[-1], sum(counts)) == (2, 1, 4)
    assert sum(rates.per_minute("p", "m", Now(3_605.0, 3_605.0))) == 3
    assert rates.per_minute("p", "m", Now(9_999.0, 9_999.0)) == ()
    assert rates.per_minute("p", "other", Now(0.0, 0.0)) == ()


def test_quantiles_of_many_agree_with_the_library() -> None:
    times = [0.5 + 0.1 * number for number in range(100)]
    latency = Latency()
    for seconds in times:
        latency.add(seconds)
    assert latency.quantile(0.95) == pytest.approx(quantiles(times, n=20)[-1], rel=0.1)
