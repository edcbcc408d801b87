"""A long run: many jobs over hours of the service's time. Memory, handles, threads and files must not grow with it."""

from __future__ import annotations

import gc
import os
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from bench.durability.faults import FACTOR, open_session_for
from bench.durability.world import EmulatorProcess, Home
from gsvr_tui.core.messages import AddJobs, CommandRefused, JobsChanged, Stop
from gsvr_tui.core.models import JobState

LOOKS = 10

SCENARIO = """\
time_factor: 20
projects:
  - {{name: p1, keys: [fault-key-of-p1-0001], tier: paid, limits: {{}}}}
  - {{name: p2, keys: [fault-key-of-p2-0002], tier: paid, limits: {{}}}}
  - {{name: p3, keys: [fault-key-of-p3-0003], tier: paid, limits: {{}}}}
files: {{processing_s: 1, processing_s_per_minute: 0}}
latency: {{base_s: 4, per_minute_s: 0, spread: 0.5}}
faults: {{error_503: 0.02, drop: 0.01, truncated_stream: 0.01}}
"""


@dataclass(frozen=True, slots=True)
class Look:
    """How the process stood when so many jobs were done."""

    done: int
    resident_mb: float
    handles: int
    threads: int
    journal_and_snapshot_bytes: int
    log_bytes: int


@dataclass
class SoakFigures:
    """What came of it. `hours` are the service's."""

    jobs: int
    done: int = 0
    hours: float = 0.0
    seconds: float = 0.0
    looks: list[Look] = field(default_factory=list)

    @property
    def growth_mb_per_1000(self) -> float:
        """Memory from the second look to the last: the first ones pay for what is loaded late."""
        first, last = self.looks[min(2, len(self.looks) - 1)], self.looks[-1]
        return (last.resident_mb - first.resident_mb) / max(1, last.done - first.done) * 1_000


def run_soak(folder: Path, original: bytes, jobs: int, seed: int) -> SoakFigures:
    """The whole run, in this process."""
    emulator = EmulatorProcess(folder / "emulator", SCENARIO)
    figures = SoakFigures(jobs)
    try:
        home = Home(folder / "soak", emulator.url)
        videos = home.videos("v", jobs, original)
        started = time.monotonic()
        session = open_session_for(home, emulator.url, seed)
        woken = threading.Event()
        session.service.set_wake(woken.set)
        session.service.start()
        session.service.send(AddJobs("add", (str(videos),)))
        states: dict[str, JobState] = {}
        seen = 0
        while not (len(states) == jobs and all(state.final for state in states.values())):
            woken.wait(1.0)
            woken.clear()
            for event in session.service.take_events():
                if isinstance(event, JobsChanged):
                    states.update({row.id: row.state for row in event.rows})
                elif isinstance(event, CommandRefused):
                    raise RuntimeError(event.message)
            done = sum(state.final for state in states.values())
            if done >= (seen + 1) * jobs // LOOKS:
                seen = done * LOOKS // jobs
                figures.looks.append(look(home, done))
        session.service.send(Stop("stop", drain=True))
        session.service.join(60.0)
        session.close()
        figures.seconds = time.monotonic() - started
        figures.hours = figures.seconds * FACTOR / 3600
        figures.done = sum(state is JobState.DONE for state in states.values())
        return figures
    finally:
        emulator.stop()


def look(home: Home, done: int) -> Look:
    """How this process stands."""
    gc.collect()
    resident = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    state = [path.stat().st_size for path in (home.path / "state").glob("state.json*")]
    logs = [path.stat().st_size for path in (home.path / "logs").glob("*")]
    handles = len(list(Path("/proc/self/fd").iterdir()))
    return Look(done, resident, handles, threading.active_count(), sum(state), sum(logs))
