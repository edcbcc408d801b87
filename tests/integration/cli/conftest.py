"""A home of its own, a small library of real clips, a running emulator, and the command line run in this process."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from gsvr_tui.cli import main
from gsvr_tui.emulator import EmulatorServer, KeySpec, Latency, ProjectSpec, Scenario
from gsvr_tui.media.samples import ClipSpec, make_clip

KEY = "test-key-of-anna-0001"
VARIABLE = "GSVR_TEST_KEY"
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def clip_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three small videos with known content."""
    folder = tmp_path_factory.mktemp("clips")
    for number in range(3):
        make_clip(folder / f"clip {number}.mp4", ClipSpec(8, 64, 48, 2, seed=number))
    return folder


@pytest.fixture
def clips(clip_library: Path, tmp_path: Path) -> Path:
    """A copy of them that the test may spoil."""
    return Path(shutil.copytree(clip_library, tmp_path / "videos"))


@dataclass
class Result:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def records(self) -> list[dict[str, Any]]:
        """stdout as JSON Lines."""
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass
class Home:
    """A user's home on this machine."""

    path: Path
    call: Callable[..., Result]
    servers: list[EmulatorServer] = field(default_factory=list)

    @property
    def config(self) -> Path:
        """Its config."""
        return self.path / "config.yaml"

    @property
    def reports(self) -> Path:
        """Where its reports go."""
        return self.path / "reports"

    def serve(self, *, base_s: float = 0.05, **project: Any) -> EmulatorServer:
        """Start an emulator with one project, and an account for it in the config."""
        known = {"limits": project.pop("limits")} if "limits" in project else {}
        rules = project.pop("rules", ())
        spec = ProjectSpec(name="p1", keys=(KeySpec(KEY, **project.pop("key", {})),), **known, **project)
        server = EmulatorServer(Scenario((spec,), latency=Latency(base_s), rules=rules))
        server.start()
        self.servers.append(server)
        self.write(server.base_url)
        return server

    def write(self, base_url: str, *, tier: str = "tier1", more: str = "") -> None:
        """The config for an account at this address."""
        self.path.mkdir(mode=0o700, exist_ok=True)
        self.config.write_text(
            f"version: 1\n{more}accounts:\n  - name: anna\n    project: p1\n    key: {{env: {VARIABLE}}}\n"
            f"    tier: {tier}\n    base_url: {base_url}\n",
            encoding="utf-8",
        )


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Home]:
    """An empty home; commands run in this process."""
    for name in ("GSVR_CONFIG", "GSVR_PASSPHRASE", "GSVR_PASSPHRASE_FILE", "GOOGLE_GEMINI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("GEMINI_API_KEY", "GOOGLE_API_KEY", "DBUS_SESSION_BUS_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / "home"
    monkeypatch.setenv("GSVR_HOME", str(path))
    monkeypatch.setenv(VARIABLE, KEY)
    monkeypatch.chdir(tmp_path)
    mask = os.umask(0o022)

    def call(*arguments: object) -> Result:
        capfd.readouterr()
        code = main([os.fspath(part) if isinstance(part, Path) else str(part) for part in arguments])
        seen = capfd.readouterr()
        return Result(code, seen.out, seen.err)

    found = Home(path, call)
    yield found
    for server in found.servers:
        server.stop()
    os.umask(mask)


def environment(**extra: str) -> dict[str, str]:
    """The environment of a child process, without what a developer may have set."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("GSVR_", "GEMINI_", "GOOGLE_"))}
    return {**kept, "PYTHONPATH": str(ROOT), **extra}


def child(*arguments: str | Path, env: dict[str, str], cwd: Path) -> subprocess.Popen[str]:
    """A process of its own, its output in pipes."""
    return subprocess.Popen(
        [sys.executable, "-m", "gsvr_tui", *map(str, arguments)],
        env=env,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
