"""The quota ledger: limits, days, rests, learning, restarts."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gsvr_tui.core.failure import QuotaViolation
from gsvr_tui.core.ledger import Ledger
from gsvr_tui.core.models import Limits, Now
from gsvr_tui.core.pacific import next_midnight, pacific_day


def unix(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


class Clock:
    """Both clocks, moved together."""

    def __init__(self, wall: float = unix("2026-11-24T18:00")) -> None:
        self.now = Now(5000.0, wall)

    def advance(self, seconds: float) -> Now:
        self.now = Now(self.now.mono + seconds, self.now.wall + seconds)
        return self.now


def stated(rpm: int | None = 5, tpm: int | None = 10**9, rpd: int | None = None) -> Limits:
    return Limits(rpm=rpm, tpm=tpm, rpd=rpd, source="user")


def ledger_with(limits: Limits, now: Now) -> Ledger:
    ledger = Ledger()
    ledger.set_limits("p", "m", limits, now)
    return ledger


def test_a_request_is_taken_in_all_dimensions_or_in_none() -> None:
    clock = Clock()
    ledger = ledger_with(Limits(rpm=5, tpm=100, rpd=9, source="user"), clock.now)
    assert ledger.reserve("a", "p", "m", 60, clock.now)
    assert not ledger.reserve("b", "p", "m", 60, clock.now)
    (view,) = ledger.views(clock.now)
    assert (view.minute_reserved, view.tokens_used, view.day_used) == (1, 60, 1)


def test_projects_and_models_have_books_of_their_own() -> None:
    clock = Clock()
    ledger = Ledger()
    for project, model in (("p", "m"), ("q", "m"), ("p", "n")):
        ledger.set_limits(project, model, stated(1), clock.now)
        assert ledger.reserve(f"{project}{model}", project, model, 1, clock.now)
        assert not ledger.reserve("again", project, model, 1, clock.now)


@pytest.mark.parametrize("day", ["2026-03-08", "2026-11-01", "2026-11-24"])
@settings(deadline=None, max_examples=40)
@given(steps=st.lists(st.floats(0.0, 7200.0), min_size=20, max_size=80), rpd=st.integers(1, 6))
def test_no_pacific_day_sees_more_requests_than_its_limit(day: str, steps: list[float], rpd: int) -> None:
    clock = Clock(unix(f"{day}T00:00"))
    ledger = ledger_with(stated(None, rpd=rpd), clock.now)
    sent: dict[str, int] = {}
    for number, step in enumerate(steps):
        now = clock.advance(step)
        if ledger.reserve(str(number), "p", "m", 1, now):
            ledger.mark_sent(str(number), now)
            ledger.settle(str(number), 1, now)
            sent[pacific_day(now.wall)] = sent.get(pacific_day(now.wall), 0) + 1
    assert max(sent.values()) <= rpd


@pytest.mark.parametrize(("day", "hours"), [("2026-03-08T08:00", 23), ("2026-11-01T07:00", 25)])
def test_a_used_up_day_ends_at_midnight_in_los_angeles_also_when_the_clock_changes(day: str, hours: int) -> None:
    clock = Clock(unix(day))
    ledger = ledger_with(stated(None, rpd=1), clock.now)
    assert ledger.reserve("a", "p", "m", 1, clock.now)
    slot = ledger.earliest("p", "m", 1, clock.now)
    assert slot.why == "rpd"
    assert hours * 3600 <= slot.at - clock.now.mono <= hours * 3600 + 120
    assert not ledger.reserve("b", "p", "m", 1, clock.advance(hours * 3600 - 1))
    assert ledger.reserve("c", "p", "m", 1, clock.advance(slot.at - clock.now.mono))


def test_the_first_minute_after_a_used_up_day_is_not_used() -> None:
    clock = Clock()
    ledger = ledger_with(stated(None, rpd=2), clock.now)
    assert ledger.reserve("a", "p", "m", 1, clock.now)
    assert ledger.reserve("b", "p", "m", 1, clock.now)
    clock.advance(next_midnight(clock.now.wall) - clock.now.wall + 1)
    assert ledger.earliest("p", "m", 1, clock.now).why == "rpd"
    assert not ledger.reserve("c", "p", "m", 1, clock.now)
    assert ledger.reserve("c", "p", "m", 1, clock.advance(60))


def test_a_clock_set_back_gives_no_second_day() -> None:
    clock = Clock()
    ledger = ledger_with(stated(None, rpd=1), clock.now)
    assert ledger.reserve("a", "p", "m", 1, clock.now)
    yesterday = Now(clock.now.mono + 1, clock.now.wall - 86_400)
    assert not ledger.reserve("b", "p", "m", 1, yesterday)
    assert not ledger.reserve("b", "p", "m", 1, clock.advance(10))


def test_a_refusal_counts_in_the_minute_but_not_in_the_day() -> None:
    clock = Clock()
    ledger = ledger_with(stated(2, rpd=2), clock.now)
    for key in ("a", "b"):
        assert ledger.reserve(key, "p", "m", 5, clock.now)
        ledger.refuse(key, clock.now)
    (view,) = ledger.views(clock.now)
    assert (view.minute_used, view.day_used, view.tokens_used) == (2, 0, 0)
    assert ledger.earliest("p", "m", 1, clock.now).why == "rpm"


def test_what_never_left_counts_nowhere() -> None:
    clock = Clock()
    ledger = ledger_with(stated(1, rpd=1), clock.now)
    assert ledger.reserve("a", "p", "m", 5, clock.now)
    ledger.release("a", clock.now)
    assert ledger.reserve("b", "p", "m", 5, clock.now)


def test_an_unknown_outcome_stays_spent() -> None:
    clock = Clock()
    ledger = ledger_with(stated(1, tpm=100, rpd=1), clock.now)
    assert ledger.reserve("a", "p", "m", 70, clock.now)
    ledger.settle("a", None, clock.now)
    (view,) = ledger.views(clock.now)
    assert (view.minute_used, view.tokens_used, view.day_used) == (1, 70, 1)


def test_settling_twice_or_out_of_nowhere_changes_nothing() -> None:
    clock = Clock()
    ledger = ledger_with(stated(rpd=5), clock.now)
    assert ledger.reserve("a", "p", "m", 5, clock.now)
    ledger.settle("a", 7, clock.now)
    before = ledger.views(clock.now)
    ledger.settle("a", 9, clock.now)
    ledger.release("a", clock.now)
    ledger.refuse("nobody", clock.now)
    ledger.mark_sent("nobody", clock.now)
    assert ledger.views(clock.now) == before


@pytest.mark.parametrize(("dimension", "limit"), [("rpm", 2), ("tpm", 500), ("rpd", 3)])
def test_a_named_limit_holds_at_once(dimension: str, limit: int) -> None:
    clock = Clock()
    ledger = Ledger()
    assert ledger.learn("p", "m", [QuotaViolation(dimension, limit)], clock.now)
    limits = ledger.limits("p", "m", clock.now)
    assert getattr(limits, dimension) == limit
    assert limits.source == "429"


def test_of_a_stated_and_a_learned_limit_the_smaller_holds() -> None:
    clock = Clock()
    ledger = ledger_with(stated(10), clock.now)
    ledger.learn("p", "m", [QuotaViolation("rpm", 4)], clock.now)
    assert ledger.limits("p", "m", clock.now).rpm == 4
    ledger.set_limits("p", "m", stated(3), clock.now)
    assert ledger.limits("p", "m", clock.now).rpm == 3


@pytest.mark.parametrize("dimension", ["rpm", "tpm", "rpd"])
def test_a_limit_of_zero_is_no_access_until_the_user_acts(dimension: str) -> None:
    clock = Clock()
    ledger = Ledger()
    ledger.learn("p", "m", [QuotaViolation(dimension, 0)], clock.now)
    slot = ledger.earliest("p", "m", 1, clock.advance(200_000))
    assert (math.isinf(slot.at), slot.why) == (True, "no_access")
    assert not ledger.reserve("a", "p", "m", 1, clock.now)
    ledger.end_rest("p", clock.now)
    assert ledger.reserve("a", "p", "m", 1, clock.now)


@pytest.mark.parametrize("limits", [stated(0), stated(5, tpm=0), stated(5, rpd=0)])
def test_a_stated_limit_of_zero_is_no_access_whatever_is_forgotten(limits: Limits) -> None:
    clock = Clock()
    ledger = ledger_with(limits, clock.now)
    ledger.end_rest("p", clock.now)
    assert ledger.earliest("p", "m", 1, clock.now).why == "no_access"


def test_a_request_above_the_tokens_of_a_minute_is_too_big_for_ever() -> None:
    clock = Clock()
    ledger = ledger_with(stated(tpm=100), clock.now)
    slot = ledger.earliest("p", "m", 101, clock.now)
    assert (math.isinf(slot.at), slot.why) == (True, "too_big")


def test_a_rest_ends_by_itself_and_a_shorter_one_does_not_cut_it() -> None:
    clock = Clock()
    ledger = ledger_with(stated(), clock.now)
    ledger.rest("p", "m", 30.0, "first", clock.now)
    ledger.rest("p", "m", 10.0, "second", clock.now)
    assert ledger.earliest("p", "m", 1, clock.now).at == clock.now.mono + 30.0
    (view,) = ledger.views(clock.now)
    assert (view.note, view.resting_until) == ("first", clock.now.wall + 30.0)
    assert ledger.reserve("a", "p", "m", 1, clock.advance(30.0))
    (view,) = ledger.views(clock.now)
    assert (view.note, view.resting_until) == ("", None)


def test_a_project_rests_with_all_its_models() -> None:
    clock = Clock()
    ledger = Ledger()
    for project, model in (("p", "m"), ("p", "n"), ("q", "m")):
        ledger.set_limits(project, model, stated(), clock.now)
    ledger.rest_project("p", 60.0, "spend", clock.now)
    assert [ledger.earliest(*key, 1, clock.now).why for key in (("p", "m"), ("p", "n"), ("q", "m"))] == [
        "resting",
        "resting",
        "",
    ]


def test_a_daily_refusal_rests_until_after_midnight() -> None:
    clock = Clock()
    ledger = ledger_with(stated(), clock.now)
    ledger.rest_until_midnight("p", "m", 90.0, "day", clock.now)
    at = ledger.earliest("p", "m", 1, clock.now).at
    assert clock.now.wall + at - clock.now.mono == pytest.approx(next_midnight(clock.now.wall) + 90.0)


def test_a_restart_goes_on_with_the_counts_of_the_day_and_the_last_minute() -> None:
    clock = Clock()
    limits = stated(3, rpd=5)
    before = ledger_with(limits, clock.now)
    for key in "abc":
        assert before.reserve(key, "p", "m", 10, clock.now)
        before.settle(key, 10, clock.advance(1.0))
    after = ledger_with(limits, clock.now)
    after.restore_day("p", "m", pacific_day(clock.now.wall), 3, clock.now)
    for age in (3.0, 2.0, 1.0):
        after.restore_send("p", "m", clock.now.wall - age, 10, clock.now)
    (old,), (new,) = before.views(clock.now), after.views(clock.now)
    assert (new.minute_used, new.day_used, new.tokens_used) == (old.minute_used, old.day_used, old.tokens_used)
    assert after.earliest("p", "m", 1, clock.now).why == "rpm"


def test_a_restart_does_not_count_another_day_nor_an_old_minute() -> None:
    clock = Clock()
    ledger = ledger_with(stated(1, rpd=1), clock.now)
    ledger.restore_day("p", "m", "2026-11-23", 50, clock.now)
    ledger.restore_send("p", "m", clock.now.wall - 100, 10, clock.now)
    assert ledger.reserve("a", "p", "m", 1, clock.now)


def test_a_send_from_the_future_of_a_wrong_clock_counts_as_just_sent() -> None:
    clock = Clock()
    ledger = ledger_with(stated(1), clock.now)
    ledger.restore_send("p", "m", clock.now.wall + 5000, 10, clock.now)
    assert ledger.earliest("p", "m", 1, clock.now).at - clock.now.mono <= 61.0


def test_learned_limits_are_kept_over_a_restart() -> None:
    clock = Clock()
    before = Ledger()
    before.learn("p", "m", [QuotaViolation("rpm", 2), QuotaViolation("rpd", 20)], clock.now)
    after = Ledger()
    for (project, model), limits in before.learned().items():
        after.restore_learned(project, model, limits, clock.now)
    assert after.limits("p", "m", clock.now) == before.limits("p", "m", clock.now)
    assert (after.limits("p", "m", clock.now).rpm, after.limits("p", "m", clock.now).rpd) == (2, 20)


def test_the_share_of_the_day_that_is_left() -> None:
    clock = Clock()
    ledger = ledger_with(stated(rpd=4), clock.now)
    assert ledger.day_left("p", "m", clock.now) == 1.0
    assert ledger.reserve("a", "p", "m", 1, clock.now)
    assert ledger.day_left("p", "m", clock.now) == 0.75
    assert Ledger().day_left("p", "m", clock.now) == 1.0
