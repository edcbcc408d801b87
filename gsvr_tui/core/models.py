"""The nouns of the house as frozen values: batch, job, segment, account, file, answer and what they carry.

Times are Unix seconds (float, UTC); sizes bytes; durations seconds; money USD. Paths are `str` as `os.fsdecode` gives
them, so that names that are not UTF-8 survive (surrogateescape).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum


class JobState(StrEnum):
    """Where a job stands. What it is doing at the moment is its `Step`."""

    QUEUED = "queued"  # its next step can start as soon as there is room
    RUNNING = "running"  # a step is in flight
    WAITING = "waiting"  # for a stated moment (`not_before`) or a stated fact (`reason`)
    HELD = "held"  # by the user
    DONE = "done"
    PARTIAL = "partial"  # report written, parts of the video missing, shown as such
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        """True when nothing more happens without an act of the user."""
        return self in FINAL_STATES


FINAL_STATES = frozenset({JobState.DONE, JobState.PARTIAL, JobState.FAILED, JobState.CANCELLED})

TRANSITIONS: Mapping[JobState, frozenset[JobState]] = {
    JobState.QUEUED: frozenset(
        {JobState.RUNNING, JobState.WAITING, JobState.HELD, JobState.FAILED, JobState.CANCELLED}
    ),
    JobState.RUNNING: frozenset(
        {
            JobState.QUEUED,
            JobState.WAITING,
            JobState.HELD,
            JobState.DONE,
            JobState.PARTIAL,
            JobState.FAILED,
            JobState.CANCELLED,
        }
    ),
    JobState.WAITING: frozenset({JobState.QUEUED, JobState.HELD, JobState.FAILED, JobState.CANCELLED}),
    JobState.HELD: frozenset({JobState.QUEUED, JobState.CANCELLED}),
    JobState.DONE: frozenset({JobState.QUEUED}),
    JobState.PARTIAL: frozenset({JobState.QUEUED}),
    JobState.FAILED: frozenset({JobState.QUEUED}),
    JobState.CANCELLED: frozenset({JobState.QUEUED}),
}
"""Every legal change of a job's state; anything else is a bug and raises IllegalTransition."""


class IllegalTransition(ValueError):
    """A job was asked to go where TRANSITIONS does not lead."""


def check_path(before: JobState, after: JobState) -> None:
    """Like `check_transition` for changes within one moment: going on after a wait, a hold or an end is seen as one."""
    if JobState.QUEUED in TRANSITIONS[before] and after in TRANSITIONS[JobState.QUEUED]:
        return
    check_transition(before, after)


def check_transition(before: JobState, after: JobState) -> None:
    """Raise IllegalTransition unless `after` may follow `before`. Staying in a state is always legal."""
    if before is not after and after not in TRANSITIONS[before]:
        raise IllegalTransition(f"{before} → {after}")


class Step(StrEnum):
    """The step a job is at; while QUEUED or WAITING, the step it will do next."""

    PROBE = "probe"  # look into the file, hash it
    UPLOAD = "upload"
    PROCESS = "process"  # the service makes the file ACTIVE
    GENERATE = "generate"
    CHECK = "check"  # the gate
    RENDER = "render"
    END = "end"  # nothing left to do


class Priority(IntEnum):
    """Strict classes; higher goes first."""

    LOW = -1
    NORMAL = 0
    HIGH = 1


