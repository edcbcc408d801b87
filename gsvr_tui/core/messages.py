"""Commands (UI → service) and events (service → UI): frozen, plain data, so that they could cross a socket.

The UI holds a read model: a `Snapshot` plus the events since. Keyboard acts are commands; the screen changes when the
event comes back. The service answers every command with `CommandDone` or `CommandRefused`, or as its docstring says.
Commands are written in `core.commands`, the rows that events carry in `core.views`; both are given out here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from gsvr_tui.core.commands import (
    AddAccount,
    AddJobs,
    CancelJobs,
    CheckAccount,
    CheckKey,
    Command,
    EnableAccount,
    HoldJobs,
    Pause,
    PlanJobs,
    ReleaseJobs,
    RemoveAccount,
    ReplaceKey,
    Resume,
    RetryJobs,
    SetPriority,
    SetWorkers,
    Stop,
    WatchJob,
)
from gsvr_tui.core.views import (
    AccountRow,
    BatchRow,
    JobRow,
    PlanOption,
    QuotaRow,
    RunState,
    Status,
    TimelineEntry,
)

__all__ = [
    "AccountRow",
    "AccountsChanged",
    "AddAccount",
    "AddJobs",
    "BatchAdded",
    "BatchRow",
    "CancelJobs",
    "CheckAccount",
    "CheckKey",
    "Command",
    "CommandDone",
    "CommandRefused",
    "EnableAccount",
    "Event",
    "HoldJobs",
    "JobDetail",
    "JobRow",
    "JobsChanged",
    "KeyChecked",
    "LogLine",
    "Pause",
    "PlanJobs",
    "PlanOption",
    "PlanReady",
    "QuotaChanged",
    "QuotaRow",
    "ReleaseJobs",
    "RemoveAccount",
    "ReplaceKey",
    "Resume",
    "RetryJobs",
    "RunState",
    "ServiceHandle",
    "ServiceStopped",
    "SetPriority",
    "SetWorkers",
    "Snapshot",
    "Status",
    "StatusChanged",
    "Stop",
    "TimelineEntry",
    "WatchJob",
]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The whole picture; everything before it is void."""

    status: Status
    batches: tuple[BatchRow, ...]
    jobs: tuple[JobRow, ...]  # in queue order
    accounts: tuple[AccountRow, ...]
    quota: tuple[QuotaRow, ...]
    base_url: str = ""  # when it is not Google's
    templates: tuple[str, ...] = ()
    models: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BatchAdded:
    """A new batch; its jobs follow as JobsChanged."""

    batch: BatchRow


@dataclass(frozen=True, slots=True)
class JobsChanged:
    """New or changed rows, at most one per job, new ones in queue order."""

    rows: tuple[JobRow, ...]


@dataclass(frozen=True, slots=True)
class AccountsChanged:
    """All accounts."""

    accounts: tuple[AccountRow, ...]


@dataclass(frozen=True, slots=True)
class QuotaChanged:
    """All project × model rows."""

    quota: tuple[QuotaRow, ...]


@dataclass(frozen=True, slots=True)
class StatusChanged:
    """The latest status; only the newest of a burst is delivered."""

    status: Status


@dataclass(frozen=True, slots=True)
class LogLine:
    """One log record, redacted. `level` is debug, info, warning or error."""

    at: float
    level: str
    source: str
    message: str
    job: str = ""
    account: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JobDetail:
    """Everything the detail screen shows. `answer` is the raw answer or the stream so far, `report` Markdown."""

    row: JobRow
    path: str
    facts: tuple[tuple[str, str], ...]  # label, value: duration, size, codecs, …
    timeline: tuple[TimelineEntry, ...]
    findings: tuple[tuple[str, str, str], ...]  # check, pass|warn|fail, text
    answer: str
    report: str
    outputs: tuple[str, ...]
    tokens_in: int = 0
    tokens_out: int = 0


@dataclass(frozen=True, slots=True)
class KeyChecked:
    """Answer to CheckKey. `models` are those the key may use that the catalogue knows."""

    command_id: str
    ok: bool
    message: str
    advice: str = ""
    latency_ms: int = 0
    models: tuple[str, ...] = ()
    dead: bool = False  # the service said the key is not valid (not: we could not reach it)


@dataclass(frozen=True, slots=True)
class PlanReady:
    """Answer to PlanJobs. The first option is how things are now."""

    command_id: str
    videos: int
    seconds: float  # of video in all
    size_bytes: int
    template: str
    model: str
    options: tuple[PlanOption, ...]
    split: int = 0  # videos that need more than one request
    skipped: tuple[tuple[str, str], ...] = ()  # path, why
    warnings: tuple[str, ...] = ()
    cap_usd: float | None = None
    inside_cap: bool = True


@dataclass(frozen=True, slots=True)
class CommandDone:
    """The command was carried out. `count` is the number of things it changed; `message` says it in words."""

    command_id: str
    message: str = ""
    count: int = 0
    batch_id: str = ""


@dataclass(frozen=True, slots=True)
class CommandRefused:
    """The command could not be carried out: what is wrong and what to do."""

    command_id: str
    message: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class ServiceStopped:
    """The service has ended. `error` is empty after a Stop; else a redacted line, details are in the log."""

    error: str = ""
    resumable: int = 0  # jobs that go on at the next start


Event = (
    Snapshot
    | BatchAdded
    | JobsChanged
    | AccountsChanged
    | QuotaChanged
    | StatusChanged
    | LogLine
    | JobDetail
    | KeyChecked
    | PlanReady
    | CommandDone
    | CommandRefused
    | ServiceStopped
)


class ServiceHandle(Protocol):
    """The one thing the UI knows of the service. All methods are thread-safe and return at once, except `join`."""

    def send(self, command: Command) -> None:
        """Hand a command over; the answer comes as an event."""

    def take_events(self) -> list[Event]:
        """All events since the last call, merged, in order. Starts with a Snapshot."""

    def set_wake(self, callback: Callable[[], None] | None) -> None:
        """`callback` is called from the service's thread when events wait, once until they are taken."""

    def join(self, timeout_s: float) -> bool:
        """Wait for the service to end; True when it has."""
