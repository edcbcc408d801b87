"""The lower bound says what nobody can beat."""

from __future__ import annotations

import math
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.balance.bound import Supply, by_requests, lower_bound

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=ZoneInfo("America/Los_Angeles")).timestamp()
MIDNIGHT = datetime(2026, 11, 25, 0, 0, tzinfo=ZoneInfo("America/Los_Angeles")).timestamp()


@given(st.integers(1, 300), st.integers(1, 60), st.floats(0.1, 100))
def test_one_project_takes_as_many_minutes_as_the_formula_says(jobs: int, rpm: int, service: float) -> None:
    expected = 60 * (math.ceil(jobs / rpm) - 1) + service
    assert lower_bound([Supply(rpm=rpm)], [1000] * jobs, service, NOON) == pytest.approx(expected)


def test_several_projects_share_the_work() -> None:
    supplies = [Supply(rpm=5)] * 4
    assert lower_bound(supplies, [0] * 80, 3.0, NOON) == pytest.approx(183.0)
    assert lower_bound(supplies, [0] * 81, 3.0, NOON) == pytest.approx(243.0)


def test_projects_of_different_rates_fill_each_their_own_minutes() -> None:
    assert by_requests([Supply(rpm=1), Supply(rpm=10)], 33, NOON) == pytest.approx(120.0)
    assert by_requests([Supply(rpm=1), Supply(rpm=10)], 34, NOON) == pytest.approx(180.0)


def test_a_day_that_is_used_up_goes_on_at_midnight_pacific() -> None:
    supply = Supply(rpm=4, rpd=8)
    assert by_requests([supply], 8, MIDNIGHT - 600) == pytest.approx(60.0)
    assert by_requests([supply], 9, MIDNIGHT - 600) == pytest.approx(600.0)
    assert by_requests([supply], 16, MIDNIGHT - 600) == pytest.approx(660.0)
    assert by_requests([supply], 17, MIDNIGHT - 600) == pytest.approx(600 + 86_400)


def test_a_window_that_reaches_over_midnight_still_counts() -> None:
    assert by_requests([Supply(rpm=4, rpd=8)], 9, MIDNIGHT - 70) == pytest.approx(120.0)
    assert by_requests([Supply(rpm=4, rpd=8)], 13, MIDNIGHT - 70) == pytest.approx(180.0)


def test_limits_that_shrink_hold_from_then_on() -> None:
    supply = Supply(rpm=8, changes=((150.0, 4),))
    assert by_requests([supply], 24, NOON) == pytest.approx(120.0)
    assert by_requests([supply], 28, NOON) == pytest.approx(180.0)
    assert by_requests([supply], 29, NOON) == pytest.approx(240.0)


def test_a_key_that_dies_gives_nothing_more() -> None:
    assert by_requests([Supply(rpm=5, ends_at=100.0)], 10, NOON) == pytest.approx(60.0)
    assert by_requests([Supply(rpm=5, ends_at=100.0)], 11, NOON) == math.inf


def test_an_overloaded_service_answers_nobody() -> None:
    assert by_requests([Supply(rpm=5)], 11, NOON, (100.0, 400.0)) == pytest.approx(400.0)
    assert by_requests([Supply()], 1000, NOON, (0.0, 300.0)) == pytest.approx(300.0)


def test_what_another_program_takes_is_not_ours() -> None:
    assert by_requests([Supply(rpm=5, taken=2.0)], 9, NOON) == pytest.approx(120.0)


def test_half_a_request_left_over_each_minute_makes_one_in_two() -> None:
    assert by_requests([Supply(rpm=5, taken=2.5)], 5, NOON) == pytest.approx(60.0)


def test_tokens_bind_where_they_are_the_scarcer() -> None:
    supplies = [Supply(rpm=100, tpm=50_000)] * 2
    assert lower_bound(supplies, [25_000] * 8, 2.0, NOON) == pytest.approx(62.0)
    assert lower_bound(supplies, [100] * 8, 2.0, NOON) == pytest.approx(2.0)


def test_a_project_without_a_limit_of_tokens_leaves_no_bound_by_tokens() -> None:
    assert lower_bound([Supply(tpm=1000), Supply()], [900] * 50, 2.0, NOON) == pytest.approx(2.0)


@given(
    st.lists(st.builds(Supply, rpm=st.integers(1, 20), rpd=st.none() | st.integers(1, 30)), min_size=1, max_size=4),
    st.integers(1, 80),
)
def test_one_more_project_never_makes_it_slower(supplies: list[Supply], jobs: int) -> None:
    before = by_requests(supplies, jobs, NOON)
    assert by_requests([*supplies, Supply(rpm=3)], jobs, NOON) <= before
    assert by_requests(supplies, jobs + 1, NOON) >= before
