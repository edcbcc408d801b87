"""Runs one contestant in one scene: the emulator in a process of its own, the contestant in another."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.balance.environments import litellm_python
from bench.balance.figures import Figures, read_run
from bench.balance.scenes import MODEL, Scene

ROOT = Path(__file__).resolve().parents[2]
CONTESTANTS = Path(__file__).resolve().parent / "contestants"
OURS = "gsvr-tui"
START_S = 30.0
READY_S = 90.0
PATIENCE = 3.0
"""A contestant has so many times the bound, and a few minutes; one account so many more as there are projects."""
SPARE_S = 180.0
ONE_ACCOUNT = "one-account"


class NotInstalled(Exception):
    """A peer is not there."""


class RunFailed(Exception):
    """A contestant or the emulator broke down: this says how."""


@dataclass(frozen=True, slots=True)
class World:
    """A running emulator. `origin_mono` and `origin_wall` tie its clock to this machine's."""

    base_url: str
    origin_mono: float
    origin_wall: float


def _read_wall(base_url: str) -> float:
    with urllib.request.urlopen(f"{base_url}/__emulator__/state", timeout=10) as answer:  # noqa: S310 - loopback
        return float(json.load(answer)["wall"])


def _tie(base_url: str, factor: float) -> World:
    """Ask for the emulator's time until a quick answer came."""
    best: tuple[float, float, float] | None = None
    for _ in range(8):
        before = time.monotonic()
        wall = _read_wall(base_url)
        after = time.monotonic()
        if best is None or after - before < best[0]:
            best = (after - before, (before + after) / 2, wall)
    if best is None:
        raise RunFailed("the emulator does not tell the time")
    return World(base_url, best[1], best[2])


@contextlib.contextmanager
def emulator(scene: Scene, folder: Path, seed: int) -> Iterator[World]:
    """Serve the scene until the block ends; its log is `folder/requests.jsonl`."""
    scenario, port_file = folder / "scenario.yaml", folder / "port"
    scenario.write_text(json.dumps(scene.scenario()), encoding="utf-8")  # JSON is YAML
    command = [sys.executable, "-m", "gsvr_tui.emulator", str(scenario), "--port-file", str(port_file)]
    command += ["--log", str(folder / "requests.jsonl"), "--seed", str(seed)]
    with (folder / "emulator.txt").open("w") as words:
        process = subprocess.Popen(command, cwd=ROOT, stdout=words, stderr=subprocess.STDOUT)
        try:
            deadline = time.monotonic() + START_S
            while not port_file.exists() or not port_file.read_text(encoding="ascii").strip():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RunFailed(f"the emulator does not start: {(folder / 'emulator.txt').read_text()[-500:]}")
                time.sleep(0.02)
            yield _tie(f"http://127.0.0.1:{port_file.read_text(encoding='ascii').strip()}", scene.factor)
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(15)
            process.kill()


def _command(contestant: str, *, install: bool) -> list[str]:
    if contestant.startswith((OURS, ONE_ACCOUNT)):
        return [sys.executable, "-m", "bench.balance.contestants.ours"]
    if contestant.startswith("litellm"):
        python = litellm_python(install=install)
        if python is None:
            raise NotInstalled("not installed")
        return [str(python), str(CONTESTANTS / "litellm_router.py")]
    module = "sdk_retries" if contestant == "google-genai-retries" else "policies"
    return [sys.executable, "-m", f"bench.balance.contestants.{module}"]


def run(
    scene: Scene, contestant: str, videos: list[Path], *, seed: int, install: bool = True, keep: Path | None = None
) -> Figures:
    """One run. The emulator's log is copied to the folder `keep`. Raises NotInstalled and RunFailed."""
    command = _command(contestant, install=install)
    with tempfile.TemporaryDirectory(prefix="gsvr-bench-") as name:
        folder = Path(name)
        errors = folder / "errors.txt"
        with errors.open("w") as sink:
            process = subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=sink, text=True
            )
        try:
            _await_ready(process, errors)
            with emulator(scene, folder, seed) as world:
                result = _compete(process, scene, contestant, videos, world, folder, seed, errors)
        finally:
            process.kill()
            process.communicate()  # ends the pipes, too
        text = (folder / "requests.jsonl").read_text(encoding="utf-8")
        if keep is not None:
            keep.mkdir(parents=True, exist_ok=True)
            (keep / f"{scene.name}-{contestant}-{seed}.jsonl").write_text(text, encoding="utf-8")
        log = text.splitlines()
        return read_run(scene, contestant, (json.loads(line) for line in log), result)


def _await_ready(process: subprocess.Popen[str], errors: Path) -> None:
    """Imports take seconds, and some print while they do."""
    for line in process.stdout or ():
        if line.strip() == "ready":
            return
    raise RunFailed(f"it does not start: {errors.read_text()[-1500:]}")


def _compete(
    process: subprocess.Popen[str],
    scene: Scene,
    contestant: str,
    videos: list[Path],
    world: World,
    folder: Path,
    seed: int,
    errors: Path,
) -> dict[str, Any]:
    if process.stdin is None:
        raise RunFailed("it has no standard input")
    limit_s = scene.bound([4000] * scene.jobs if scene.durations == (3.0,) else [30_000] * scene.jobs)
    limit_s = limit_s * (len(scene.projects) if contestant == ONE_ACCOUNT else PATIENCE) + SPARE_S
    workers = 64 if contestant.endswith("64-workers") else 0
    task = {
        "contestant": contestant,
        "base_url": world.base_url,
        "model": MODEL,
        "keys": scene.keys(),
        "limits": {
            f"p{n}": {"rpm": p.rpm, "tpm": p.tpm, "rpd": p.rpd} for n, p in enumerate(scene.projects, 1) if p.told
        },
        "videos": [str(video) for video in videos],
        "start_wall": scene.start_at,
        "limit_s": limit_s,
        "factor": scene.factor,
        "origin_mono": world.origin_mono,
        "origin_wall": world.origin_wall,
        "home": str(folder / "home"),
        "result": str(folder / "result.json"),
        "cap_usd": scene.cap_usd,
        "workers": workers,
        "seed": seed,
    }
    process.stdin.write(json.dumps(task) + "\n")
    process.stdin.flush()
    try:
        process.wait(READY_S + limit_s / scene.factor)
    except subprocess.TimeoutExpired:
        raise RunFailed(f"it does not end: {errors.read_text()[-1500:]}") from None
    result = folder / "result.json"
    if not result.exists():
        raise RunFailed(f"no result (exit {process.returncode}): {errors.read_text()[-2500:]}")
    return dict(json.loads(result.read_text(encoding="utf-8")))
