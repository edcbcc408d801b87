"""What every contestant needs: its task, the emulator's time, and its result. Standard library only."""

from __future__ import annotations

import asyncio
import base64
import json
import resource
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PROMPT = "Write a structured report of this video: a summary, then its parts with their times."


@dataclass
class Task:
    """What a contestant is told: where, with which keys, which videos, until when. Times are the emulator's."""

    contestant: str
    base_url: str
    model: str
    keys: list[tuple[str, str]]  # project, key
    limits: dict[str, dict[str, int | None]]  # of projects whose limits are known
    videos: list[str]
    start_wall: float
    limit_s: float  # after the start; what is not done then stays undone
    factor: float
    origin_mono: float  # real monotonic time at which the emulator's clock showed `origin_wall`
    origin_wall: float
    home: str
    result: str
    cap_usd: float | None = None
    workers: int = 0
    seed: int = 1

    def wall(self) -> float:
        """The emulator's Unix time."""
        return self.origin_wall + (time.monotonic() - self.origin_mono) * self.factor

    def mono(self) -> float:
        """Its seconds since the origin."""
        return (time.monotonic() - self.origin_mono) * self.factor

    async def sleep(self, seconds: float) -> None:
        """Wait emulator seconds."""
        await REAL_SLEEP(max(0.0, seconds) / self.factor)


REAL_SLEEP = asyncio.sleep


@dataclass
class Tally:
    """What a contestant counts itself."""

    done: int = 0
    exceptions: int = 0
    undone: int = 0
    notes: list[str] = field(default_factory=list)
    more: dict[str, Any] = field(default_factory=dict)


def receive() -> Task:
    """Say that everything is loaded, and read the task."""
    print("ready", flush=True)
    return Task(**json.loads(sys.stdin.readline()))


def cpu_s() -> float:
    """CPU seconds of this process so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def report(task: Task, tally: Tally, started: float, ended: float, cpu: float) -> None:
    """Write the result."""
    data = {
        "started": started,
        "ended": ended,
        "done": tally.done,
        "undone": tally.undone,
        "exceptions": tally.exceptions,
        "cpu_s": cpu,
        "notes": tally.notes[:20],
        **tally.more,
    }
    Path(task.result).write_text(json.dumps(data), encoding="utf-8")


def wait_for_start(task: Task) -> None:
    """Sleep until the agreed moment. Raises RuntimeError when it has passed."""
    late = task.wall() - task.start_wall
    if late > 0:
        raise RuntimeError(f"not ready in time, {late / task.factor:.2f} s late")
    time.sleep(-late / task.factor)


def video_base64(path: str) -> str:
    """A video as it is sent inside a request."""
    return base64.b64encode(Path(path).read_bytes()).decode("ascii")


async def work_off(task: Task, tally: Tally, do: Callable[[str], Awaitable[bool]], workers: int) -> tuple[float, float]:
    """`workers` loops over the videos; `do` is True when a video is done, else it stays undone. (start, end) times."""
    waiting = list(reversed(task.videos))
    last = started = task.wall()
    deadline = task.start_wall + task.limit_s

    async def worker() -> None:
        nonlocal last
        while waiting and task.wall() < deadline:
            video = waiting.pop()
            if await do(video):
                tally.done += 1
                last = task.wall()
            else:
                tally.undone += 1

    tasks = [asyncio.create_task(worker()) for _ in range(workers)]
    left_s = (deadline - task.wall()) / task.factor
    _, pending = await asyncio.wait(tasks, timeout=left_s)
    for one in pending:
        one.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    tally.undone = len(task.videos) - tally.done
    return started, last


def run(task: Task, main: Callable[[Task, Tally], Awaitable[tuple[float, float]]]) -> None:
    """Start at the agreed moment, work, write the result."""
    tally = Tally()
    wait_for_start(task)
    before = cpu_s()
    started, ended = asyncio.run(_running(main, task, tally))
    report(task, tally, started, ended, cpu_s() - before)


async def _running(
    main: Callable[[Task, Tally], Awaitable[tuple[float, float]]], task: Task, tally: Tally
) -> tuple[float, float]:
    return await main(task, tally)
