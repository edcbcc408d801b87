"""What went wrong and what to do: the one place that decides over failures.

`classify` is pure: facts of an error in, a `Failure` out. It reads the facts with the rules below and takes the first
row of `core.failure_table` that fits. Whatever a server writes into a body, it never raises.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from gsvr_tui.core.failure_table import ROWS, Row
from gsvr_tui.core.failure_types import (
    ErrorFacts,
    Failure,
    FailureKind,
    QuotaViolation,
    Scope,
)
from gsvr_tui.core.text import clean_text

__all__ = ["ErrorFacts", "Failure", "FailureKind", "QuotaViolation", "Scope", "classify", "duration_s"]

_LONGEST_WAIT_S = 26 * 3600.0  # a Pacific day has at most 25 hours
_LONGEST_SAID = 200
_LONGEST_READ = 20_000  # of a message: bodies may be whole web pages

_HTTP_OF_STATUS: Mapping[str, int] = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "OUT_OF_RANGE": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ABORTED": 409,
    "ALREADY_EXISTS": 409,
    "RESOURCE_EXHAUSTED": 429,
    "CANCELLED": 499,
    "INTERNAL": 500,
    "UNKNOWN": 500,
    "DATA_LOSS": 500,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}

_UNITS = {"d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_DURATION = re.compile(r"(\d{1,12}(?:\.\d{1,12})?)\s*(ms|[dhms])", re.IGNORECASE)
_RETRY_IN = re.compile(r"retry (?:in|after) ((?:\d{1,12}(?:\.\d{1,12})?\s*(?:ms|[dhms])\s*){1,5})", re.IGNORECASE)
_QUOTA_LINE = re.compile(
    r"exceeded for metric:\s*([^\s,]{1,200})(?:,\s*limit:\s*(\d{1,12}))?(?:,\s*model:\s*([\w.\-/]{1,100}))?",
    re.IGNORECASE,
)
_LIMIT_ZERO = re.compile(r"limit:\s*0(?![\d.])", re.IGNORECASE)
_LINK = re.compile(r"https://[^\s\"'<>]{1,300}")
_LINK_HOSTS = ("google.com", "googleapis.com", "google.dev")
_MODEL = re.compile(r"models/([\w.\-]{1,80})")
_MAXIMUM_TOKENS = re.compile(r"tokens allowed \((\d{1,10})\)", re.IGNORECASE)

# From the worst to the mildest: what a 429 with several violations is taken for.
_SEVERITY = ("none", "day", "spend", "minute")
_SPAN_OF = {"rpd": "day", "tpd": "day", "rpm": "minute", "tpm": "minute", "spend": "spend"}
_WHAT = {"rpd": "requests", "rpm": "requests", "tpd": "input tokens", "tpm": "input tokens"}


def classify(facts: ErrorFacts, *, model: str = "") -> Failure:
    """What an error is and what to do about it. `model` is the one that was asked for, "" when none was."""
    evidence = _Evidence.of(facts)
    row = next(row for row in ROWS if evidence.fits(row))
    worst = evidence.worst
    words = {
        "{model}": model or (worst.model if worst else "") or "the model",
        "{limit}": evidence.limit_words(),
        "{what}": _WHAT.get(worst.dimension, "requests") if worst else "requests",
        "{said}": _said(facts.message) or f"HTTP {evidence.http}",
        "{link}": evidence.link() or "the Google Cloud console",
        "{other}": evidence.other_model(),
    }
    wait = evidence.retry_after_s
    if row.wait_s is not None:
        wait = max(row.wait_s, wait or 0.0)
    if row.kind is FailureKind.REST_DAY:
        wait = None  # the delay named with a daily limit is of no use: seconds, where hours are meant
    return Failure(
        kind=row.kind,
        scope=row.scope,
        code=row.code,
        message=_fill(row.message, words),
        advice=_fill(row.advice, words),
        retry_after_s=wait,
        violations=evidence.violations,
        maybe_paid=row.paid and facts.sent,
        http_status=evidence.http,
    )


def duration_s(value: object) -> float | None:
    """Seconds of a duration as bodies write it ("38s", "14.2s", "18h28m12.5s"), at most 26 hours; None: it is none."""
    if not isinstance(value, str) or len(value) > 100:
        return None
    parts = _DURATION.findall(value)
    if not parts:
        return None
    return min(_LONGEST_WAIT_S, sum(float(number) * _UNITS[unit.lower()] for number, unit in parts))


def _fill(text: str, words: Mapping[str, str]) -> str:
    return re.sub(r"\{\w+\}", lambda match: words.get(match.group(), match.group()), text)


def _said(message: object) -> str:
    """The service's own words in one harmless line; nothing of web pages."""
    if not isinstance(message, str) or message.lstrip()[:1] == "<":
        return ""
    line = " ".join(clean_text(message[:_LONGEST_READ]).split())
    return line if len(line) <= _LONGEST_SAID else line[: _LONGEST_SAID - 1] + "…"


