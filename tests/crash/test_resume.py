"""SIGKILL in the middle of a batch, then `resume`: all done, and nothing paid twice but what was in flight.

The judge is the log of an emulator that runs in a process of its own. GSVR_CRASH_ROUNDS sets the rounds, each with a
seed that is printed; GSVR_CRASH_SEED repeats one.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random, SystemRandom
from typing import Any

import pytest

from gsvr_tui.media.samples import ClipSpec, make_clip

pytestmark = [
    pytest.mark.crash,
    pytest.mark.skipif(os.name == "nt", reason="SIGKILL"),
]

CLIPS = 20
KEY = "crash-test-key-0001"
ROUNDS = int(os.environ.get("GSVR_CRASH_ROUNDS", "1"))
ROOT = Path(__file__).parents[2]
LIMIT_S = 90.0
ON_ITS_WAY_S = 1.0
"""An answer that left the emulator so shortly before the kill may not have been on disk yet."""
SCENARIO = f"""
name: crash
projects:
  - name: p1
    keys: [{KEY}]
    tier: paid
latency: {{base_s: 0.5, spread: 0.6}}
files: {{processing_s: 0.1}}
"""


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty short videos, no two alike."""
    folder = tmp_path_factory.mktemp("videos")
    for number in range(CLIPS):
        make_clip(folder / f"clip {number:02}.mp4", ClipSpec(4, 48, 32, 2, seed=number, tone_hz=200 + number))
    return folder


@dataclass
class World:
    """An emulator in a process of its own, and a home."""

    folder: Path
    env: dict[str, str]
    log: Path

    def answered(self) -> list[dict[str, Any]]:
        """The paid answers so far."""
        return [entry for entry in self.entries() if entry["kind"] == "generate" and entry["outcome"] == "answered"]

    def entries(self) -> list[dict[str, Any]]:
        """Whole lines of the log."""
        if not self.log.exists():
            return []
        lines = self.log.read_text("utf-8").split("\n")[:-1]
        return [json.loads(line) for line in lines]

    def start(self, *arguments: str | Path) -> subprocess.Popen[bytes]:
        """A command in a process of its own."""
        with (self.folder / "output.txt").open("ab") as output:
            return subprocess.Popen(
                [sys.executable, "-m", "gsvr_tui", *map(str, arguments)],
                env=self.env,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def said(self) -> str:
        """What all commands printed."""
        return (self.folder / "output.txt").read_text("utf-8", "replace")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """See World."""
    (tmp_path / "scenario.yaml").write_text(SCENARIO)
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("GSVR_", "GEMINI_", "GOOGLE_"))}
    env = {**kept, "PYTHONPATH": str(ROOT), "GSVR_HOME": str(tmp_path / "home"), "CRASH_KEY": KEY}
    log = tmp_path / "requests.jsonl"
    emulator = subprocess.Popen(
        [sys.executable, "-m", "gsvr_tui.emulator", str(tmp_path / "scenario.yaml"), "--log", str(log)],
        env=env,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert emulator.stdout is not None
        base_url = emulator.stdout.readline().strip()
        (tmp_path / "home").mkdir(mode=0o700)
        (tmp_path / "home" / "config.yaml").write_text(
            f"accounts:\n  - {{name: a, project: p1, key: {{env: CRASH_KEY}}, tier: tier3, base_url: '{base_url}'}}\n"
        )
        yield World(tmp_path, env, log)
    finally:
        emulator.terminate()
        emulator.wait(timeout=20)
        assert emulator.stdout is not None
        emulator.stdout.close()


def kill_when(world: World, process: subprocess.Popen[bytes], answers: int, then_s: float) -> float:
    """SIGKILL `then_s` after so many answers have left the emulator; the moment of it."""
    ends = time.monotonic() + LIMIT_S
    while len(world.answered()) < answers:
        assert process.poll() is None, f"it ended by itself:\n{world.said()}"
        assert time.monotonic() < ends, f"it hangs:\n{world.said()}"
        time.sleep(0.002)  # there is no event for a line in another process's file
    if then_s:
        time.sleep(then_s)
    process.send_signal(signal.SIGKILL)
    moment = time.time()
    process.wait(timeout=20)
    return moment


@pytest.mark.timeout(240)
@pytest.mark.parametrize("number", range(ROUNDS))
def test_killed_twice_and_resumed_all_is_done_and_nothing_is_paid_twice(
    world: World, videos: Path, number: int
) -> None:
    seed = int(os.environ.get("GSVR_CRASH_SEED") or SystemRandom().randrange(1 << 32))
    print(f"GSVR_CRASH_SEED={seed}")
    random = Random(seed)
    first, second = random.randint(2, 8), random.randint(2, 6)
    kills = [kill_when(world, world.start("run", videos, "--yes", "--workers", "4"), first, 0.0)]
    # right after an answer left the emulator, and then anywhere
    before = len(world.answered())
    kills.append(kill_when(world, world.start("resume", "--workers", "4"), before + second, random.uniform(0.0, 0.5)))
    assert len(world.answered()) < CLIPS, "the second kill came too late to say anything"
    last = world.start("resume")
    assert last.wait(timeout=LIMIT_S) == 0, world.said()

    store = json.loads(
        subprocess.run(
            [sys.executable, "-m", "gsvr_tui", "status", "--json"],
            env=world.env,
            capture_output=True,
            check=True,
            text=True,
        ).stdout.splitlines()[-1]
    )
    assert store["counts"] == {"done": CLIPS}, world.said()
    reports = sorted(path.name for path in (world.folder / "home" / "reports").iterdir())
    assert len([name for name in reports if name.endswith(".md")]) == CLIPS, reports
    assert len(reports) == 2 * CLIPS, reports

    asked: dict[str, list[dict[str, Any]]] = {}
    for entry in world.answered():
        asked.setdefault(entry["file_sha256"], []).append(entry)
    assert len(asked) == CLIPS
    for entries in asked.values():
        again = len(entries) - 1
        in_flight = sum(
            any(entry["time"] <= kill and entry["ended"] >= kill - ON_ITS_WAY_S for entry in entries) for kill in kills
        )
        assert again <= in_flight, f"paid {len(entries)} times, in flight at {in_flight} kills: {entries}"
    print(f"{sum(len(entries) for entries in asked.values())} answers for {CLIPS} videos, {len(kills)} kills")
