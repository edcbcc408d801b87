"""Keys and accounts while the service runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gsvr_tui.config.load import load_config
from gsvr_tui.core.messages import (
    AddAccount,
    CheckAccount,
    CheckKey,
    CommandDone,
    CommandRefused,
    EnableAccount,
    KeyChecked,
    RemoveAccount,
    RunState,
)
from gsvr_tui.core.models import Account, AccountHealth, JobState, KeyRef, Limits
from gsvr_tui.core.secret import Secret
from gsvr_tui.emulator import Action, KeySpec, KeyState, ProjectSpec, Rule
from tests.integration.service.conftest import MakeRig
from tests.integration.service.rig import account, project, world

Clips = Callable[[int], Path]
PASSPHRASE = "correct horse battery staple"


def test_a_key_is_checked_without_being_kept(make_rig: MakeRig) -> None:
    bad = ProjectSpec("p2", (KeySpec("emulator-key-p2-0001", state=KeyState.INVALID),))
    rig = make_rig(world(project("p1"), bad))
    rig.open([])
    good = rig.tell(CheckKey, key=Secret("emulator-key-p1-0001"), base_url=rig.server.base_url)
    assert isinstance(good, KeyChecked)
    assert good.ok
    assert "gemini-3.8-flash" in good.models
    refused = rig.tell(CheckKey, key=Secret("emulator-key-p2-0001"), base_url=rig.server.base_url)
    assert isinstance(refused, KeyChecked)
    assert (refused.ok, refused.dead) == (False, True)
    assert refused.advice
    unreached = rig.tell(CheckKey, key=Secret("emulator-key-p1-0001"), base_url="http://127.0.0.1:9")
    assert isinstance(unreached, KeyChecked)
    assert (unreached.ok, unreached.dead) == (False, False)
    assert unreached.message
    strange = rig.tell(CheckKey, key=Secret("emulator-key-p1-0001"), base_url="ftp://somewhere")
    assert isinstance(strange, KeyChecked)
    assert not strange.ok
    assert rig.accounts == ()


def test_an_account_added_while_it_runs_takes_the_work_that_waited(make_rig: MakeRig, clips: Clips) -> None:
    rig = make_rig()
    rig.open([], keep_config=True)
    jobs = rig.add(clips(2))
    status = rig.wait_rest()
    assert (status.state, status.code) == (RunState.BLOCKED, "NO_ACCOUNT")
    added = rig.tell(
        AddAccount,
        name="mine",
        project="p1",
        store="vault",
        key=Secret("emulator-key-p1-0001"),
        passphrase=Secret(PASSPHRASE),
        tier="tier1",
        base_url=rig.server.base_url,
    )
    assert isinstance(added, CommandDone), added
    rig.wait_until(JobState.DONE, *jobs)
    assert rig.account("mine").key_tail == "0001"
    config = load_config(rig.places.config_file)
    assert [(a.name, a.project, a.key) for a in config.to_accounts()] == [("mine", "p1", KeyRef("vault", "mine"))]
    assert rig.places.vault_file.exists()
    rig.close()
    secrets = (b"emulator-key-p1-0001", PASSPHRASE.encode())
    for file in rig.home.rglob("*"):
        if file.is_file():
            assert not any(secret in file.read_bytes() for secret in secrets), file


def test_an_account_that_is_there_already_is_not_added_twice(make_rig: MakeRig) -> None:
    rig = make_rig()
    rig.open([account("p1")])
    answer = rig.tell(AddAccount, name="p1", project="x", store="vault", key=Secret("k" * 12))
    assert isinstance(answer, CommandRefused)
    assert "there is an account named p1" in answer.message


def test_an_account_removed_while_it_runs_gets_nothing_more(make_rig: MakeRig, clips: Clips) -> None:
    rig = make_rig(world(project("p1"), project("p2"), rules=[Rule(Action.HANG, project="p1", count=1)]))
    rig.open([account("p1")], workers=1)
    jobs = rig.add(clips(3))
    rig.wait_for(lambda: rig.met() == 1)
    rig.tell(RemoveAccount, name="p1")
    rig.wait_for(lambda: rig.accounts == ())
    assert len(rig.generates()) == 0  # the one that is out is not cut
    second = rig.tell(
        AddAccount,
        name="two",
        project="p2",
        store="vault",
        key=Secret("emulator-key-p2-0001"),
        passphrase=Secret(PASSPHRASE),
        base_url=rig.server.base_url,
        tier="tier1",
    )
    assert isinstance(second, CommandDone)
    rig.close(drain=False)
    rig.open([account("p2")])
    rig.wait_until(JobState.DONE, *jobs)
    assert {entry.project for entry in rig.generates(outcome="answered")} == {"p2"}


def test_a_check_of_an_account_does_not_cut_what_it_has_in_flight(make_rig: MakeRig, clips: Clips) -> None:
    rig = make_rig(world(rules=[Rule(Action.SLOW, seconds=1.5)]))
    rig.open([account("p1")], workers=1)
    (job,) = rig.add(clips(1))
    rig.wait_for(lambda: rig.met() == 1)
    checked = rig.tell(CheckAccount, name="p1")
    assert isinstance(checked, CommandDone), checked
    rig.wait_until(JobState.DONE, job)
    assert len(rig.generates()) == 1


def test_an_account_switched_off_rests_until_it_is_switched_on(make_rig: MakeRig, clips: Clips) -> None:
    rig = make_rig()
    rig.open([account("p1")])
    rig.tell(EnableAccount, name="p1", enabled=False)
    jobs = rig.add(clips(2))
    status = rig.wait_rest()
    assert (status.state, status.code) == (RunState.BLOCKED, "KEYS_DEAD")
    assert rig.account("p1").health is AccountHealth.DISABLED
    rig.tell(EnableAccount, name="p1", enabled=True)
    rig.wait_until(JobState.DONE, *jobs)


def test_a_dead_key_that_works_again_is_found_by_a_check(make_rig: MakeRig, clips: Clips) -> None:
    rig = make_rig(world(ProjectSpec("p1", (KeySpec("emulator-key-p1-0001", state=KeyState.INVALID),))))
    rig.open([account("p1")])
    jobs = rig.add(clips(2))
    status = rig.wait_rest()
    assert (status.state, status.code) == (RunState.BLOCKED, "KEYS_DEAD")
    refused = rig.tell(CheckAccount, name="p1")
    assert isinstance(refused, CommandRefused)
    rig.admin("key", tail="0001", state="ok")
    assert isinstance(rig.tell(CheckAccount, name="p1"), CommandDone)
    rig.wait_until(JobState.DONE, *jobs)
    assert rig.account("p1").health is AccountHealth.OK


def test_access_granted_later_is_found_by_a_check(make_rig: MakeRig, clips: Clips) -> None:
    from gsvr_tui.emulator import Limits as RealLimits

    rig = make_rig(world(project("p1", limits=RealLimits(rpm=0))))
    rig.open([account("p1", tier="unknown", limits=Limits())])
    (job,) = rig.add(clips(1))
    assert rig.wait_rest().code == "NO_MODEL"
    rig.admin("project", name="p1", limits={"rpm": 100})
    assert isinstance(rig.tell(CheckAccount, name="p1"), CommandDone)
    rig.wait_until(JobState.DONE, job)


def test_a_key_variable_that_is_not_set_is_named(make_rig: MakeRig, clips: Clips) -> None:
    rig = make_rig()
    rig.open([Account("env", "p1", KeyRef("env", "GSVR_TEST_KEY"))])
    rig.add(clips(1))
    status = rig.wait_rest()
    assert (status.state, status.code) == (RunState.BLOCKED, "KEYS_DEAD")
    assert "GSVR_TEST_KEY" in rig.account("env").note


@pytest.mark.parametrize("kind", [RemoveAccount, CheckAccount])
def test_an_account_that_is_not_there_is_said_so(make_rig: MakeRig, kind: type[RemoveAccount | CheckAccount]) -> None:
    rig = make_rig()
    rig.open([account("p1")])
    answer = rig.tell(kind, name="nobody")
    assert isinstance(answer, CommandRefused)
    assert "no account named nobody" in answer.message


def test_an_account_whose_variable_is_not_set_is_refused_when_it_is_added(make_rig: MakeRig) -> None:
    rig = make_rig()
    rig.open([])
    answer = rig.tell(AddAccount, name="later", project="p1", store="env", env="GSVR_TEST_NOT_SET")
    assert isinstance(answer, CommandRefused)
    assert "GSVR_TEST_NOT_SET" in answer.message
    assert answer.advice
    assert not rig.accounts


def test_accounts_added_at_once_on_a_fresh_home_are_all_kept(make_rig: MakeRig) -> None:
    rig = make_rig()
    rig.open([], keep_config=True)
    for name in ("GSVR_TEST_ONE", "GSVR_TEST_TWO", "GSVR_TEST_THREE"):
        rig.env[name] = "emulator-key-p1-0001"
    sent = [
        rig.send(AddAccount, name=name, project="p1", store="env", env=f"GSVR_TEST_{name.upper()}")
        for name in ("one", "two", "three")
    ]
    rig.wait_for(lambda: all(command in rig.answers for command in sent))
    assert all(isinstance(rig.answers[command], CommandDone) for command in sent)
    assert sorted(a.name for a in load_config(rig.places.config_file).accounts) == ["one", "three", "two"]
