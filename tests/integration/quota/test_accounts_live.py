"""Accounts while a batch runs: keys replaced, rests that end by themselves, projects that turn out to be one."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from gsvr_tui.core.messages import CommandDone, CommandRefused, ReplaceKey, RunState
from gsvr_tui.core.models import Account, AccountHealth, JobState, KeyRef, Limits
from gsvr_tui.core.secret import Secret
from gsvr_tui.emulator import KeySpec, KeyState, ProjectSpec
from gsvr_tui.emulator import Limits as RealLimits
from tests.integration.quota.conftest import CommandLine, Said
from tests.integration.service.conftest import MakeRig
from tests.integration.service.rig import Rig, account, project, world

Clips = Callable[[int], Path]
MODEL = "gemini-3.8-flash"


def _with_a_dead_key(make_rig: MakeRig) -> Rig:
    keys = (KeySpec("emulator-key-p1-0001", state=KeyState.LEAKED), KeySpec("emulator-key-p1-0002"))
    return make_rig(world(ProjectSpec("p1", keys)))


def test_a_replaced_key_revives_its_account_and_the_jobs_go_on(make_rig: MakeRig, clips: Clips) -> None:
    rig = _with_a_dead_key(make_rig)
    rig.open([account("p1")])
    jobs = rig.add(clips(2))
    assert rig.wait_rest().code == "KEYS_DEAD"
    assert rig.account("p1").health is AccountHealth.DEAD_KEY
    answer = rig.tell(ReplaceKey, name="p1", key=Secret("emulator-key-p1-0002"))
    assert isinstance(answer, CommandDone), answer
    rig.wait_until(JobState.DONE, *jobs)
    assert rig.account("p1").health is AccountHealth.OK
    assert rig.account("p1").key_tail == "0002"
    assert [rig.rows[job].attempts for job in jobs] == [0, 0]


def test_a_new_key_that_is_dead_is_not_taken(make_rig: MakeRig, clips: Clips) -> None:
    rig = _with_a_dead_key(make_rig)
    rig.open([account("p1")], keys={"p1": "emulator-key-p1-0002"})
    answer = rig.tell(ReplaceKey, name="p1", key=Secret("emulator-key-p1-0001"))
    assert isinstance(answer, CommandRefused)
    assert "was not replaced" in answer.message
    rig.add(clips(1))
    rig.wait_until(JobState.DONE)
    missing = rig.tell(ReplaceKey, name="nobody", key=Secret("emulator-key-p1-0002"))
    assert isinstance(missing, CommandRefused)


def test_the_key_of_a_variable_is_the_users_to_replace(make_rig: MakeRig) -> None:
    rig = make_rig()
    rig.open([Account("env", "p1", KeyRef("env", "GSVR_TEST_KEY"))])
    answer = rig.tell(ReplaceKey, name="env", key=Secret("emulator-key-p1-0001"))
    assert isinstance(answer, CommandRefused)
    assert "GSVR_TEST_KEY" in answer.message + answer.advice


def test_a_day_used_up_rests_until_pacific_midnight_and_goes_on_by_itself(make_rig: MakeRig, clips: Clips) -> None:
    rig = make_rig(world(project("p1", limits=RealLimits(rpd=4))), frozen=True)
    rig.open([account("p1", limits=Limits(rpm=100, source="user"))], workers=1)
    jobs = rig.add(clips(6))
    status = rig.wait_rest()
    assert status.state is RunState.RESTING
    assert status.until is not None
    row = rig.account("p1")
    assert row.health is AccountHealth.RESTING
    assert row.until is not None
    (quota,) = [row for row in rig.quota if row.model == MODEL]
    assert (quota.day_limit, quota.limit_source) == (4, "429")
    assert quota.learned_at is not None
    rejected = len(rig.generates(status=429))
    rig.play(*jobs)
    assert set(rig.states()) == {JobState.DONE}
    assert rig.account("p1").health is AccountHealth.OK
    assert rejected == len(rig.generates(status=429)) == 1
    assert [rig.rows[job].attempts for job in jobs] == [0] * 6


def test_two_names_for_one_project_are_found_and_taken_as_one(make_rig: MakeRig, clips: Clips) -> None:
    keys = ("emulator-key-p1-0001", "emulator-key-p1-0002")
    rig = make_rig(world(project("p1", keys=keys, limits=RealLimits(rpm=3)), project("p2")), frozen=True)
    accounts = [
        account("anna", of="lab-a", limits=Limits(rpm=3, source="user")),
        account("ben", of="lab-b", limits=Limits(rpm=3, source="user")),
        account("p2"),
    ]
    rig.open(accounts, keys={"anna": keys[0], "ben": keys[1], "p2": "emulator-key-p2-0001"}, workers=2)
    jobs = rig.add(clips(6))
    rig.wait_for(lambda: any("one Google project" in line.message for line in rig.logs))
    (line,) = [line for line in rig.logs if "one Google project" in line.message]
    assert line.level == "warning"
    assert "anna" in line.message
    assert "ben" in line.message
    rig.play(*jobs)
    assert set(rig.states()) == {JobState.DONE}
    rows = {name: rig.account(name) for name in ("anna", "ben", "p2")}
    assert rows["anna"].project == rows["ben"].project
    assert f"project: {rows['anna'].project}" in rows["ben"].note
    assert "shares its Google project with ben" in rows["anna"].note
    assert rows["p2"].note == ""
    assert len(rig.generates(status=429)) <= 1


def test_projects_that_are_two_are_left_alone(make_rig: MakeRig, clips: Clips) -> None:
    rig = make_rig(world(project("p1"), project("p2")))
    rig.open([account("p1"), account("p2")])
    rig.add(clips(4))
    rig.wait_until(JobState.DONE)
    rig.close()
    assert not any("one Google project" in line.message for line in rig.logs)
    names = {entry.file for entry in rig.entries("get_file", status=403)}
    assert len(names) <= 1  # asked once for the pair


def test_accounts_replace_reads_the_key_from_stdin_and_keeps_it_where_it_was(
    make_rig: MakeRig, command_line: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = ("emulator-key-p1-0001", "emulator-key-p1-0002")
    rig = make_rig(world(project("p1", keys=keys)))
    secret = {"GSVR_PASSPHRASE": "correct horse battery staple"}

    def typed(key: str, *arguments: str) -> Said:
        monkeypatch.setattr("sys.stdin", io.StringIO(key + "\n"))
        return command_line(rig, "accounts", *arguments, **secret)

    where = ("--store", "vault", "--project", "p1", "--base-url", rig.server.base_url)
    assert typed(keys[0], "add", "mine", "-", *where).code == 0
    rig.admin("key", tail="0001", state="leaked")
    assert typed("", "check").code == 1
    bad = typed("emulator-key-of-nobody", "replace", "mine", "-")
    assert bad.code == 2
    assert "was not replaced" in bad.err
    good = typed(keys[1], "replace", "mine", "-")
    assert good.code == 0, good.err
    assert "0002" in good.out
    assert keys[1] not in good.out + good.err
    assert typed("", "check").code == 0
    assert typed("", "replace", "nobody", "-").code == 2
    assert "shell's history" in typed("", "replace", "mine", keys[0]).err
