"""A disk that is really full: the program says so, keeps everything, and goes on when there is room."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gsvr_tui.emulator import EmulatorServer, KeySpec, Latency, ProjectSpec, Scenario
from gsvr_tui.media.samples import ClipSpec, make_clip
from tests.integration.cli.conftest import KEY, VARIABLE, environment

DRIVER = Path(__file__).with_name("full_disk_driver.py")
VIDEOS = 12


def can_mount() -> bool:
    """True where a user may have a disk of his own in a namespace."""
    unshare = shutil.which("unshare")
    if unshare is None:
        return False
    call = [unshare, "-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return subprocess.run(call, capture_output=True, check=False).returncode == 0


pytestmark = [pytest.mark.crash, pytest.mark.skipif(not can_mount(), reason="no disks of one's own here")]


def test_a_full_disk_is_told_and_the_run_ends_well_when_there_is_room_again(tmp_path: Path) -> None:
    videos, home = tmp_path / "videos", tmp_path / "home"
    videos.mkdir()
    for number in range(VIDEOS):
        make_clip(videos / f"clip{number}.mp4", ClipSpec(2, 64, 48, 2, seed=number))
    with EmulatorServer(Scenario((ProjectSpec("p1", (KeySpec(KEY),)),), latency=Latency(0.2))) as server:
        home.mkdir()
        (home / "config.yaml").write_text(
            f"version: 1\naccounts:\n  - name: anna\n    project: p1\n    key: {{env: {VARIABLE}}}\n    tier: tier1\n"
            f"    base_url: {server.base_url}\n    limits: {{gemini-3.8-flash: {{rpm: 1000}}}}\n"
        )
        result = subprocess.run(
            ["unshare", "-rm", sys.executable, str(DRIVER), str(home), str(videos)],
            env=environment(GSVR_HOME=str(home), **{VARIABLE: KEY}),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )
        asked = [entry.file_sha256 for entry in server.log if entry.kind == "generate"]
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["freed"], found["said"]
    assert found["done_before"] < VIDEOS
    assert found["code"] == 0, found["said"]
    assert found["reports"] == VIDEOS
    assert len(asked) == len(set(asked)) == VIDEOS
