"""Commands (UI → service) and events (service → UI): frozen, plain data, so that they could cross a socket.

The UI holds a read model: a `Snapshot` plus the events since. Keyboard acts are commands; the screen changes when the
event comes back. Every command carries an `id`; the service answers with `CommandDone` or `CommandRefused`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from gsvr_tui.core.models import AccountHealth, JobState, KeyRef, Priority, Step, Verdict
from gsvr_tui.core.secret import Secret

# ---------------------------------------------------------------- commands


@dataclass(frozen=True, slots=True)
class AddJobs:
    """Make a batch of the videos under `paths` (files or folders, folders recursively)."""

    id: str
    paths: tuple[str, ...]
    output_dir: str = ""  # empty: the config's
    template: str = ""
    model: str = ""
    language: str = ""
    formats: tuple[str, ...] = ()
    parameters: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    max_cost_usd: float | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Pause:
    """Start nothing new. `now`: do not wait for what is in flight; it will be sent again and may be paid twice."""

    id: str
    now: bool = False


@dataclass(frozen=True, slots=True)
class Resume:
    """Go on after Pause."""

    id: str


@dataclass(frozen=True, slots=True)
class HoldJobs:
    """Hold these jobs; what they have in flight finishes."""

    id: str
    jobs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReleaseJobs:
    """Undo HoldJobs."""

    id: str
    jobs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CancelJobs:
    """Cancel jobs that are not finished. Undone by RetryJobs."""

    id: str
    jobs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RetryJobs:
    """Queue finished jobs again: failed, cancelled or partial ones, also done ones when named."""

    id: str
    jobs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SetPriority:
    """Give these jobs another class."""

    id: str
    jobs: tuple[str, ...]
    priority: Priority


@dataclass(frozen=True, slots=True)
class SetWorkers:
    """Requests and uploads in flight at most; 0 means computed."""

    id: str
    workers: int


@dataclass(frozen=True, slots=True)
class CheckKey:
    """Ask the service whether a key works, without keeping it. Answered by KeyChecked."""

    id: str
    key: Secret
    base_url: str = ""


@dataclass(frozen=True, slots=True)
class AddAccount:
    """Keep a key and add its account to the config. `store`: keyring, vault or env (then `key` may be empty)."""

    id: str
    name: str
    project: str
    store: str
    key: Secret | None = None
    env: str = ""  # name of the variable for store == "env"
    passphrase: Secret | None = None  # of the vault
    tier: str = "unknown"
    base_url: str = ""


@dataclass(frozen=True, slots=True)
class ReplaceKey:
    """Give an account another key, where it is kept now. Its project and history stay."""

    id: str
    name: str
    key: Secret
    passphrase: Secret | None = None


@dataclass(frozen=True, slots=True)
class PlanJobs:
    """Say what AddJobs of the same would take, without adding anything. Answered by PlanReady or CommandRefused."""

    id: str
    paths: tuple[str, ...]
    template: str = ""
    model: str = ""
    max_cost_usd: float | None = None


@dataclass(frozen=True, slots=True)
class RemoveAccount:
    """Remove an account and its stored key."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class EnableAccount:
    """Use or stop using an account."""

    id: str
    name: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class CheckAccount:
    """Check an account's key now. Answered by AccountsChanged."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class WatchJob:
    """Send JobDetail for this job now and whenever it changes; an empty job ends the watch."""

    id: str
    job: str


@dataclass(frozen=True, slots=True)
class Stop:
    """End the service. `drain`: let what is in flight finish first; else it is cut and sent again next time."""

    id: str
    drain: bool = True


Command = (
    AddJobs
    | Pause
    | Resume
    | HoldJobs
    | ReleaseJobs
    | CancelJobs
    | RetryJobs
    | SetPriority
    | SetWorkers
    | CheckKey
    | AddAccount
    | ReplaceKey
    | PlanJobs
    | RemoveAccount
    | EnableAccount
    | CheckAccount
    | WatchJob
    | Stop
)

# ---------------------------------------------------------------- what events carry


@dataclass(frozen=True, slots=True)
class JobRow:
    """One line of the queue. Text fields come from outside and are not sanitised for a terminal."""

    id: str
    batch_id: str
    name: str
    state: JobState
    step: Step
    progress: float = -1.0  # 0–1 of the step, below 0: not known
    duration_s: float = 0.0  # of the video, 0: not known
    cost_usd: float = 0.0
    note: str = ""  # short: why it waits or failed
    advice: str = ""
    until: float | None = None  # wall time the wait ends
    priority: Priority = Priority.NORMAL
    attempts: int = 0
    verdict: Verdict | None = None
    account: str = ""
    project: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True)
class BatchRow:
    """A batch as the queue's header and filters need it."""

    id: str
    name: str
    created_at: float
    template: str
    model: str
    output_dir: str


