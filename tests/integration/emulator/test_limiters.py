"""The limiters as pure state machines: whatever arrives, no more than the limit gets through."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsvr_tui.core.pacific import pacific_day
from gsvr_tui.emulator import LimiterKind, Limits
from gsvr_tui.emulator.limits import QuotaBook

GAPS = st.lists(
    st.one_of(st.floats(0, 5), st.sampled_from([0.0, 1.0, 12.0, 30.0, 59.999, 60.0, 60.001])), min_size=1, max_size=150
)
START = 1_795_000_000.0


def accepted(book: QuotaBook, gaps: list[float], tokens: int = 1) -> list[float]:
    now = START
    times = []
    for gap in gaps:
        now += gap
        if not book.admit(now, tokens):
            times.append(now)
    return times


def most_in_a_window(times: list[float]) -> int:
    return max((sum(start <= time < start + 60 for time in times) for start in times), default=0)


@given(GAPS, st.integers(1, 12), st.booleans())
def test_a_sliding_window_never_lets_more_than_its_limit_through_in_any_minute(
    gaps: list[float], rpm: int, count_rejected: bool
) -> None:
    assert most_in_a_window(accepted(QuotaBook(Limits(rpm=rpm), count_rejected=count_rejected), gaps)) <= rpm


@given(GAPS, st.integers(1, 12))
def test_a_fixed_window_keeps_to_its_limit_in_every_calendar_minute(gaps: list[float], rpm: int) -> None:
    times = accepted(QuotaBook(Limits(rpm=rpm), LimiterKind.FIXED), gaps)
    minutes = [int(time // 60) for time in times]
    assert all(minutes.count(minute) <= rpm for minute in minutes)


@given(GAPS, st.integers(1, 12), st.integers(1, 12))
def test_a_bucket_gives_its_capacity_and_its_refill_and_no_more(gaps: list[float], rpm: int, capacity: int) -> None:
    times = accepted(QuotaBook(Limits(rpm=rpm), LimiterKind.BUCKET, bucket_capacity=capacity), gaps)
    for first, start in enumerate(times):
        for last in range(first, len(times)):
            assert last - first + 1 <= capacity + (times[last] - start) * rpm / 60 + 1e-6


@given(GAPS, st.integers(1, 1000))
def test_tokens_of_any_minute_stay_within_the_limit(gaps: list[float], tokens: int) -> None:
    times = accepted(QuotaBook(Limits(tpm=1000)), gaps, tokens)
    assert most_in_a_window(times) * tokens <= 1000


@given(GAPS, st.sampled_from(list(LimiterKind)), st.integers(1, 12))
def test_whoever_waits_as_long_as_told_gets_through(gaps: list[float], kind: LimiterKind, rpm: int) -> None:
    book = QuotaBook(Limits(rpm=rpm, tpm=500), kind)
    now = START
    for gap in gaps:
        now += gap
        breaches = book.admit(now, 20)
        if breaches:
            now += max(breach.wait_s for breach in breaches) + 1e-6
            assert not book.admit(now, 20)


@pytest.mark.parametrize("kind", list(LimiterKind))
def test_a_sender_that_keeps_its_own_sixty_second_log_passes_every_kind(kind: LimiterKind) -> None:
    book = QuotaBook(Limits(rpm=7), kind)
    sent: list[float] = []
    now = START + 17.3
    for _ in range(200):
        if len(sent) >= 7:
            now = max(now, sent[-7] + 60.0)
        assert not book.admit(now, 1)
        sent.append(now)
        now += 0.37


def test_days_end_at_midnight_pacific_also_when_they_have_25_hours() -> None:
    evening = datetime(2026, 11, 1, 6, 59, tzinfo=UTC).timestamp()  # 23:59 on 31 October in Los Angeles
    book = QuotaBook(Limits(rpd=1))
    assert not book.admit(evening, 1)
    assert [breach.dimension for breach in book.admit(evening + 1, 1)] == ["rpd"]
    midnight = evening + 60
    assert not book.admit(midnight, 1)
    assert pacific_day(midnight + 24.5 * 3600) == "2026-11-01"
    refused = book.admit(midnight + 24.5 * 3600, 1)
    assert refused[0].wait_s == pytest.approx(0.5 * 3600)
    assert not book.admit(midnight + 25 * 3600, 1)


def test_a_request_larger_than_the_minute_never_fits() -> None:
    refused = QuotaBook(Limits(tpm=1000)).admit(START, 1001)
    assert math.isinf(refused[0].wait_s)


def test_rejected_requests_count_when_the_scenario_says_so() -> None:
    patient, hasty = QuotaBook(Limits(rpm=2)), QuotaBook(Limits(rpm=2), count_rejected=True)
    for book in (patient, hasty):
        for second in range(0, 60, 10):
            book.admit(START + second, 1)
    assert not patient.admit(START + 61, 1)
    assert hasty.admit(START + 61, 1)


def test_other_traffic_takes_its_share() -> None:
    book = QuotaBook(Limits(rpm=10), other_traffic_rpm=6)
    now = START
    times = []
    for _ in range(600):
        now += 0.5
        if not book.admit(now, 1):
            times.append(now)
    assert most_in_a_window(times[20:]) <= 10
    assert 3 <= len(times) / 5 <= 7


def test_a_new_limit_keeps_what_was_used() -> None:
    book = QuotaBook(Limits(rpm=5))
    for _ in range(4):
        assert not book.admit(START, 1)
    book.change(Limits(rpm=4), START + 1)
    assert book.admit(START + 2, 1)
    book.change(Limits(rpm=6), START + 3)
    assert not book.admit(START + 4, 1)


def test_a_refund_makes_room_again() -> None:
    for kind in LimiterKind:
        book = QuotaBook(Limits(rpm=1, rpd=1), kind)
        assert not book.admit(START, 3)
        book.refund(START + 1, 3)
        assert not book.admit(START + 2, 3)
