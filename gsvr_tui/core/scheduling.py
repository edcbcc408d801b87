"""What goes into the scheduler and what comes out: events, actions and the plan of one moment."""

from __future__ import annotations

from dataclasses import dataclass

from gsvr_tui.core.failure import Failure
from gsvr_tui.core.models import Account, JobState, Limits, Priority, Reason, Step, Verdict

# ---------------------------------------------------------------- events


@dataclass(frozen=True, slots=True)
class SegmentNeed:
    """One request a job needs: estimated input tokens and price. `answered`: it is paid for and on disk."""

    index: int
    tokens: int
    usd: float
    answered: bool = False


@dataclass(frozen=True, slots=True)
class JobArrived:
    """A job to work on: new, from an earlier run, or finished and wanted again.

    `models` is the primary and its fallbacks, in order. `announce`: report its standing back as a MoveJob.
    """

    job: str
    batch: str
    models: tuple[str, ...]
    state: JobState = JobState.QUEUED
    priority: Priority = Priority.NORMAL
    attempts: int = 0
    not_before: float | None = None  # wall
    size_bytes: int = 0
    segments: tuple[SegmentNeed, ...] = ()  # empty: not probed yet
    file_projects: frozenset[str] = frozenset()  # projects that hold its file
    reason: Reason | None = None
    announce: bool = False


@dataclass(frozen=True, slots=True)
class Probed:
    """The file was looked into and its requests planned."""

    job: str
    size_bytes: int
    segments: tuple[SegmentNeed, ...]
    file_projects: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Uploaded:
    """The file is ACTIVE in the project. `seconds` is what the transfer took, 0 when there was none."""

    job: str
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class RequestSent:
    """The request's last byte has left."""

    request: str


@dataclass(frozen=True, slots=True)
class Answered:
    """A segment's answer is on disk. `seconds` from send to last byte; `tokens_in` as the service counted.

    `reused`: the same work was paid for already, nothing was sent.
    """

    job: str
    request: str
    tokens_in: int
    cost_usd: float
    seconds: float
    reused: bool = False


@dataclass(frozen=True, slots=True)
class StepFailed:
    """A step did not work. `request` names the paid request for GENERATE."""

    job: str
    step: Step
    failure: Failure
    request: str = ""
    cost_usd: float | None = 0.0  # None: not known whether it was charged
    tokens_in: int | None = None  # counted by the service for an answer that was no good
    sent: bool = True  # False: it ended before anything left, so it counts nowhere


@dataclass(frozen=True, slots=True)
class Interrupted:
    """We broke a step off ourselves. `sent`: the request may have reached the service and stays spent."""

    job: str
    step: Step
    request: str = ""
    sent: bool = False


@dataclass(frozen=True, slots=True)
class Finished:
    """Gate and renderers are through. With a REJECTED verdict the job is asked again, or fails when it may not be."""

    job: str
    verdict: Verdict
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class PauseSet:
    """Start nothing new (True) or go on."""

    paused: bool


@dataclass(frozen=True, slots=True)
class StallSet:
    """The store cannot write: start no paid request until it can."""

    reason: str  # empty: it can


@dataclass(frozen=True, slots=True)
class JobsHeld:
    """Hold jobs."""

    jobs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class JobsReleased:
    """Release held jobs."""

    jobs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class JobsCancelled:
    """Cancel jobs."""

    jobs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PrioritySet:
    """Another priority class."""

    jobs: tuple[str, ...]
    priority: Priority


@dataclass(frozen=True, slots=True)
class WorkersSet:
    """Paid requests in flight at most; 0: computed."""

    workers: int


@dataclass(frozen=True, slots=True)
class AccountPut:
    """A new or changed account, with the limits of its tier where they are known (by model)."""

    account: Account
    tier_limits: dict[str, Limits]


@dataclass(frozen=True, slots=True)
class AccountGone:
    """An account was removed."""

    name: str


@dataclass(frozen=True, slots=True)
class AccountSwitched:
    """An account is used or not used."""

    name: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class AccountVerified:
    """A check said the key works."""

    name: str


@dataclass(frozen=True, slots=True)
class AccountRefused:
    """A check failed with a verdict over the key or project."""

    name: str
    failure: Failure


Event = (
    JobArrived
    | Probed
    | Uploaded
    | RequestSent
    | Answered
    | StepFailed
    | Interrupted
    | Finished
    | PauseSet
    | StallSet
    | JobsHeld
    | JobsReleased
    | JobsCancelled
    | PrioritySet
    | WorkersSet
    | AccountPut
    | AccountGone
    | AccountSwitched
    | AccountVerified
    | AccountRefused
)

# ---------------------------------------------------------------- actions


@dataclass(frozen=True, slots=True)
class ProbeJob:
    """Look into the file and plan its requests; answer with Probed or StepFailed."""

    job: str


@dataclass(frozen=True, slots=True)
class UploadFile:
    """Bring the file to the project and wait until it is ACTIVE; answer with Uploaded or StepFailed."""

    job: str
    project: str
    account: str


@dataclass(frozen=True, slots=True)
class SendRequest:
    """Send a paid request; it is reserved. Write the intent first; answer with Answered or StepFailed."""

    request: str
    job: str
    segment: int
    project: str
    account: str
    model: str
    usd: float


@dataclass(frozen=True, slots=True)
class FinishJob:
    """All segments are answered: gate, report, files; answer with Finished or StepFailed."""

    job: str


@dataclass(frozen=True, slots=True)
class StopWork:
    """Break off what the job has in flight (cancelled by the user)."""

    job: str


@dataclass(frozen=True, slots=True)
class ForgetFile:
    """The project's copy of the job's file is gone."""

    job: str
    project: str


@dataclass(frozen=True, slots=True)
class ForgetAnswers:
    """The job's stored answers are no good; the next requests replace them."""

    job: str


@dataclass(frozen=True, slots=True)
class MoveJob:
    """The job's new standing, to be stored and shown. `not_before` is wall time."""

    job: str
    state: JobState
    step: Step
    attempts: int
    priority: Priority
    reason: Reason | None
    not_before: float | None
    project: str
    account: str
    model: str
    verdict: Verdict | None = None


Action = ProbeJob | UploadFile | SendRequest | FinishJob | StopWork | ForgetFile | ForgetAnswers | MoveJob


@dataclass(frozen=True, slots=True)
class Stillness:
    """Why nothing more starts although there is work. `kind`: paused, stalled, resting, blocked, full (workers)."""

    kind: str
    message: str = ""
    advice: str = ""
    until: float | None = None  # wall
    code: str = ""  # for blocked: NO_ACCOUNT, KEYS_DEAD, CAP, NO_MODEL


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do now, when to ask again (monotonic; `inf`: only after an event), and why if nothing starts."""

    actions: tuple[Action, ...]
    wake_at: float
    stillness: Stillness | None = None
