"""What events carry: rows and figures as screens show them. Text fields come from outside and are not sanitised."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from gsvr_tui.core.models import AccountHealth, JobState, KeyRef, Priority, Step, Verdict


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


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One line of a job's history."""

    at: float
    text: str
    level: str = "info"


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