class Verdict(StrEnum):
    """What the quality gate says of a report."""

    OK = "ok"
    REPAIRED = "repaired"
    PARTIAL = "partial"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a job stands still or failed: one line of what happened and one of what to do.

    `code` is stable (`NO_VIDEO`, `QUOTA_DAY`, `SOURCE_MISSING`, …); `message` and `advice` are for people, sanitised.
    """

    code: str
    message: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class ProbeFacts:
    """What a look into the file said."""

    duration_s: float
    size_bytes: int
    mime_type: str  # as it will be uploaded
    container: str
    video_codec: str
    audio_codec: str = ""  # empty: no sound
    width: int = 0
    height: int = 0
    fps: float = 0.0
    needs_remux: bool = False  # Gemini refuses the container; copy the streams into mp4 first
    mtime_ns: int = 0
    inode: int = 0

    @property
    def has_audio(self) -> bool:
        """True when there is a sound track."""
        return bool(self.audio_codec)


@dataclass(frozen=True, slots=True)
class Batch:
    """Videos + template + model + options + output folder, made by one act of the user."""

    id: str
    name: str
    created_at: float
    template: str
    template_version: str
    model: str
    output_dir: str
    formats: tuple[str, ...] = ("markdown", "json")
    language: str = ""  # of the report; empty: the template's own
    parameters: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    fallback_models: tuple[str, ...] = ()
    max_cost_usd: float | None = None
    roots: tuple[str, ...] = ()  # folders the user named; output keeps the tree below them


@dataclass(frozen=True, slots=True)
class Job:
    """One video in one batch; the unit that is queued, paused, retried and reported."""

    id: str
    batch_id: str
    path: str
    created_at: float
    name: str = ""  # path below the batch's root, as shown; not sanitised
    size_bytes: int = 0
    state: JobState = JobState.QUEUED
    step: Step = Step.PROBE
    priority: Priority = Priority.NORMAL
    attempts: int = 0  # failures of the item itself; rotations, rests and our own crashes never count
    crashes: int = 0  # times our process died with this job in flight
    reason: Reason | None = None
    not_before: float | None = None  # WAITING: wall time
    probe: ProbeFacts | None = None
    content_hash: str = ""  # sha256 hex of the file
    project: str = ""  # that holds its file, empty: not bound
    account: str = ""  # that did the last request
    model: str = ""  # used for the answer, empty: none yet
    verdict: Verdict | None = None
    cost_usd: float = 0.0
    tokens_in: int = 0
    tokens_out: int = 0
    outputs: tuple[str, ...] = ()  # files written, absolute
    output_hashes: str = ""  # sha256 of each as we wrote it, in the same order, separated by blanks
    started_at: float | None = None
    finished_at: float | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one answer as the service counted them (`gemini-api.md` §7.1)."""

    prompt: int = 0  # includes cached
    candidates: int = 0
    thoughts: int = 0
    cached: int = 0
    tool_use: int = 0
    video: int = 0  # part of prompt, by modality
    audio: int = 0

    @property
    def total_in(self) -> int:
        """Input tokens, loaded media of agentic processing included."""
        return self.prompt + self.tool_use

    @property
    def total_out(self) -> int:
        """Output tokens as billed: thinking counts as output."""
        return self.candidates + self.thoughts


class RequestState(StrEnum):
    """Three-valued outcome of a paid request: what is not known stays spent."""

    OPEN = "open"  # intent on disk, perhaps sent
    ANSWERED = "answered"
    FAILED = "failed"  # the service said no; not charged
    UNKNOWN = "unknown"  # we died or the line dropped: maybe paid, kept as spent


@dataclass(frozen=True, slots=True)
class Segment:
    """A time range of a job's video that goes into one request, and the request that is or was made for it.

    `id` is `<job id>.<index>`. The answer, if any, lies in the answers store under `request_id`.
    """

    job_id: str
    index: int
    start_s: float
    end_s: float
    whole: bool = True  # the range is the whole video: no offsets are sent
    request_id: str = ""
    request_state: RequestState | None = None
    account: str = ""
    project: str = ""
    model: str = ""
    reserved_usd: float = 0.0
    cost_usd: float = 0.0
    usage: Usage | None = None
    sent_at: float | None = None
    work_key: str = ""  # sha256 over content, range, model, template version, options and prompt


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A video in the Files API of one project. Only keys of that project can use it (`gemini-api.md` §2.6)."""

    name: str  # files/abc-123
    uri: str
    mime_type: str
    project: str
    content_hash: str  # of the local file it was made from
    size_bytes: int
    expires_at: float  # 48 h after creation, by the server
    active: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """Known limits of one project for one model; None means not known. 0 means no access."""

    rpm: int | None = None
    tpm: int | None = None  # input tokens a minute
    rpd: int | None = None
    source: str = "unknown"  # user, 429, inferred, tier, unknown
    tpd: int | None = None  # input tokens a day
    paced: bool = False  # the service takes them only evenly spaced: one every 60/rpm seconds
    learned_at: float | None = None  # wall time the service named them


@dataclass(frozen=True, slots=True)
class KeyRef:
    """Where a key lives; never the key. kind: env, keyring, vault or memory (demo and tests)."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Account:
    """A named credential the user may use, and the Google Cloud project behind it: the scope of quota and files."""

    name: str
    project: str
    key: KeyRef
    tier: str = "unknown"  # free, tier1, tier2, tier3, unknown
    limits: Mapping[str, Limits] = field(default_factory=dict)  # by model, set by the user
    base_url: str = ""  # empty: Google's
    enabled: bool = True
    max_in_flight: int = 0  # uploads and requests at the same time; 0: no bound of its own


class AccountHealth(StrEnum):
    """How an account stands."""

    UNCHECKED = "unchecked"
    OK = "ok"
    RESTING = "resting"  # quota; `until` says when it is over
    NO_ACCESS = "no_access"  # to the models wanted
    DEAD_KEY = "dead_key"
    DEAD_PROJECT = "dead_project"
    DISABLED = "disabled"  # by the user


@dataclass(frozen=True, slots=True)
class Now:
    """The moment, by two clocks: `mono` for spans (never goes back), `wall` (Unix seconds) for days and display.

    Per-minute windows use `mono`; Pacific days use `wall`, corrected by the service's own `Date` where it is known.
    """

    mono: float
    wall: float
