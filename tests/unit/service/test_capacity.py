"""How long projects need for very many requests."""

from __future__ import annotations

import math

import pytest

from gsvr_tui.core.models import Limits
from gsvr_tui.core.pacific import next_midnight
from gsvr_tui.core.scheduler_state import AUTO_WORKERS_A_PROJECT
from gsvr_tui.service.capacity import Room, Rooms, Usual, room, seconds_for
from tests.unit.service.worlds import WALL

HOUR_S = 3_600.0


def test_the_fallback_is_used_when_the_day_of_the_first_model_is_out() -> None:
    both = Rooms((Room(1.0, 10.0, 20.0), Room(2.0, math.inf, math.inf)))
    assert both.can(5.0, first=True) == 5.0
    assert both.can(15.0, first=True) == 10.0 + 2.0 * 5.0
    assert both.can(15.0, first=False) == 15.0


def test_days_are_pacific_and_the_last_one_ends_when_the_work_does() -> None:
    one = [Rooms((Room(100 / HOUR_S, 50.0, 200.0),))]
    to_midnight = next_midnight(WALL) - WALL
    assert seconds_for(one, 40.0, WALL) == pytest.approx(0.4 * HOUR_S, rel=0.01)
    assert seconds_for(one, 150.0, WALL) == pytest.approx(to_midnight + HOUR_S, rel=0.01)
    assert seconds_for(one, 350.0, WALL) == pytest.approx(to_midnight + 86_400.0 + HOUR_S, rel=0.01)


def test_the_tightest_of_all_limits_is_the_rate() -> None:
    usual = Usual(tokens=50_000.0, service_s=8.0, usd=0.1)
    assert room(Limits(), 0, usual, None).rate == AUTO_WORKERS_A_PROJECT / 8
    assert room(Limits(rpm=30), 0, usual, None).rate == 0.5
    assert room(Limits(rpm=30, tpm=600_000), 0, usual, None).rate == pytest.approx(0.2)
    assert room(Limits(rpm=30), 0, usual, 6.0).rate == pytest.approx(0.1)
    found = room(Limits(rpd=100, tpd=1_000_000), 5, usual, None)
    assert (found.left, found.day) == (15.0, 20.0)
