"""The real client: the WorkerService with its store, gate and renderers, over HTTP with the real SDK."""

from __future__ import annotations

import logging
import os
import random
import sys
import threading
import time
from pathlib import Path

from google import genai  # loaded before the start, as a service that has been running for a while has it
from google.genai import types as genai_types

from bench.balance.contestants.common import Tally, Task, cpu_s, receive, report
from gsvr_tui.config.places import find_places
from gsvr_tui.core.messages import AddJobs, CommandRefused, JobsChanged, Snapshot, Status, StatusChanged, Stop
from gsvr_tui.core.models import Account, JobState, KeyRef, Limits
from gsvr_tui.core.money import Caps
from gsvr_tui.core.secret import Secret
from gsvr_tui.core.views import RunState
from gsvr_tui.service.assembly import Session, open_session
from gsvr_tui.service.settings import Clock, ServiceSettings

PATIENCE_S = 60.0
LOADED = (genai, genai_types)


def _accounts(task: Task) -> tuple[Account, ...]:
    made = []
    for number, (project, _) in enumerate(task.keys, 1):
        known = task.limits.get(project)
        limits = {}
        if known:
            limits[task.model] = Limits(rpm=known["rpm"], tpm=known["tpm"], rpd=known["rpd"], source="user")
        name = f"account-{number}"
        made.append(Account(name, project, KeyRef("memory", name), tier="tier1" if known else "unknown", limits=limits))
    return tuple(made)


def _open(task: Task) -> Session:
    home = Path(task.home)
    env = {**os.environ, "GSVR_HOME": str(home)}
    places = find_places(env)
    places.ensure()
    accounts = _accounts(task)
    settings = ServiceSettings(
        accounts=(),
        output_dir=str(home / "reports"),
        model=task.model,
        base_url=task.base_url,
        keep_config=False,
        workers=task.workers,
        caps=Caps(run=task.cap_usd),
    )
    keys = {account.key.name: Secret(key) for account, (_, key) in zip(accounts, task.keys, strict=True)}
    clock = Clock(task.mono, task.wall, factor=task.factor)
    session = open_session(
        places, settings, env, run_id="bench", memory_keys=keys, memory_accounts=accounts, clock=clock
    )
    session.parts.random = random.Random(task.seed)
    return session


class _Watch:
    """Follows the events until all jobs have ended or nothing more can happen."""

    def __init__(self, task: Task, session: Session) -> None:
        self._task = task
        self._session = session
        self._woken = threading.Event()
        self.states: dict[str, JobState] = {}
        self.costs: dict[str, float] = {}
        self.notes: dict[str, str] = {}
        self.status: Status | None = None
        self.last = 0.0
        self.refused = ""
        session.service.set_wake(self._woken.set)

    def take(self) -> None:
        """Read what the service said."""
        for event in self._session.service.take_events():
            if isinstance(event, JobsChanged):
                for row in event.rows:
                    if row.state.final and not self.states.get(row.id, JobState.QUEUED).final:
                        self.last = self._task.wall()
                    self.states[row.id] = row.state
                    self.costs[row.id] = row.cost_usd
                    self.notes[row.id] = row.note
            elif isinstance(event, StatusChanged | Snapshot):
                self.status = event.status
            elif isinstance(event, CommandRefused):
                self.refused = event.message

    def wait(self, real_s: float) -> None:
        """For more, so long at most."""
        self._woken.wait(real_s)
        self._woken.clear()
        self.take()

    def ended(self) -> bool:
        """All done, stopped for good, or out of time."""
        if self.refused:
            raise RuntimeError(self.refused)
        if len(self.states) == len(self._task.videos) and all(state.final for state in self.states.values()):
            return True
        blocked = self.status is not None and self.status.state is RunState.BLOCKED and not self.status.in_flight
        return blocked or self._task.wall() > self._task.start_wall + self._task.limit_s


def main() -> None:
    """One run."""
    task = receive()
    if task.contestant == "one-account":
        task.keys = task.keys[:1]
    session = _open(task)
    watch = _Watch(task, session)
    session.service.start()
    while watch.status is None:
        watch.wait(0.1)
    time.sleep(max(0.0, (task.start_wall - task.wall()) / task.factor))
    before = cpu_s()
    started = task.wall()
    session.service.send(AddJobs("add", (str(Path(task.videos[0]).parent),)))
    while not watch.ended():
        watch.wait(0.5)
    used = cpu_s() - before
    ended = watch.last or task.wall()
    session.service.send(Stop("stop", drain=False))
    session.service.join(PATIENCE_S)
    session.close()
    done = sum(state in (JobState.DONE, JobState.PARTIAL) for state in watch.states.values())
    failed = [watch.notes[job] for job, state in watch.states.items() if state is JobState.FAILED]
    tally = Tally(done, len(failed), len(task.videos) - done, failed)
    tally.more = {
        "spent_usd": sum(watch.costs.values()),
        "counted_usd": watch.status.spent_usd if watch.status else 0.0,
        "late_s": started - task.start_wall,
    }
    report(task, tally, started, ended, used)
    logging.shutdown()
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
