"""An emulator in its own process, a home for the program, and a library of real tiny videos."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from gsvr_tui.media.samples import ClipSpec, make_clip

ROOT = Path(__file__).resolve().parents[2]
KEY = "bench-key-of-p1-0001"
VARIABLE = "GSVR_BENCH_KEY"
PATIENCE_S = 60.0
LOOK_S = 0.004

SCENARIO = """\
projects:
  - name: p1
    keys: [{key}]
    tier: paid
    limits: {{}}
files: {{processing_s: 0.03, processing_s_per_minute: 0, bytes_per_s: 300000}}
latency: {{base_s: 0.15, per_minute_s: 0, spread: 0.6}}
"""
"""Answers after 60 to 240 ms; a clip is about 25 ms on its way."""

CONFIG = """\
version: 1
accounts:
  - name: anna
    project: p1
    key: {{env: {variable}}}
    tier: tier1
    base_url: {url}
    limits:
      gemini-3.8-flash: {{rpm: 100000}}
"""


def environment(home: Path) -> dict[str, str]:
    """Of the processes we start."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GSVR_", "GEMINI_", "GOOGLE_"))}
    return {**kept, "PYTHONPATH": str(ROOT), "GSVR_HOME": str(home), VARIABLE: KEY}


class EmulatorProcess:
    """The emulator as a program of its own; its log is read from the file that it writes."""

    def __init__(self, folder: Path, scenario: str = SCENARIO) -> None:
        folder.mkdir(parents=True)
        (folder / "scenario.yaml").write_text(scenario.format(key=KEY), encoding="utf-8")
        self.log_path = folder / "log.jsonl"
        self.log_path.touch()
        port_file = folder / "port"
        command = [sys.executable, "-m", "gsvr_tui.emulator", str(folder / "scenario.yaml")]
        command += ["--port-file", str(port_file), "--log", str(self.log_path)]
        self._process = subprocess.Popen(
            command,
            env=environment(folder),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._file: IO[bytes] = self.log_path.open("rb")
        self.entries: list[dict[str, Any]] = []
        self._rest = b""
        end = time.monotonic() + PATIENCE_S
        while not port_file.exists() or not port_file.read_text().strip():
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("the emulator does not start")
            time.sleep(0.02)
        self.url = f"http://127.0.0.1:{port_file.read_text().strip()}"

    def look(self) -> list[dict[str, Any]]:
        """The entries that are new since the last look; all are in `entries`, those with their moments in our time."""
        data = self._rest + self._file.read()
        *lines, self._rest = data.split(b"\n")
        new = [json.loads(line) for line in lines if line]
        self.entries += new
        return new

    def settle(self) -> None:
        """Until requests whose client is gone have been noticed."""
        quiet = 0
        while quiet < 3:
            time.sleep(0.05)
            quiet = 0 if self.look() else quiet + 1

    def stop(self) -> None:
        """End it."""
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(PATIENCE_S)
        self._file.close()


@dataclass
class Program:
    """One start of the program."""

    process: subprocess.Popen[str]
    started: float
    error_file: IO[str]
    killed_at: float = 0.0

    @property
    def running(self) -> bool:
        """True until it has ended."""
        return self.process.poll() is None

    def kill(self) -> bool:
        """SIGKILL. False when it had ended before."""
        if not self.running:
            return False
        self.process.kill()
        return True

    def wait(self, limit_s: float = PATIENCE_S) -> int:
        """Until it has ended; its status."""
        status = self.process.wait(limit_s)
        self.killed_at = self.killed_at or time.time()
        return status

    def watch(self, until: Callable[[], bool], limit_s: float = 20.0) -> bool:
        """Look often until something is so. False when the program ended first or it takes too long."""
        end = time.monotonic() + limit_s
        while time.monotonic() < end:
            if until():
                return True
            if not self.running:
                return False
            time.sleep(LOOK_S)
        return False


@dataclass
class Home:
    """A user's home with its videos and reports."""

    folder: Path
    url: str
    hashes: dict[str, str] = field(default_factory=dict)  # path of a video → sha256 of its content

    def __post_init__(self) -> None:
        (self.folder / "home").mkdir(parents=True, mode=0o700)
        (self.folder / "home" / "config.yaml").write_text(
            CONFIG.format(variable=VARIABLE, url=self.url), encoding="utf-8"
        )

    @property
    def path(self) -> Path:
        """GSVR_HOME."""
        return self.folder / "home"

    @property
    def reports(self) -> Path:
        """Where the reports go."""
        return self.path / "reports"

    def videos(self, name: str, count: int, original: bytes) -> Path:
        """A folder of `count` videos that nobody has seen before."""
        folder = self.folder / name
        folder.mkdir()
        for number in range(count):
            mark = hashlib.sha256(f"{self.folder} {name} {number}".encode()).digest()
            data = original + struct.pack(">I4s", 8 + len(mark), b"free") + mark
            path = folder / f"{name}-{number}.mp4"
            path.write_bytes(data)
            self.hashes[str(path)] = hashlib.sha256(data).hexdigest()
        return folder

    def start(self, arguments: Sequence[str], aim: tuple[str, int] | None = None) -> Program:
        """The program, in the plain form or with a deadly call in it."""
        command = [sys.executable, "-m", "gsvr_tui"]
        if aim is not None:
            command = [sys.executable, "-m", "bench.durability.aimed", aim[0], str(aim[1])]
        errors = (self.folder / "stderr.txt").open("w+", encoding="utf-8")
        process = subprocess.Popen(
            [*command, *arguments],
            env=environment(self.path),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            text=True,
        )
        return Program(process, time.time(), errors)

    def complaint(self) -> str:
        """What the last start said on stderr."""
        return (self.folder / "stderr.txt").read_text(encoding="utf-8")


def original_clip(folder: Path) -> bytes:
    """Two seconds of real video, about 7 kB."""
    folder.mkdir(parents=True, exist_ok=True)
    return make_clip(folder / "original.mp4", ClipSpec(2, 64, 48, 2, seed=1)).read_bytes()