@dataclass(frozen=True, slots=True)
class AccountRow:
    """One account. `key_tail` is at most four characters."""

    name: str
    project: str
    key_tail: str
    key_ref: KeyRef
    tier: str
    health: AccountHealth
    note: str = ""
    advice: str = ""
    until: float | None = None
    base_url: str = ""
    in_flight: int = 0
    why: str = ""  # one sentence: why the next job goes here or not, and when next


@dataclass(frozen=True, slots=True)
class QuotaRow:
    """Use of one project × model. Limits are None where not known; `minute_*` are of the last 60 s."""

    project: str
    model: str
    minute_used: int
    minute_reserved: int
    minute_limit: int | None
    tokens_used: int
    tokens_limit: int | None
    day_used: int
    day_limit: int | None
    day_resets_at: float
    resting_until: float | None = None
    note: str = ""
    limit_source: str = "unknown"
    tokens_day_used: int = 0
    tokens_day_limit: int | None = None
    spent_10min_usd: float = 0.0
    spend_limit_usd: float | None = None  # of ten minutes
    paced: bool = False  # the service takes them only evenly spaced
    learned_at: float | None = None  # wall time the limit was named by the service
    per_minute: tuple[int, ...] = ()  # answered in each of the last minutes, oldest first


class RunState(StrEnum):
    """What the whole service does."""

    STARTING = "starting"
    RUNNING = "running"
    IDLE = "idle"  # nothing to do
    RESTING = "resting"  # all quota used; `until` says when it goes on
    PAUSING = "pausing"  # in flight work finishes
    PAUSED = "paused"
    BLOCKED = "blocked"  # needs the user: no account, keys rejected, cap reached
    STALLED = "stalled"  # the disk is full or gone; goes on by itself
    STOPPING = "stopping"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Status:
    """The one status line."""

    state: RunState
    reason: str = ""
    advice: str = ""
    code: str = ""  # of a BLOCKED state: NO_ACCOUNT, KEYS_DEAD, NO_MODEL, CAP
    until: float | None = None
    counts: Mapping[JobState, int] = field(default_factory=dict)
    in_flight: int = 0
    workers: int = 0
    workers_auto: bool = True
    finished_last_hour: int = 0
    rate_per_hour: float | None = None  # None: too few finished to say
    ends_at: float | None = None  # wall time, None: measuring
    ends_low: float | None = None  # the range, where it is wide
    ends_high: float | None = None
    limited_by: str = ""  # in words: what holds the rate: requests per minute of lab-a, workers, …
    spent_usd: float = 0.0
    cap_usd: float | None = None
    tokens_in: int = 0
    tokens_out: int = 0


# ---------------------------------------------------------------- events


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
class TimelineEntry:
    """One line of a job's history."""

    at: float
    text: str
    level: str = "info"


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
class PlanOption:
    """One way to do the work: as things are, or with something changed. `ends_at` None: it never ends, see `note`."""

    name: str  # now, one more account, fallback model, paid tier
    ends_at: float | None
    ends_low: float | None
    ends_high: float | None
    cost_usd: float
    cost_low_usd: float
    cost_high_usd: float
    requests: int
    tokens_in: int
    limited_by: str
    note: str = ""
    by_account: tuple[tuple[str, int], ...] = ()  # account, requests


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
