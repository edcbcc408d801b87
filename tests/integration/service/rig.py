"""A running service over real HTTP: emulator, session and the events as a screen would see them."""

from __future__ import annotations

import itertools
import json
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from gsvr_tui.config.places import Places, find_places
from gsvr_tui.core.messages import (
    AccountRow,
    AccountsChanged,
    AddJobs,
    BatchAdded,
    Command,
    CommandDone,
    CommandRefused,
    JobRow,
    JobsChanged,
    KeyChecked,
    LogLine,
    QuotaChanged,
    QuotaRow,
    RunState,
    ServiceStopped,
    SetWorkers,
    Snapshot,
    Status,
    StatusChanged,
    Stop,
)
from gsvr_tui.core.models import Account, JobState, KeyRef, Limits
from gsvr_tui.core.secret import Secret
from gsvr_tui.emulator import (
    EmulatorServer,
    KeySpec,
    LogEntry,
    ManualClock,
    ProjectSpec,
    Rule,
    Scenario,
    Tier,
)
from gsvr_tui.service.assembly import Session, open_session
from gsvr_tui.service.settings import Clock, ServiceSettings

PATIENCE_S = 20.0
LOOK_S = 0.1
"""The emulator's log wakes nobody: conditions over it are looked at this often."""


def project(name: str, *, keys: Iterable[str] = (), tier: Tier = Tier.PAID, **more: Any) -> ProjectSpec:
    """A project of the emulator; its key is `emulator-key-<name>-0001`."""
    specs = tuple(KeySpec(key) for key in keys) or (KeySpec(f"emulator-key-{name}-0001"),)
    return ProjectSpec(name, specs, tier=tier, **more)


def world(*projects: ProjectSpec, rules: Sequence[Rule] = (), **more: Any) -> Scenario:
    """A scenario of these projects, `p1` when none is named."""
    return Scenario(projects or (project("p1"),), rules=tuple(rules), **more)


def account(name: str, *, of: str = "", tier: str = "tier1", limits: Limits | None = None) -> Account:
    """An account whose key lives in memory. Limits are stated, so that a tier's usual ones do not slow a test."""
    known = limits or Limits(rpm=1000, tpm=None, rpd=None, source="user")
    return Account(
        name, of or name, KeyRef("memory", name), tier=tier, limits={"gemini-3.8-flash": known} if known else {}
    )


class JumpClock(Clock):
    """The service's clocks, moved forward on demand together with the emulator's."""

    def __init__(self, wall: Callable[[], float]) -> None:
        self._jumped = 0.0
        super().__init__(lambda: time.monotonic() + self._jumped, wall)

    def jump(self, seconds: float) -> None:
        self._jumped += seconds


