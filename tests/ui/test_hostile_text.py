"""Text from outside is out to do harm: it is poured through every field of every message and every screen."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gsvr_tui.core.messages import (
    AccountRow,
    BatchRow,
    Command,
    CommandDone,
    CommandRefused,
    Event,
    JobDetail,
    JobRow,
    KeyChecked,
    LogLine,
    QuotaRow,
    RunState,
    ServiceStopped,
    Snapshot,
    Status,
    TimelineEntry,
    WatchJob,
)
from gsvr_tui.core.models import AccountHealth, JobState, KeyRef, Step
from gsvr_tui.ui.rehearsal import scenes
from gsvr_tui.ui.screens.wizard import WizardScreen

NOW = 1_800_000_000.0
CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def poured(bad: str) -> Snapshot:
    """A snapshot whose every string is bad."""
    rows = tuple(
        JobRow(f"id{i}", bad, bad, state, Step.GENERATE, note=bad, advice=bad, account=bad, project=bad, model=bad)
        for i, state in enumerate(JobState)
    )
    accounts = tuple(
        AccountRow(f"{bad}{i}", bad, bad[:4], KeyRef("env", bad), bad, health, bad, bad)
        for i, health in enumerate(AccountHealth)
    )
    quota = (QuotaRow(bad, bad, 1, 1, 3, 1, None, 1, 0, NOW, note=bad),)
    status = scenes.status_of(rows, RunState.BLOCKED, reason=bad, advice=bad)
    return Snapshot(status, (BatchRow(bad, bad, NOW, bad, bad, bad),), rows, accounts, quota, bad, (bad,), (bad,))


def answers(bad: str, snapshot: Snapshot) -> Any:
    """A service whose every answer is bad."""

    def respond(command: Command) -> list[Event]:
        if isinstance(command, WatchJob):
            return [
                JobDetail(
                    row, bad, ((bad, bad),), (TimelineEntry(NOW, bad, bad),), ((bad, bad, bad),), bad, bad, (bad,)
                )
                for row in snapshot.jobs
                if row.id == command.job
            ]
        return [CommandRefused(command.id, bad, bad)]

    return respond


@pytest.mark.parametrize("bad", scenes.NASTY)
async def test_no_screen_falls_over_or_lets_it_through(stage: Any, bad: str) -> None:
    snapshot = poured(bad)
    async with stage(snapshot, respond=answers(bad, snapshot), default_output=bad) as s:
        s.handle.emit(*[LogLine(NOW, level, bad, bad, bad, bad, {bad: bad}) for level in ("info", "error", bad)])
        s.handle.emit(CommandDone("nobody", bad), KeyChecked("nobody", True, bad, bad, 1, (bad,)))
        await s.until(lambda: s.app.link.model.detail, "details")

        def check() -> None:
            assert s.app._exception is None
            assert not CONTROL.search(s.text())

        check()
        for keys in (
            ("j", "x"), ("enter",), ("tab",), ("tab",), ("escape",), ("2",), ("c",), ("j", "x"), ("escape",), ("3",),
            ("k", "enter"), ("1",), ("exclamation_mark",), ("escape",), ("a",), ("escape",), ("question_mark",),
            ("escape",), ("slash", "a", "escape"),
        ):  # fmt: skip
            await s.press(*keys)
            check()
        s.app.open_wizard()
        await s.until(lambda: isinstance(s.app.screen, WizardScreen), "the wizard")
        s.app.screen.enter_keys("AIza" + "x" * 35)
        await s.until(lambda: "checking" not in s.text(), "the answer")
        check()
        s.handle.emit(ServiceStopped(bad))
        await s.until(lambda: s.app._exit, "the end")


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.text(min_size=1, max_size=40))
async def test_any_name_can_be_shown(stage: Any, bad: str) -> None:
    snapshot = poured(bad)
    async with stage(snapshot, respond=answers(bad, snapshot)) as s:
        await s.until(lambda: s.app.link.model.detail, "details")
        assert not CONTROL.search(s.text())
        s.handle.emit(replace(snapshot, status=Status(RunState.IDLE, bad)))
        await s.press("2", "3")
        assert s.app._exception is None
