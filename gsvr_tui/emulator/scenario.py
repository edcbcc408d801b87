"""What an emulated world is like: projects with their keys and limits, faults, latencies.

Times are emulator seconds. Every field has a default, so that `Scenario()` with one project and key is enough.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class LimiterKind(StrEnum):
    """How a minute limit is counted."""

    SLIDING = "sliding"
    FIXED = "fixed"
    BUCKET = "bucket"


class KeyState(StrEnum):
    """What the service thinks of a key."""

    OK = "ok"
    INVALID = "invalid"  # 400 API key not valid
    NOT_FOUND = "not_found"  # 400, deleted key
    EXPIRED = "expired"  # 400 API key expired
    LEAKED = "leaked"  # 403
    UNAUTHENTICATED = "unauthenticated"  # 401, how a wrong or rotated AQ. key fails
    SERVICE_BLOCKED = "service_blocked"  # 403, key restriction
    REFERRER_BLOCKED = "referrer_blocked"  # 403, key restriction


class ProjectState(StrEnum):
    """What the service thinks of a project."""

    OK = "ok"
    SUSPENDED = "suspended"  # 403, the message shows the whole key
    DENIED = "denied"  # 403, flagged
    SERVICE_DISABLED = "service_disabled"  # 403 with a link
    CREDITS_DEPLETED = "credits_depleted"  # 429 that never passes
    NO_FREE_TIER = "no_free_tier"  # 400 FAILED_PRECONDITION, country


class Tier(StrEnum):
    """Decides the names of the quotas in a 429."""

    FREE = "free"
    PAID = "paid"
    PAID_2 = "paid_2"


REQUEST_KINDS = (
    "generate",
    "count_tokens",
    "upload_start",
    "upload_bytes",
    "get_file",
    "list_files",
    "delete_file",
)
"""The kinds of request that rules can meet."""


class Action(StrEnum):
    """What a rule, or chance, does to a request."""

    # an HTTP error instead of an answer
    ERROR_500 = "error_500"
    ERROR_502_HTML = "error_502_html"
    ERROR_503 = "error_503"
    ERROR_503_OLD = "error_503_old"  # the older wording
    ERROR_504 = "error_504"
    ERROR_499 = "error_499"
    ERROR_400_ARGUMENT = "error_400_argument"
    ERROR_400_LOCATION = "error_400_location"
    ERROR_400_TOKENS = "error_400_tokens"
    ERROR_403_CALLER = "error_403_caller"
    ERROR_403_FILE = "error_403_file"
    ERROR_403_SPLITTING = "error_403_splitting"  # "circumventing our quota restrictions"
    ERROR_404_ENTITY = "error_404_entity"
    ERROR_404_NEW_USERS = "error_404_new_users"
    ERROR_429_MINUTE = "error_429_minute"
    ERROR_429_DAY = "error_429_day"
    ERROR_429_BARE = "error_429_bare"
    ERROR_429_SPEND = "error_429_spend"
    ERROR_429_CREDITS = "error_429_credits"
    ERROR_429_HTML = "error_429_html"  # the "automated queries" page
    ERROR_IN_LIST = "error_in_list"  # a 503 whose body is a one-element list
    HTTP = "http"  # `code`, `status`, `message` (or `body`) of the rule
    # the connection
    HANG = "hang"  # no answer for `seconds` (0: until the client gives up), then 504
    DROP = "drop"  # the connection ends before any header
    RESET = "reset"  # the same with a TCP reset
    DROP_MID_BODY = "drop_mid_body"  # headers and half a body
    DROP_MID_STREAM = "drop_mid_stream"  # some SSE blocks, then the connection ends
    SLOW = "slow"  # `seconds` more than usual, then a good answer
    # a 200 that is no good
    NOT_JSON = "not_json"
    HTML = "html"
    SSE_ERROR = "sse_error"  # an error as an event inside a 200 stream
    TRUNCATED_STREAM = "truncated_stream"  # ends with no finishReason
    CUT_JSON = "cut_json"  # half an answer, finishReason STOP
    MAX_TOKENS = "max_tokens"  # half an answer, finishReason MAX_TOKENS
    MAX_TOKENS_EMPTY = "max_tokens_empty"  # "content": {} because thinking ate the tokens
    EMPTY_TEXT = "empty_text"
    THOUGHT_ONLY = "thought_only"
    SAFETY = "safety"
    RECITATION = "recitation"
    OTHER = "other"
    BLOCKED_PROMPT = "blocked_prompt"
    LOOP_TEXT = "loop_text"  # the same sentence over and over
    TIMES_PAST_END = "times_past_end"
    SHORT_COVERAGE = "short_coverage"  # stops at 40 % of the range
    WRONG_LANGUAGE = "wrong_language"
    # files
    FILE_FAILED = "file_failed"  # ends FAILED though it is a video
    FILE_STUCK = "file_stuck"  # stays PROCESSING


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a project and model. None: no limit. 0: no access at all."""

    rpm: int | None = None
    tpm: int | None = None  # input tokens
    rpd: int | None = None
    tpd: int | None = None

    @property
    def no_access(self) -> bool:
        """True when the project may not use the model."""
        return 0 in (self.rpm, self.rpd, self.tpm, self.tpd)


@dataclass(frozen=True, slots=True)
class LimitChange:
    """Other limits from `at_s` after the start on, for one model or (empty) for all."""

    at_s: float
    limits: Limits
    model: str = ""