class Rig:
    """One home folder, one emulator, and the session that runs at the moment."""

    def __init__(self, home: Path, server: EmulatorServer, clock: ManualClock | None = None) -> None:
        self.home = home
        self.server = server
        self.emulated = clock
        self.env: dict[str, str] = {"GSVR_HOME": str(home)}
        self.places: Places = find_places(self.env)
        self.places.ensure()
        self.session: Session | None = None
        self.clock: JumpClock | None = None
        self._commands = itertools.count(1)
        self._runs = itertools.count(1)
        self._woken = threading.Event()
        self._forget()

    def _forget(self) -> None:
        self.rows: dict[str, JobRow] = {}
        self.order: list[str] = []
        self.history: dict[str, list[JobState]] = {}
        self._status: Status | None = None
        self.accounts: tuple[AccountRow, ...] = ()
        self.quota: tuple[QuotaRow, ...] = ()
        self.answers: dict[str, CommandDone | CommandRefused | KeyChecked] = {}
        self.logs: list[LogLine] = []
        self.stopped: ServiceStopped | None = None

    @property
    def status(self) -> Status:
        """The latest status line."""
        assert self._status is not None, "the service has not said how it stands"
        return self._status

    # ---------------------------------------------------------------- running

    def open(
        self,
        accounts: Sequence[Account] = (),
        *,
        keys: dict[str, str] | None = None,
        before_start: Callable[[Session], None] | None = None,
        **settings: Any,
    ) -> None:
        """Open a session and start its service. Account `x` of project `p` has the key
        `emulator-key-p-0001` unless another is given."""
        self._forget()
        held = {a.key.name: Secret((keys or {}).get(a.name, f"emulator-key-{a.project}-0001")) for a in accounts}
        chosen = ServiceSettings(
            accounts=(),
            output_dir=str(self.home / "reports"),
            base_url=settings.pop("base_url", self.server.base_url),
            keep_config=settings.pop("keep_config", False),
            drain_s=settings.pop("drain_s", PATIENCE_S),
            workers=settings.pop("workers", 4),
            **settings,
        )
        if self.emulated is not None:
            self.clock = JumpClock(self.emulated.wall)
        self.session = open_session(
            self.places,
            chosen,
            self.env,
            run_id=f"run{next(self._runs)}",
            memory_keys=held,
            memory_accounts=tuple(accounts),
            clock=self.clock,
        )
        if before_start is not None:
            before_start(self.session)
        self.session.service.set_wake(self._woken.set)
        self.session.service.start()
        self.wait_for(lambda: self._status is not None)

    def advance(self, seconds: float) -> None:
        """Let time pass for the service and the emulator."""
        assert self.clock is not None
        assert self.emulated is not None
        self.emulated.advance(seconds)
        self.clock.jump(seconds)
        self.tell(SetWorkers, workers=0 if self.status.workers_auto else self.status.workers)  # look at the clock now

    def play(self, *jobs: str) -> None:
        """Until these jobs (all, when none is named) have ended, with time moved on whenever all rests or waits."""
        final = {JobState.DONE, JobState.PARTIAL, JobState.FAILED, JobState.CANCELLED}

        def ended() -> bool:
            return all(self.rows[job].state in final for job in jobs or tuple(self.rows))

        def waits() -> bool:
            return self.status.state is RunState.RESTING and self.status.until is not None

        while True:
            self.wait_for(lambda: ended() or waits())
            if ended():
                return
            assert self.session is not None
            until, now = self.status.until or 0.0, self.session.parts.clock.now().wall
            self.advance(max(0.01, until - now + 0.01))
            self.wait_for(lambda: ended() or not waits() or self.status.until != until)  # noqa: B023 - used at once

    def close(self, *, drain: bool = True) -> None:
        """Stop the service and close the session."""
        session, self.session = self.session, None
        if session is None:
            return
        session.service.send(Stop("stop", drain=drain))
        assert session.service.join(PATIENCE_S), "the service does not end"
        self._take(session)
        assert session.close(), "records were not stored"

    # ---------------------------------------------------------------- talking

    def send(self, kind: type[Command], **fields: Any) -> str:
        """Send a command; returns its id."""
        assert self.session is not None
        command_id = f"c{next(self._commands)}"
        self.session.service.send(kind(id=command_id, **fields))
        return command_id

    def tell(self, kind: type[Command], **fields: Any) -> CommandDone | CommandRefused | KeyChecked:
        """Send a command and wait for its answer."""
        command_id = self.send(kind, **fields)
        self.wait_for(lambda: command_id in self.answers)
        return self.answers[command_id]

    def add(self, *paths: Path, **fields: Any) -> list[str]:
        """Add videos; returns the ids of their jobs in queue order."""
        before = set(self.rows)
        answer = self.tell(AddJobs, paths=tuple(str(path) for path in paths), **fields)
        assert isinstance(answer, CommandDone), answer
        self.wait_for(lambda: len(set(self.rows) - before) >= answer.count)
        return sorted(set(self.rows) - before)

    def _take(self, session: Session) -> None:
        for event in session.service.take_events():
            match event:
                case Snapshot():
                    self._status, self.accounts, self.quota = event.status, event.accounts, event.quota
                    self._rows(event.jobs)
                case JobsChanged():
                    self._rows(event.rows)
                case StatusChanged():
                    self._status = event.status
                case AccountsChanged():
                    self.accounts = event.accounts
                case QuotaChanged():
                    self.quota = event.quota
                case CommandDone() | CommandRefused() | KeyChecked():
                    self.answers[event.command_id] = event
                case LogLine():
                    self.logs.append(event)
                case ServiceStopped():
                    self.stopped = event
                case BatchAdded():
                    pass

    def _rows(self, rows: Iterable[JobRow]) -> None:
        for row in rows:
            self.rows[row.id] = row
            history = self.history.setdefault(row.id, [])
            if not history or history[-1] is not row.state:
                history.append(row.state)

    def wait_for(self, predicate: Callable[[], bool], limit_s: float = PATIENCE_S) -> None:
        """Wait until `predicate` holds over what the service and the emulator said."""
        assert self.session is not None
        deadline = time.monotonic() + limit_s
        while True:
            self._woken.clear()
            self._take(self.session)
            if predicate():
                return
            assert self.stopped is None or not self.stopped.error, self.stopped
            left = deadline - time.monotonic()
            assert left > 0, f"it does not come: {self.describe()}"
            self._woken.wait(min(left, LOOK_S))

    def describe(self) -> str:
        """How things stand, for a failing test."""
        rows = [(r.id[-4:], str(r.state), str(r.step), r.note) for r in self.rows.values()]
        lines = [f"{line.level} {line.message}" for line in self.logs[-12:]]
        asked = [(e.project, e.status, e.outcome, e.detail) for e in self.generates()]
        return f"\n{self.status}\n{rows}\n{lines}\n{asked}"

    # ---------------------------------------------------------------- looking

    def states(self) -> list[JobState]:
        """States of all jobs in queue order."""
        return [self.rows[job].state for job in sorted(self.rows)]

    def wait_until(self, state: JobState, *jobs: str) -> None:
        """Wait until these jobs (all, when none is named) are in a state."""
        self.wait_for(lambda: bool(self.rows) and all(self.rows[j].state is state for j in jobs or tuple(self.rows)))

    def wait_rest(self) -> Status:
        """Wait until nothing is in flight and say how the service stands."""
        still = {RunState.RESTING, RunState.BLOCKED, RunState.PAUSED, RunState.STALLED}

        def rests() -> bool:
            over = self.status.state is RunState.IDLE and all(row.state.final for row in self.rows.values())
            return over or self.status.state in still

        self.wait_for(rests)
        return self.status

    def account(self, name: str) -> AccountRow:
        """An account's row."""
        return next(row for row in self.accounts if row.name == name)

    def entries(self, kind: str, **wanted: object) -> list[LogEntry]:
        """The emulator's log of one kind of request, in order of arrival."""
        found = [e for e in self.server.log if e.kind == kind]
        return sorted((e for e in found if all(getattr(e, k) == v for k, v in wanted.items())), key=lambda e: e.n)

    def generates(self, **wanted: object) -> list[LogEntry]:
        """Paid requests."""
        return self.entries("generate", **wanted)

    def admin(self, page: str, **change: object) -> dict[str, Any]:
        """The emulator's own pages: read `page`, or post a change to it."""
        url = f"{self.server.base_url}/__emulator__/{page}"
        data = json.dumps(change).encode() if change else None
        request = urllib.request.Request(url, data)  # noqa: S310 - our own emulator
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=5) as response:
            found: dict[str, Any] = json.load(response)
        return found

    def met(self, rule: int = 0) -> int:
        """How many requests a rule of the scenario has acted on, those still hanging included."""
        return int(self.admin("state")["rules"][rule]["done"])

    def uploads(self, **wanted: object) -> list[LogEntry]:
        """Uploads begun."""
        return self.entries("upload_start", **wanted)