# ---------------------------------------------------------------- reading the facts


@dataclass(frozen=True, slots=True)
class _Evidence:
    """The facts in the form the rows ask for."""

    transport: str
    http: int | None
    message: str  # limited
    text: str  # the same in lower case
    details: tuple[Mapping[str, object], ...]
    reasons: frozenset[str]
    violations: tuple[QuotaViolation, ...]
    worst: QuotaViolation | None
    quota: str
    retry_after_s: float | None
    html: bool

    @classmethod
    def of(cls, facts: ErrorFacts) -> _Evidence:
        message = facts.message[:_LONGEST_READ] if isinstance(facts.message, str) else ""
        status = facts.status if isinstance(facts.status, str) else ""
        http = facts.http_status if isinstance(facts.http_status, int) else None
        if http is None and not facts.transport:
            http = _HTTP_OF_STATUS.get(status)
        details = tuple(detail for detail in facts.details if isinstance(detail, Mapping))
        violations = tuple(_violations(details, message)) if http == 429 else ()
        worst = min(violations, key=_rank, default=None)
        lower = message.lower()
        return cls(
            transport=facts.transport,
            http=http,
            message=message,
            text=lower,
            details=details,
            reasons=frozenset(_texts(details, "ErrorInfo", "reason")),
            violations=violations,
            worst=worst,
            quota=_span(worst) if worst else "",
            retry_after_s=_retry_after(details, message),
            html=facts.transport == "not_json" or lower.lstrip()[:1] == "<",
        )

    def fits(self, row: Row) -> bool:
        """True when every condition of the row holds."""
        return (
            (not row.transport or self.transport in row.transport)
            and (not row.http or self.http in row.http)
            and (not row.http_class or (self.http is not None and self.http // 100 == row.http_class))
            and (not (row.phrases or row.reasons) or self._says(row))
            and (not row.quota or row.quota == self.quota)
            and (row.html is None or row.html == self.html)
        )

    def _says(self, row: Row) -> bool:
        return any(phrase in self.text for phrase in row.phrases) or not self.reasons.isdisjoint(row.reasons)

    def limit_words(self) -> str:
        """The limit as a piece of a sentence, or nothing."""
        if self.worst is not None and self.worst.limit is not None:
            return f" ({self.worst.limit:,})"
        maximum = _MAXIMUM_TOKENS.search(self.text)
        return f" (at most {int(maximum.group(1)):,} tokens)" if maximum else ""

    def link(self) -> str:
        """The first link to Google that the body names: a server's link to anywhere else is not shown."""
        urls = [*_texts(self.details, "ErrorInfo", "metadata", "activationUrl"), *_LINK.findall(self.message)]
        for url in urls:
            shown = clean_text(url.rstrip(".,;)")) if _LINK.fullmatch(url) else ""
            host = _host(shown)
            if any(host == known or host.endswith(f".{known}") for known in _LINK_HOSTS):
                return shown
        return ""

    def other_model(self) -> str:
        """`: <id>` of the model the message recommends, which is the last it names."""
        names = [name.rstrip(".") for name in _MODEL.findall(self.message)]
        return f": {names[-1]}" if len(names) > 1 and names[-1] != names[0] else ""


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _of_type(details: Sequence[Mapping[str, object]], name: str) -> Iterator[Mapping[str, object]]:
    for detail in details:
        if str(detail.get("@type", "")).endswith(f".{name}"):
            yield detail


def _texts(details: Sequence[Mapping[str, object]], name: str, *path: str) -> Iterator[str]:
    for detail in _of_type(details, name):
        value: object = detail
        for key in path:
            value = value.get(key) if isinstance(value, Mapping) else None
        if isinstance(value, str):
            yield value


def _retry_after(details: Sequence[Mapping[str, object]], message: str) -> float | None:
    """The largest time the service names: the text and RetryInfo have been seen to disagree."""
    named = [duration_s(text) for text in _texts(details, "RetryInfo", "retryDelay")]
    named += [duration_s(match.group(1)) for match in _RETRY_IN.finditer(message)]
    return max((seconds for seconds in named if seconds is not None), default=None)


def _whole_number(value: object) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value if value >= 0 else None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 15:
        return int(value)
    return None


def _violations(details: Sequence[Mapping[str, object]], message: str) -> Iterator[QuotaViolation]:
    """Violations of the body; limits it does not name are looked up in the message, which repeats them in lines."""
    lines = [
        (metric.lower(), _whole_number(limit), model.rstrip(".,"))
        for metric, limit, model in _QUOTA_LINE.findall(message)
    ]
    found = False
    for detail in _of_type(details, "QuotaFailure"):
        items = detail.get("violations")
        for item in items if isinstance(items, list | tuple) else ():
            if not isinstance(item, Mapping):
                continue
            violation = _violation(item)
            if violation.limit is None:
                metric = str(item.get("quotaMetric", "")).lower()
                named = [line[1] for line in lines if line[0] == metric or not metric]
                zero = [0] if _LIMIT_ZERO.search(message) and len(lines) <= 1 else []
                limits = [limit for limit in (*named, *zero) if limit is not None]
                violation = replace(violation, limit=limits[0]) if limits else violation
            found = True
            yield violation
    if not found:
        for metric, limit, model in lines:
            yield QuotaViolation(_dimension("", metric), limit, model)


def _violation(item: Mapping[str, object]) -> QuotaViolation:
    dimensions = item.get("quotaDimensions")
    model = dimensions.get("model") if isinstance(dimensions, Mapping) else ""
    return QuotaViolation(
        dimension=_dimension(str(item.get("quotaId", "")).lower(), str(item.get("quotaMetric", "")).lower()),
        limit=_whole_number(item.get("quotaValue")),
        model=clean_text(model)[:100] if isinstance(model, str) else "",
    )


def _dimension(quota_id: str, metric: str) -> str:
    """rpm, tpm, rpd, tpd or spend by parts of the names; "" when they do not say (metric names often leave it open)."""
    both = f"{quota_id} {metric}"
    if "spend" in both:
        return "spend"
    tokens = "token" in both
    if "perday" in quota_id or "per_day" in metric:
        return "tpd" if tokens else "rpd"
    if "perminute" in quota_id or "per_minute" in metric:
        return "tpm" if tokens else "rpm"
    return ""


def _span(violation: QuotaViolation) -> str:
    return "none" if violation.limit == 0 else _SPAN_OF.get(violation.dimension, "")


def _rank(violation: QuotaViolation) -> int:
    span = _span(violation)
    return _SEVERITY.index(span) if span in _SEVERITY else len(_SEVERITY)