@dataclass(frozen=True, slots=True)
class KeySpec:
    """A key of a project. Emulated keys open nothing, but are treated like real ones: never shown."""

    key: str = field(repr=False)
    state: KeyState = KeyState.OK
    becomes: KeyState | None = None  # another state …
    at_s: float = 0.0  # … from this moment after the start on


@dataclass(frozen=True, slots=True)
class ProjectSpec:
    """A Google Cloud project: the scope of quota and of files."""

    name: str
    keys: tuple[KeySpec, ...]
    number: int = 0  # 0: made from the name
    state: ProjectState = ProjectState.OK
    becomes: ProjectState | None = None
    at_s: float = 0.0
    tier: Tier = Tier.FREE
    limits: Limits = Limits()
    model_limits: Mapping[str, Limits] = field(default_factory=dict)
    changes: tuple[LimitChange, ...] = ()
    limiter: LimiterKind = LimiterKind.SLIDING
    bucket_capacity: int | None = None
    count_rejected: bool = False  # do rejected requests count against the limits
    quota_value: bool = True  # does a 429 name the limit
    retry_info: bool = True
    bare_429: bool = False  # a 429 with no details at all
    other_traffic_rpm: float = 0.0


@dataclass(frozen=True, slots=True)
class Rule:
    """Does `action` to the requests that match every criterion that is set.

    `nth` counts the requests that match all other criteria, from 1. `count` bounds how often the rule acts.
    """

    action: Action
    kind: str = "generate"  # one of REQUEST_KINDS, or "any"
    project: str = ""
    model: str = ""
    display_name: str = ""  # glob over the display name of the file
    streamed: bool | None = None
    nth: tuple[int, ...] = ()
    every: int = 0  # every n-th
    after: int = 0  # leave the first n alone
    count: int | None = None
    probability: float = 1.0
    from_s: float = 0.0  # emulator seconds after the start
    until_s: float | None = None
    seconds: float = 0.0
    code: int = 500
    status: str = "INTERNAL"
    message: str = "Internal error encountered."
    body: str | None = None  # raw body for `http`; sent as text/html

    def __post_init__(self) -> None:
        if self.kind not in (*REQUEST_KINDS, "any"):
            raise ValueError(f"kind {self.kind!r} is not known; known are: any, {', '.join(REQUEST_KINDS)}")
        if not 400 <= self.code <= 599:
            raise ValueError(f"code must be an HTTP error from 400 to 599, is {self.code}")
        if not 0.0 <= self.probability <= 1.0:
            raise ValueError(f"probability must be between 0 and 1, is {self.probability}")


@dataclass(frozen=True, slots=True)
class Latency:
    """How long an answer takes: `base_s` + `per_minute_s` × minutes of video, spread ± `spread` (share of it)."""

    base_s: float = 0.0
    per_minute_s: float = 0.0
    spread: float = 0.0


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model as the service lists it."""

    name: str
    input_tokens: int = 1_048_576
    output_tokens: int = 65_536
    frame_tokens: int = 70
    frame_tokens_low: int = 70
    frame_tokens_high: int = 280
    audio_tokens: int = 25
    thinking_levels: tuple[str, ...] = ("LOW", "MEDIUM", "HIGH")  # empty: takes a budget instead
    default_thinking: str = "MEDIUM"
    routed_to: str = ""  # another model answers
    shut_down_at: float | None = None  # Unix seconds
    shut_down_routes_to: str = ""  # from then on another model answers; empty: 404
    beta_only: bool = False
    agentic: bool = False  # knows mediaProcessing AGENTIC (on v1beta)


@dataclass(frozen=True, slots=True)
class FileRules:
    """The Files API's own behaviour."""

    processing_s: float = 0.0
    processing_s_per_minute: float = 0.0  # per minute of video
    expiry_s: float = 48 * 3600.0
    max_file_bytes: int = 2 * 1024**3
    max_project_bytes: int = 20 * 1024**3
    chunk_granularity: int = 8 * 1024**2
    bytes_per_s: float = 0.0  # 0: as fast as it goes
    sha256_of_hex: bool = True  # base64 of the hex text (seen in recordings) or of the raw digest


@dataclass(frozen=True, slots=True)
class Scenario:
    """A whole emulated world."""

    projects: tuple[ProjectSpec, ...]
    name: str = ""
    models: tuple[ModelSpec, ...] = ()  # empty: the built-in list
    files: FileRules = FileRules()
    latency: Latency = Latency()
    rules: tuple[Rule, ...] = ()
    faults: Mapping[Action, float] = field(default_factory=dict)  # probability per generate request
    upload_faults: Mapping[Action, float] = field(default_factory=dict)  # per upload request
    count_failed: bool = True  # do requests that end in 5xx count against the limits
    implicit_cache: bool = False
    language: str = "en"  # of answers when the request names none
    time_factor: float = 1.0
    start_at: float | None = None  # Unix seconds at which the emulator's world starts; None: now


def simple_scenario(*keys: str, **project: object) -> Scenario:
    """One project with these keys; further fields of `ProjectSpec` by name."""
    specs = tuple(KeySpec(key) for key in keys or ("emulator-key-0001",))
    return Scenario((ProjectSpec(name="p1", keys=specs, **project),))  # type: ignore[arg-type]
