"""Warnings before a project's day is used up."""

from __future__ import annotations

import logging
from dataclasses import replace
from random import Random

import pytest

from gsvr_tui.core.models import Account, KeyRef, Limits, Now
from gsvr_tui.core.scheduler_state import SchedulerState
from gsvr_tui.service.day_watch import DayWatch

WALL = 1_795_536_000.0
MODEL = "gemini-3.8-flash"
LIMIT = Limits(rpd=20, source="user")


@pytest.fixture
def state() -> SchedulerState:
    return SchedulerState(Random(1), None, 1)


def put(state: SchedulerState, project: str, used: int, now: Now) -> None:
    if state.pool.get(project) is None:
        state.pool.put(Account(project, project, KeyRef("memory", project)))
        state.ledger.set_limits(project, MODEL, LIMIT, now)
    day = state.ledger.views(now)
    assert day
    state.ledger.restore_day(project, MODEL, "2026-11-24", used, now)


def said(state: SchedulerState, watch: DayWatch, now: Now, caplog: pytest.LogCaptureFixture) -> list[str]:
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        watch.look(state.ledger.views(now), now)
    return [record.getMessage() for record in caplog.records]


def test_each_level_is_said_once_with_names_and_what_happens_next(
    state: SchedulerState, caplog: pytest.LogCaptureFixture
) -> None:
    now = Now(0.0, WALL)
    watch = DayWatch(state)
    put(state, "lab-a", 15, now)
    assert said(state, watch, now, caplog) == []
    put(state, "lab-a", 16, now)
    (first,) = said(state, watch, now, caplog)
    assert "lab-a" in first
    assert MODEL in first
    assert "80 %" in first
    assert "16 of 20" in first
    assert "midnight Pacific" in first
    put(state, "lab-a", 18, now)
    assert said(state, watch, now, caplog) == []
    put(state, "lab-a", 19, now)
    (second,) = said(state, watch, now, caplog)
    assert "95 %" in second
    put(state, "lab-a", 20, now)
    assert said(state, watch, now, caplog) == []


def test_where_others_have_room_the_work_is_said_to_go_on_there(
    state: SchedulerState, caplog: pytest.LogCaptureFixture
) -> None:
    now = Now(0.0, WALL)
    watch = DayWatch(state)
    for project, used in (("lab-a", 19), ("lab-b", 2), ("lab-c", 20)):
        put(state, project, used, now)
    first, second = said(state, watch, now, caplog)
    assert "lab-a has used" in first
    assert first.endswith("goes on with lab-b")
    assert "lab-c has used 100 %" in second


def test_a_new_day_is_watched_anew(state: SchedulerState, caplog: pytest.LogCaptureFixture) -> None:
    now = Now(0.0, WALL)
    watch = DayWatch(state)
    put(state, "lab-a", 19, now)
    assert len(said(state, watch, now, caplog)) == 1
    tomorrow = Now(86_400.0, WALL + 86_400.0)
    assert said(state, watch, tomorrow, caplog) == []
    state.ledger.restore_day("lab-a", MODEL, "2026-11-25", 17, tomorrow)
    assert len(said(state, watch, tomorrow, caplog)) == 1


def test_a_day_with_no_known_limit_says_nothing(state: SchedulerState, caplog: pytest.LogCaptureFixture) -> None:
    now = Now(0.0, WALL)
    state.ledger.set_limits("p", MODEL, replace(LIMIT, rpd=None), now)
    state.ledger.restore_day("p", MODEL, "2026-11-24", 10_000, now)
    assert said(state, DayWatch(state), now, caplog) == []
