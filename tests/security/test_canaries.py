"""Keys of every store, used in good and bad runs: found nowhere afterwards, not whole and not in pieces."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from random import Random

import pytest
from keyring.backend import KeyringBackend

from gsvr_tui.cli import main
from gsvr_tui.core.messages import AddAccount, CheckAccount, CheckKey, CommandDone, KeyChecked, RetryJobs
from gsvr_tui.core.models import AccountHealth, JobState
from gsvr_tui.core.scheduler import Scheduler
from gsvr_tui.core.secret import Secret
from gsvr_tui.emulator import Action, KeyState, ProjectState, Rule
from gsvr_tui.service.assembly import Session
from gsvr_tui.service.finish_step import FinishStep
from tests.integration.cli.conftest import Home
from tests.integration.service.conftest import MakeRig
from tests.integration.service.rig import Rig, project, world
from tests.security.canary import Canary, leaks

LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789_-"
DEAD = (AccountHealth.DEAD_KEY, AccountHealth.DEAD_PROJECT)
PASSPHRASE = "Zq7-lang-genug-und-Xv3-nirgends"


def canary(seed: int, prefix: str = "AQ.") -> Canary:
    random = Random(seed)
    return Canary("CANARY" + "".join(random.choice(LETTERS) for _ in range(44)), prefix)


class MemoryKeyring(KeyringBackend):
    """A real backend as far as the program can see."""

    priority = 5

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self.kept.pop((service, username), None)


@pytest.fixture
def in_keyring(monkeypatch: pytest.MonkeyPatch) -> MemoryKeyring:
    made = MemoryKeyring()
    monkeypatch.setattr("keyring.core._keyring_backend", made)  # asking for the one before would look for all there are
    return made


def seen(rig: Rig) -> str:
    """All that a screen was told."""
    told = (rig.rows, rig.logs, rig.answers, rig.accounts, rig.quota, rig.status, rig.stopped)
    return "\n".join(repr(part) for part in told)


@pytest.mark.parametrize("kind", ["env", "keyring", "vault"])
def test_a_key_of_any_store_is_found_nowhere_after_good_runs_failures_and_crashes(
    kind: str,
    make_rig: MakeRig,
    originals: list[Path],
    tmp_path: Path,
    in_keyring: MemoryKeyring,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    key = canary({"env": 1, "keyring": 2, "vault": 3}[kind], "AIzaSy" if kind == "keyring" else "AQ.")
    passphrase = Canary(PASSPHRASE, "")
    rig = make_rig(world(project("p1", keys=[key.value])))
    rig.env["CANARY_KEY"] = key.value if kind == "env" else ""
    everything = ""

    def loud(session: Session) -> None:
        assert session.parts.logs is not None
        session.parts.logs.set_level("debug")

    rig.open([], keep_config=True, before_start=loud)
    found = rig.tell(CheckKey, key=Secret(key.value))
    assert isinstance(found, KeyChecked)
    assert found.ok, found
    answer = rig.tell(
        AddAccount,
        name="canary",
        project="p1",
        store=kind,
        key=None if kind == "env" else Secret(key.value),
        env="CANARY_KEY",
        passphrase=Secret(PASSPHRASE) if kind == "vault" else None,
        tier="tier1",
    )
    assert isinstance(answer, CommandDone), answer
    folder = tmp_path / "videos"
    folder.mkdir()
    for original in originals:
        shutil.copyfile(original, folder / original.name)
    (first,) = rig.add(folder / "clip0.mp4")
    rig.wait_until(JobState.DONE, first)

    # every way the service refuses a key or a project, and errors that repeat the key
    for state in KeyState:
        rig.admin("key", tail=key.value[-4:], state=str(state))
        rig.tell(CheckKey, key=Secret(key.value))
    rig.admin("key", tail=key.value[-4:], state="ok")
    for bad in ProjectState:
        rig.admin("project", name="p1", state=str(bad))
        rig.tell(CheckKey, key=Secret(key.value))
    rig.admin("project", name="p1", state="suspended")
    rig.send(CheckAccount, name="canary")
    rig.wait_for(lambda: rig.account("canary").health in DEAD)
    everything += seen(rig)
    rig.admin("project", name="p1", state="ok")
    rig.send(CheckAccount, name="canary")
    rig.wait_for(lambda: rig.account("canary").health is AccountHealth.OK)
    for code in (400, 409, 500):
        rig.server.add_rule(
            Rule(Action.HTTP, kind="generate", code=code, status="", message=f"bad call ?key={key.value}&x=1", count=1)
        )
    jobs = rig.add(folder / "clip1.mp4", folder / "clip2.mp4", folder / "clip3.mp4")
    rig.wait_for(lambda: all(rig.rows[job].state in (JobState.FAILED, JobState.DONE) for job in jobs))
    rig.server.add_rule(Rule(Action.HTTP, kind="upload_start", code=400, message=f"no: {key.value}", count=1))
    (job,) = rig.add(folder / "clip4.mp4")
    rig.wait_until(JobState.FAILED, job)

    # a fault of ours in a step, then one that ends the service
    def broken(*arguments: object, **more: object) -> None:
        raise RuntimeError(f"a fault that names {key.value}")

    with monkeypatch.context() as patch:
        patch.setattr(FinishStep, "render", broken)
        rig.tell(RetryJobs, jobs=(job,))
        rig.wait_until(JobState.FAILED, job)
        assert "fault" in rig.rows[job].note
    everything += seen(rig)
    with monkeypatch.context() as patch:
        patch.setattr(Scheduler, "next_actions", broken)
        assert rig.session is not None
        session = rig.session
        rig.send(CheckAccount, name="canary")
        assert session.service.join(20)
        rig._take(session)
    assert rig.stopped is not None
    assert "a fault that names" in rig.stopped.error
    everything += seen(rig)
    session.close()
    rig.session = None

    monkeypatch.setenv("GSVR_HOME", str(rig.home))
    monkeypatch.setenv("CANARY_KEY", rig.env["CANARY_KEY"])
    if kind == "vault":
        monkeypatch.setenv("GSVR_PASSPHRASE", PASSPHRASE)
    for arguments in (
        ["report-bug", "-o", str(tmp_path / "bug.zip")],
        ["report-bug", "--show"],
        ["doctor", "--json"],
        ["status", "--json", "--jobs"],
        ["accounts", "list"],
        ["verify", "--json"],
        ["usage"],
    ):
        main(arguments)
    out = capfd.readouterr()
    assert (tmp_path / "bug.zip").exists(), out.err
    logs = list(rig.places.logs.glob("*.jsonl"))
    assert "a fault that names" in logs[0].read_text()  # the log tells what happened, without the key
    assert leaks([key, passphrase], tmp_path, events=everything, stdout=out.out, stderr=out.err) == []
    if kind == "keyring":
        assert key.value in in_keyring.kept.values()


def test_a_key_in_the_environment_is_found_nowhere_after_runs_of_the_command_line(
    home: Home, clip_library: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from tests.integration.cli.conftest import VARIABLE

    key = canary(9)
    monkeypatch.setattr("tests.integration.cli.conftest.KEY", key.value)
    monkeypatch.setenv(VARIABLE, key.value)
    said = ""

    def run(*arguments: object) -> int:
        nonlocal said
        result = home.call(*arguments)
        said += result.out + result.err
        return result.code

    home.serve(state=ProjectState.SUSPENDED)
    config = home.config.read_text()
    home.config.write_text("log: {level: debug}\n" + config if "log:" not in config else config)
    assert run("run", clip_library, "--yes", "--json") == 2
    assert run("accounts", "check") != 0
    assert run("doctor", "--check") != 0
    home.servers[0].stop()
    home.servers.clear()
    home.serve(rules=(Rule(Action.HTTP, code=500, message=f"internal: {key.value}", count=2),))
    assert run("resume", "--json") == 0

    def broken(*arguments: object, **more: object) -> None:
        raise RuntimeError(f"a fault that names {key.value} and {key.value[10:30]}")

    monkeypatch.setattr("gsvr_tui.commands.headless.Headless._summary", broken)  # at the end of a run
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "x.mp4").write_bytes((clip_library / "clip 0.mp4").read_bytes() + b"\0\0\0\x08free")
    assert run("run", tmp_path / "more", "--yes") == 70
    assert list((home.path / "logs").glob("crash-*.txt"))
    assert run("--help") == 0
    assert leaks([key], tmp_path, said=said) == []


def test_the_search_itself_finds_what_is_hidden(tmp_path: Path) -> None:
    import base64
    import zipfile

    key = canary(4)
    (tmp_path / "piece").write_text(f"…{key.value[12:22]}…")
    (tmp_path / "coded").write_bytes(b"x" + base64.b64encode(b"key: " + key.value.encode()))
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inside", key.value * 20)
    (tmp_path / "clean").write_text("nothing " * 100)
    found = leaks([key], tmp_path, text=key.value)
    assert len(found) == 4
    assert all("clean" not in line for line in found)
    if os.name != "nt":
        (tmp_path / f"named {key.value[8:20]}").touch()
        assert len(leaks([key], tmp_path)) == 4
