"""How fast the scheduler decides: forecasts, arrivals and actions, in seconds of CPU time and µs per event.

    python bench/scheduler.py [--jobs 10000] [--queue 100000] [--repeat 3] [--out FILE]

No I/O and no network: the figures are the scheduler's own work. The least of `repeat` runs is shown.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

from gsvr_tui.core.forecast import ForecastJob, forecast
from gsvr_tui.core.ids import IdMaker
from gsvr_tui.core.models import Account, KeyRef, Limits, Now, Verdict
from gsvr_tui.core.scheduler import Scheduler
from gsvr_tui.core.scheduling import (
    AccountPut,
    Action,
    Answered,
    Event,
    Finished,
    FinishJob,
    JobArrived,
    MoveJob,
    Probed,
    ProbeJob,
    RequestSent,
    SegmentNeed,
    SendRequest,
    Uploaded,
    UploadFile,
)

START = 1_795_500_000.0
PROJECTS = 4
MODELS = ("gemini-3.8-flash", "gemini-3.5-flash-lite")
NEEDS = (SegmentNeed(0, 20_000, 0.01),)
SIZE_BYTES = 50_000_000
SERVICE_S = 30.0


@dataclass(frozen=True)
class Figure:
    """One row of the table."""

    what: str
    seconds: float
    events: int

    @property
    def microseconds(self) -> float:
        """Per event."""
        return self.seconds / self.events * 1e6


def accounts(rpd: int | None) -> list[Account]:
    """One account in each of the projects, limits a little different."""
    made = []
    for index in range(PROJECTS):
        limits = {model: Limits(rpm=10 + index, rpd=rpd, source="user") for model in MODELS}
        made.append(Account(f"a{index}", f"p{index}", KeyRef("memory", "a"), tier="tier1", limits=limits))
    return made


def ids(count: int) -> list[str]:
    """Job ids in order."""
    maker = IdMaker(Random(1))
    return [maker.next(START) for _ in range(count)]


def measure_forecast(count: int, rpd: int | None) -> tuple[float, int]:
    """A forecast of `count` jobs; events: the requests it plays."""
    jobs = [ForecastJob(job, "b", MODELS, NEEDS, SIZE_BYTES, SERVICE_S) for job in ids(count)]
    began = time.process_time()
    result = forecast(jobs, accounts(rpd), Now(1000.0, START))
    took = time.process_time() - began
    if result.done != count:
        raise SystemExit(f"the forecast ends {result.done} of {count} jobs")
    return took, result.requests


class _Queue:
    """A scheduler with a long queue, driven as fast as it goes."""

    def __init__(self, count: int) -> None:
        self.jobs = ids(count)
        self.now = Now(1000.0, START)
        self.scheduler = Scheduler(random=Random(1), workers=64)
        for item in accounts(None):
            self.scheduler.feed(AccountPut(item, {}), self.now)

    def arrive(self) -> tuple[float, int]:
        """All jobs arrive."""
        began = time.process_time()
        for job in self.jobs:
            self.scheduler.feed(JobArrived(job, "b", MODELS), self.now)
        return time.process_time() - began, len(self.jobs)

    def act(self, wanted: int) -> tuple[float, int]:
        """Decide and carry out until `wanted` actions were given; events: what was fed."""
        fed = given = 0
        began = time.process_time()
        while given < wanted:
            plan = self.scheduler.next_actions(self.now)
            steps = [event for action in plan.actions for event in self._events(action)]
            given += sum(1 for action in plan.actions if not isinstance(action, MoveJob))
            if not steps:
                self.now = Now(plan.wake_at, START + plan.wake_at - 1000.0)
            for event in steps:
                self.scheduler.feed(event, self.now)
            fed += len(steps)
        return time.process_time() - began, fed

    def _events(self, action: Action) -> tuple[Event, ...]:
        match action:
            case ProbeJob(job):
                return (Probed(job, SIZE_BYTES, NEEDS),)
            case UploadFile(job):
                return (Uploaded(job, 25.0),)
            case SendRequest(request, job):
                return RequestSent(request), Answered(job, request, 20_000, 0.01, SERVICE_S)
            case FinishJob(job):
                return (Finished(job, Verdict.OK),)
        return ()


def best(what: str, repeat: int, run: Callable[[], tuple[float, int]]) -> Figure:
    """The least of several runs."""
    seconds, events = min(run() for _ in range(repeat))
    return Figure(what, seconds, events)


def figures(jobs: int, queue: int, actions: int, repeat: int) -> list[Figure]:
    """All measurements."""

    def arrival() -> tuple[float, int]:
        return _Queue(queue).arrive()

    def acting() -> tuple[float, int]:
        ready = _Queue(queue)
        ready.arrive()
        return ready.act(actions)

    return [
        best(
            f"forecast of {jobs:,} jobs, {PROJECTS} projects, requests a minute",
            repeat,
            lambda: measure_forecast(jobs, None),
        ),
        best(f"forecast of {jobs:,} jobs, {PROJECTS} projects, 250 a day", repeat, lambda: measure_forecast(jobs, 250)),
        best(f"{queue:,} jobs arrive", repeat, arrival),
        best(f"{actions:,} actions over {queue:,} jobs", repeat, acting),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table and, if wanted, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--queue", type=int, default=100_000)
    parser.add_argument("--actions", type=int, default=1_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args(arguments)
    rows = figures(chosen.jobs, chosen.queue, chosen.actions, chosen.repeat)
    print(f"{'what':<62}{'CPU s':>9}{'events':>9}{'µs each':>9}")
    for row in rows:
        print(f"{row.what:<62}{row.seconds:>9.3f}{row.events:>9,}{row.microseconds:>9.1f}")
    if chosen.out:
        data = {
            "python": sys.version.split()[0],
            "machine": platform.machine(),
            "figures": [{**asdict(row), "us_per_event": row.microseconds} for row in rows],
        }
        chosen.out.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
