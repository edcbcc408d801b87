"""Caps that hold before a request starts."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gsvr_tui.core.models import Now
from gsvr_tui.core.money import Caps, MoneyBook
from gsvr_tui.core.pacific import next_midnight, next_month


def unix(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


NOW = Now(1000.0, unix("2026-11-24T18:00"))
PRICE = st.floats(0.001, 0.5)


@settings(deadline=None)
@given(
    requests=st.lists(st.tuples(PRICE, st.sampled_from(["real", "unknown", "free", "open"]), PRICE), max_size=60),
    cap=st.floats(0.0, 3.0),
)
def test_spent_and_reserved_pass_the_cap_by_no_more_than_the_estimates_were_off(
    requests: list[tuple[float, str, float]], cap: float
) -> None:
    book = MoneyBook(Caps(run=cap))
    off = 0.0
    for number, (estimate, outcome, real) in enumerate(requests):
        if book.hit("b", estimate, NOW) is not None:
            continue
        key = str(number)
        book.reserve(key, "b", estimate, NOW)
        if outcome == "real":
            off += max(0.0, real - estimate)
            book.settle(key, real)
        elif outcome == "unknown":
            book.settle(key, None)
        elif outcome == "free":
            book.settle(key, 0.0)
        assert book.run_spent + book.run_reserved <= cap + off + 1e-6


def test_an_unknown_outcome_stays_spent() -> None:
    book = MoneyBook(Caps(run=1.0))
    book.reserve("a", "b", 0.6, NOW)
    book.settle("a", None)
    assert book.run_spent == pytest.approx(0.6)
    assert book.run_reserved == pytest.approx(0.0)
    assert book.hit("b", 0.5, NOW) is not None


def test_settling_gives_back_what_was_not_used() -> None:
    book = MoneyBook(Caps(run=1.0))
    book.reserve("a", "b", 0.9, NOW)
    assert book.hit("b", 0.2, NOW) is not None
    book.settle("a", 0.1)
    book.settle("a", 5.0)  # a second time changes nothing
    assert book.hit("b", 0.9, NOW) is None
    assert book.run_spent == pytest.approx(0.1)


def test_every_cap_holds_for_itself_and_is_named() -> None:
    caps = Caps(run=5.0, day=4.0, month=3.0, batches={"b": 2.0})
    book = MoneyBook(caps)
    for usd, scope in ((2.5, "batch"), (3.5, "month"), (4.5, "day"), (5.5, "run")):
        hit = book.hit("b" if scope == "batch" else "other", usd, NOW)
        assert hit is not None
        assert hit.scope in (scope, "run", "day", "month")
    hit = book.hit("b", 2.5, NOW)
    assert hit is not None
    assert hit.scope == "batch"
    assert "$2.00" in hit.words()
    assert "this batch" in hit.words()


def test_what_costs_nothing_passes_a_cap_that_is_used_up() -> None:
    book = MoneyBook(Caps(run=0.1))
    book.reserve("a", "b", 0.1, NOW)
    book.settle("a", 0.3)
    assert book.hit("b", 0.01, NOW) is not None
    assert book.hit("b", 0.0, NOW) is None


def test_a_days_cap_has_room_again_at_midnight_and_a_months_on_the_first() -> None:
    book = MoneyBook(Caps(day=1.0))
    book.reserve("a", "b", 1.0, NOW)
    hit = book.hit("b", 0.5, NOW)
    assert hit is not None
    midnight = book.lifts_at(hit, NOW)
    assert midnight == next_midnight(NOW.wall)
    assert book.hit("b", 0.5, Now(NOW.mono + 9e4, midnight + 1)) is None
    month = MoneyBook(Caps(month=1.0))
    month.reserve("a", "b", 1.0, NOW)
    hit = month.hit("b", 0.5, Now(NOW.mono + 9e4, midnight + 1))
    assert hit is not None
    first = month.lifts_at(hit, NOW)
    assert first == next_month(NOW.wall)
    assert month.hit("b", 0.5, Now(NOW.mono + 9e6, first + 1)) is None


def test_caps_of_a_run_and_a_batch_wait_for_the_user() -> None:
    for caps in (Caps(run=0.1), Caps(batches={"b": 0.1})):
        book = MoneyBook(caps)
        hit = book.hit("b", 0.5, NOW)
        assert hit is not None
        assert book.lifts_at(hit, NOW) is None


def test_money_of_an_earlier_run_counts_for_day_month_and_batch_but_not_for_the_run() -> None:
    book = MoneyBook(Caps(run=1.0, day=1.0, month=2.0, batches={"b": 1.5}))
    book.restore("day 2026-11-24", 0.9)
    book.restore("month 2026-11", 1.9)
    book.restore("batch b", 1.4)
    assert book.run_spent == 0.0
    hit = book.hit("x", 0.15, NOW)
    assert hit is not None
    assert hit.scope == "day"
    book.restore("day 2026-11-23", 50.0)
    assert book.hit("x", 0.05, NOW) is None


def test_a_request_over_midnight_is_counted_on_the_day_it_was_sent() -> None:
    book = MoneyBook(Caps(day=1.0))
    book.reserve("a", "b", 1.0, NOW)
    tomorrow = Now(NOW.mono + 86_400, NOW.wall + 86_400)
    book.settle("a", 1.0)
    assert book.hit("b", 0.9, tomorrow) is None
    assert book.hit("b", 0.9, NOW) is not None
