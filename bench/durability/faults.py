"""Every fifth request goes wrong: do all jobs end well, and does moving between accounts use up their attempts?"""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from bench.durability.world import EmulatorProcess, Home
from gsvr_tui.config.places import find_places
from gsvr_tui.core.messages import AddJobs, CommandRefused, JobsChanged, Stop
from gsvr_tui.core.models import Account, Job, JobState, KeyRef
from gsvr_tui.core.secret import Secret
from gsvr_tui.service.assembly import Session, open_session
from gsvr_tui.service.settings import Clock, ServiceSettings

FACTOR = 20.0
LIMIT_S = 900.0

SCENARIO = """\
time_factor: 20
projects:
  - {{name: p1, keys: [fault-key-of-p1-0001], tier: paid, limits: {{rpm: 100}}}}
  - {{name: p2, keys: [fault-key-of-p2-0002], tier: paid, limits: {{rpm: 60}}}}
  - {{name: p3, keys: [{{key: fault-key-of-p3-0003, becomes: leaked, at_s: 60}}], tier: paid, limits: {{rpm: 60}}}}
files: {{processing_s: 1, processing_s_per_minute: 0}}
latency: {{base_s: 2, per_minute_s: 0, spread: 0.5}}
faults: {{error_503: 0.05, error_500: 0.02, drop: 0.02, drop_mid_stream: 0.02, truncated_stream: 0.02, empty_text: 0.03,
  max_tokens_empty: 0.01, error_429_minute: 0.02, not_json: 0.01}}
upload_faults: {{drop: 0.1, error_503: 0.1}}
"""
"""A fifth of all paid requests and of all requests of an upload fail; limits nobody told us; a key that dies."""

ITEM_FAULTS = frozenset({"empty_text", "max_tokens_empty", "truncated_stream"})
"""Answers that are no good: failures of the item itself, the only ones that may use up an attempt."""


@dataclass
class FaultFigures:
    """What came of it."""

    jobs: int
    done: int = 0
    requests: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    rejected: int = 0  # by quota
    item_faults: int = 0
    attempts: int = 0
    attempts_by_rotation: int = 0  # attempts of a job beyond the answers of its own that were no good
    good_answers_again: int = 0
    seconds: float = 0.0
    ends: Counter[str] = field(default_factory=Counter)

    @property
    def fault_share(self) -> float:
        """Of all paid requests."""
        return sum(self.faults.values()) / self.requests if self.requests else 0.0


def run_faults(folder: Path, original: bytes, jobs: int, seed: int) -> FaultFigures:
    """The whole run."""
    emulator = EmulatorProcess(folder / "emulator", SCENARIO)
    try:
        home = Home(folder / "faults", emulator.url)
        videos = home.videos("v", jobs, original)
        started = time.monotonic()
        found = _serve(home, emulator.url, videos, jobs, seed)
        figures = _figures(home, emulator, found)
        figures.seconds = time.monotonic() - started
        return figures
    finally:
        emulator.stop()


def _serve(home: Home, url: str, videos: Path, count: int, seed: int) -> list[Job]:
    session = open_session_for(home, url, seed)
    woken = threading.Event()
    session.service.set_wake(woken.set)
    session.service.start()
    session.service.send(AddJobs("add", (str(videos),)))
    states: dict[str, JobState] = {}
    end = time.monotonic() + LIMIT_S
    while time.monotonic() < end and not (len(states) == count and all(state.final for state in states.values())):
        woken.wait(1.0)
        woken.clear()
        for event in session.service.take_events():
            if isinstance(event, JobsChanged):
                states.update({row.id: row.state for row in event.rows})
            elif isinstance(event, CommandRefused):
                raise RuntimeError(event.message)
    session.service.send(Stop("stop", drain=True))
    session.service.join(60.0)
    found = list(session.parts.store.jobs())
    session.close()
    return found


def open_session_for(home: Home, url: str, seed: int) -> Session:
    """A session with three accounts whose clocks run as fast as the emulator's."""
    places = find_places({**os.environ, "GSVR_HOME": str(home.path)})
    places.ensure()
    names = ("p1", "p2", "p3")
    accounts = tuple(Account(name, name, KeyRef("memory", name)) for name in names)
    keys = {name: Secret(f"fault-key-of-{name}-000{name[1]}") for name in names}
    settings = ServiceSettings(
        accounts=(), output_dir=str(home.reports), base_url=url, keep_config=False, workers=24, drain_s=5.0
    )
    wall, mono = time.time(), time.monotonic()
    clock = Clock(lambda: time.monotonic() * FACTOR, lambda: wall + (time.monotonic() - mono) * FACTOR, factor=FACTOR)
    session = open_session(
        places, settings, os.environ, run_id="bench", memory_keys=keys, memory_accounts=accounts, clock=clock
    )
    session.parts.random = Random(seed)
    return session


def _figures(home: Home, emulator: EmulatorProcess, jobs: list[Job]) -> FaultFigures:
    emulator.settle()
    figures = FaultFigures(len(jobs))
    asked = [entry for entry in emulator.entries if entry["kind"] == "generate"]
    figures.requests = len(asked)
    own: Counter[str] = Counter()
    good: Counter[str] = Counter()
    for entry in asked:
        if entry["outcome"] == "rejected" and entry["detail"] != "error_429_minute":
            figures.rejected += 1
        elif entry["detail"]:
            figures.faults[entry["detail"]] += 1
        else:
            good[entry["file_sha256"]] += 1
        own[entry["file_sha256"]] += entry["detail"] in ITEM_FAULTS
    figures.item_faults = own.total()
    figures.good_answers_again = sum(count - 1 for count in good.values())
    for job in jobs:
        figures.ends[str(job.state)] += 1
        figures.done += job.state is JobState.DONE
        figures.attempts += job.attempts
        figures.attempts_by_rotation += max(0, job.attempts - own[job.content_hash])
    return figures
