"""The demo with several accounts: one rests and comes back, one key dies and is isolated, everything is done."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from gsvr_tui.commands import demo as demo_module
from gsvr_tui.core.messages import AccountRow, AccountsChanged, JobRow, JobsChanged, QuotaChanged, QuotaRow, Stop
from gsvr_tui.core.models import AccountHealth, JobState
from gsvr_tui.emulator import scenario_file
from gsvr_tui.emulator.scenario import Scenario
from gsvr_tui.emulator.scenario_file import built_in_scenario
from tests.integration.quota.conftest import CommandLine
from tests.integration.service.conftest import MakeRig

LIMIT_S = 60.0


def test_the_scene_with_several_accounts_plays_as_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def faster(name: str) -> Scenario:
        return replace(built_in_scenario(name), time_factor=20.0)

    monkeypatch.setattr(scenario_file, "built_in_scenario", faster)
    monkeypatch.setenv("GSVR_HOME", str(tmp_path))
    rows: dict[str, JobRow] = {}
    healths: dict[str, list[AccountHealth]] = {}
    last: dict[str, AccountRow] = {}
    fullest: dict[str, int] = {}
    woken = threading.Event()
    with demo_module._stage("", 2) as stage, demo_module._opened(stage) as session:
        session.service.set_wake(woken.set)
        session.service.start()
        session.service.send(stage.command)
        deadline = time.monotonic() + LIMIT_S
        jobs = demo_module._jobs_for(2)
        while len(rows) < jobs or not all(row.state.final for row in rows.values()):
            assert time.monotonic() < deadline, (rows, last)
            woken.wait(0.2)
            woken.clear()
            for event in session.service.take_events():
                if isinstance(event, JobsChanged):
                    rows.update({row.id: row for row in event.rows})
                elif isinstance(event, AccountsChanged):
                    for row in event.accounts:
                        last[row.name] = row
                        seen = healths.setdefault(row.name, [])
                        if seen[-1:] != [row.health]:
                            seen.append(row.health)
                elif isinstance(event, QuotaChanged):
                    _note(event.quota, fullest)
        session.service.send(Stop("stop"))
        assert session.service.join(20.0)
    assert {row.state for row in rows.values()} == {JobState.DONE}
    assert {row.attempts for row in rows.values()} == {0}
    rested = healths["anna"]
    assert AccountHealth.RESTING in rested
    assert rested[rested.index(AccountHealth.RESTING) + 1] is AccountHealth.OK
    assert last["ben"].health is AccountHealth.DEAD_KEY
    assert "blocked the API key" in last["ben"].note
    assert last["ben"].why.startswith("not used")
    assert max(fullest.values()) >= demo_module.TAKEN_BY_FIRST


def _note(quota: tuple[QuotaRow, ...], fullest: dict[str, int]) -> None:
    for row in quota:
        fullest[row.project] = max(fullest.get(row.project, 0), row.minute_used)


def test_the_built_in_scene_has_as_many_projects_as_may_be_asked_for() -> None:
    scene = built_in_scenario(demo_module.SEVERAL)
    assert len(scene.projects) == demo_module.MOST_ACCOUNTS
    assert scene.projects[0].limits.rpm == demo_module.TAKEN_BY_FIRST < demo_module.MINUTE
    assert {project.limits.rpm for project in scene.projects[1:]} == {demo_module.MINUTE}


@pytest.mark.parametrize("count", ["1", "9", "x"])
def test_fewer_or_more_accounts_than_there_are_is_a_message(
    make_rig: MakeRig, command_line: CommandLine, count: str
) -> None:
    said = command_line(make_rig(), "demo", "--headless", "--accounts", count)
    assert said.code == 2
    assert "accounts" in said.err
