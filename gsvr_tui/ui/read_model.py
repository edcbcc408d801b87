"""The read model: a snapshot plus the events since. Pure, no Textual; O(change) for changed jobs.

A job's *place* is its index in `rows`: queue order, never changing until the next snapshot. Screens keep places, which
are small integers, instead of rows, which are replaced when they change.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from gsvr_tui.core.messages import (
    AccountRow,
    AccountsChanged,
    BatchAdded,
    BatchRow,
    CommandDone,
    CommandRefused,
    Event,
    JobDetail,
    JobRow,
    JobsChanged,
    KeyChecked,
    LogLine,
    PlanReady,
    QuotaChanged,
    QuotaRow,
    RunState,
    ServiceStopped,
    Snapshot,
    Status,
    StatusChanged,
)
from gsvr_tui.core.models import AccountHealth, JobState

LOG_LINES = 50_000

Answer = CommandDone | CommandRefused | KeyChecked | PlanReady


@dataclass(slots=True)
class Change:
    """What a run of events changed. `jobs` are (place, row before or None, row now) in order."""

    everything: bool = False
    jobs: list[tuple[int, JobRow | None, JobRow]] = field(default_factory=list)
    batches: bool = False
    accounts: bool = False
    quota: bool = False
    status: bool = False
    logs: int = 0  # lines added
    detail: bool = False
    answers: list[Answer] = field(default_factory=list)
    stopped: ServiceStopped | None = None


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing that needs the user; `count` equal ones are shown as one. `query` filters the queue to them."""

    text: str
    advice: str
    count: int = 1
    query: str = ""
    account: str = ""


class ReadModel:
    """Everything the screens show."""

    def __init__(self) -> None:
        self.status = Status(RunState.STARTING)
        self.batches: dict[str, BatchRow] = {}
        self.rows: list[JobRow] = []
        self.folded: list[str] = []  # the rows' names without case, for filter and sort
        self.place: dict[str, int] = {}
        self.counts: Counter[JobState] = Counter()
        self.accounts: tuple[AccountRow, ...] = ()
        self.quota: tuple[QuotaRow, ...] = ()
        self.base_url = ""
        self.templates: tuple[str, ...] = ()
        self.models: tuple[str, ...] = ()
        self.logs: deque[LogLine] = deque(maxlen=LOG_LINES)
        self.log_end = 0  # lines ever received; the first in `logs` is number log_end - len(logs)
        self.detail: JobDetail | None = None
        self.stopped: ServiceStopped | None = None
        self.loaded = False

    def apply(self, events: Iterable[Event]) -> Change:
        """Take events in, in order, and say what changed."""
        change = Change()
        for event in events:
            self._apply(event, change)
        return change

    def _apply(self, event: Event, change: Change) -> None:
        match event:
            case JobsChanged(rows):
                self._jobs(rows, change)
            case StatusChanged(status):
                self.status, change.status = status, True
            case LogLine():
                self.logs.append(event)
                self.log_end += 1
                change.logs += 1
            case QuotaChanged(quota):
                self.quota, change.quota = quota, True
            case AccountsChanged(accounts):
                self.accounts, change.accounts = accounts, True
            case JobDetail():
                self.detail, change.detail = event, True
            case BatchAdded(batch):
                self.batches[batch.id] = batch
                change.batches = change.status = True
            case Snapshot():
                self._snapshot(event, change)
            case CommandDone() | CommandRefused() | KeyChecked() | PlanReady():
                change.answers.append(event)
            case ServiceStopped():
                self.stopped = change.stopped = event

    def row(self, job: str) -> JobRow | None:
        """The row of a job id."""
        place = self.place.get(job)
        return None if place is None else self.rows[place]

    def alerts(self) -> list[Alert]:
        """What needs the user, most urgent first: the whole service, accounts, then failures grouped by their note."""
        alerts: list[Alert] = []
        if self.status.state in (RunState.BLOCKED, RunState.STALLED):
            alerts.append(Alert(self.status.reason or self.status.state.value, self.status.advice))
        bad = {AccountHealth.DEAD_KEY, AccountHealth.DEAD_PROJECT, AccountHealth.NO_ACCESS}
        for account in self.accounts:
            if account.health in bad:
                text = f"{account.name}: {account.note or account.health.value.replace('_', ' ')}"
                alerts.append(Alert(text, account.advice, account=account.name))
        if self.counts[JobState.FAILED]:
            alerts += self._failures()
        return alerts

    def alert_count(self) -> int:
        """The number of alerts without grouping failures: cheap enough for every repaint."""
        bad = {AccountHealth.DEAD_KEY, AccountHealth.DEAD_PROJECT, AccountHealth.NO_ACCESS}
        return (
            (self.status.state in (RunState.BLOCKED, RunState.STALLED))
            + sum(account.health in bad for account in self.accounts)
            + self.counts[JobState.FAILED]
        )

    def _failures(self) -> list[Alert]:
        groups: dict[str, list[JobRow]] = {}
        for row in self.rows:
            if row.state is JobState.FAILED:
                groups.setdefault(row.note, []).append(row)
        ordered = sorted(groups.items(), key=lambda item: -len(item[1]))
        return [Alert(note or "failed", rows[0].advice, len(rows), _why_query(note)) for note, rows in ordered]

    def _snapshot(self, snapshot: Snapshot, change: Change) -> None:
        self.status = snapshot.status
        self.batches = {batch.id: batch for batch in snapshot.batches}
        self.rows = list(snapshot.jobs)
        self.folded = [row.name.casefold() for row in self.rows]
        self.place = {row.id: place for place, row in enumerate(self.rows)}
        self.counts = Counter(row.state for row in self.rows)
        self.accounts, self.quota = snapshot.accounts, snapshot.quota
        self.base_url, self.templates, self.models = snapshot.base_url, snapshot.templates, snapshot.models
        self.loaded = True
        change.everything = change.accounts = change.quota = change.status = True
        change.jobs.clear()

    def _jobs(self, rows: tuple[JobRow, ...], change: Change) -> None:
        for row in rows:
            place = self.place.get(row.id)
            if place is None:
                place = self.place[row.id] = len(self.rows)
                self.rows.append(row)
                self.folded.append(row.name.casefold())
                self.counts[row.state] += 1
                change.jobs.append((place, None, row))
                continue
            before = self.rows[place]
            self.rows[place] = row
            if row.name != before.name:
                self.folded[place] = row.name.casefold()
            if before.state is not row.state:
                self.counts[before.state] -= 1
                self.counts[row.state] += 1
            change.jobs.append((place, before, row))


def _why_query(note: str) -> str:
    return f'state:failed why:"{note}"' if note and '"' not in note else "state:failed"
