"""The words for what went wrong: facts of an error in, a classified `Failure` out.

Import them from `core.failure`, where `classify` lives; they stand here so that its table can be built of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class FailureKind(StrEnum):
    """What the scheduler does about it."""

    REST_MINUTE = "rest_minute"  # project×model rests `retry_after_s` (else 60 s)
    REST_DAY = "rest_day"  # project×model rests until midnight Pacific
    REST_SPEND = "rest_spend"  # project rests about ten minutes
    NO_ACCESS = "no_access"  # project has no access to the model
    MODEL_UNKNOWN = "model_unknown"  # no project will have it: wrong or shut-down name
    DEAD_KEY = "dead_key"
    DEAD_PROJECT = "dead_project"
    REUPLOAD = "reupload"  # forget the file, upload again; the key is fine
    WAIT_FILE = "wait_file"  # the file is not ACTIVE yet
    ITEM = "item"  # this video or request can't succeed as it is; not retried
    ITEM_RETRY = "item_retry"  # the answer was no good; may be tried again, uses up an attempt
    BACKOFF_MODEL = "backoff_model"  # overload: back off the model over all projects
    RETRY = "retry"  # network or gateway; try again, no attempt used
    STOP_ALL = "stop_all"  # location, DNS, TLS, proxy: nothing will work from this machine
    BUG = "bug"  # a request the API version does not know: ours to mend


class Scope(StrEnum):
    """What the failure is a property of."""

    PROJECT_MODEL = "project_model"
    PROJECT = "project"
    KEY = "key"
    MODEL = "model"
    ITEM = "item"
    MACHINE = "machine"


@dataclass(frozen=True, slots=True)
class QuotaViolation:
    """One violation of a 429: which dimension, and the limit the service names (None: not named)."""

    dimension: str  # rpm, tpm, rpd, tpd, spend
    limit: int | None
    model: str = ""


@dataclass(frozen=True, slots=True)
class ErrorFacts:
    """The facts of an error, whatever the transport: HTTP answer or exception.

    `transport` is one of "", "connect", "timeout", "read", "tls", "dns", "proxy", "truncated", "not_json".
    `details` is `error.details` of the body: a list of objects with "@type".
    """

    http_status: int | None = None
    status: str = ""
    message: str = ""  # already redacted
    details: tuple[Mapping[str, Any], ...] = ()
    transport: str = ""
    sent: bool = True  # the request may have reached the service


@dataclass(frozen=True, slots=True)
class Failure:
    """A classified failure."""

    kind: FailureKind
    scope: Scope
    code: str  # stable, for people and tests: QUOTA_MINUTE, KEY_INVALID, FILE_GONE, …
    message: str  # one line: what happened
    advice: str = ""  # one line: what the user can do; empty: nothing, it goes on by itself
    retry_after_s: float | None = None
    violations: tuple[QuotaViolation, ...] = ()
    maybe_paid: bool = False  # outcome unknown: the reservation stays spent
    http_status: int | None = None
