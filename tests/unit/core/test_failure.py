"""The table of failures: every row is reachable, every known body of the service finds its row, nothing ever raises."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsvr_tui.core.failure import (
    ErrorFacts,
    Failure,
    FailureKind,
    QuotaViolation,
    Scope,
    classify,
    duration_s,
)
from gsvr_tui.core.failure_table import ROWS, Row

K = FailureKind
FREE = "generativelanguage.googleapis.com/generate_content_free_tier_requests"
FREE_TOKENS = "generativelanguage.googleapis.com/generate_content_free_tier_input_token_count"
QUOTA_TEXT = (
    "You exceeded your current quota, please check your plan and billing details. For more information on this error, "
    "head to: https://ai.google.dev/gemini-api/docs/rate-limits. To monitor your current usage, head to: "
    "https://ai.dev/rate-limit. "
)


def facts(http: int, status: str, message: str, *details: dict[str, Any]) -> ErrorFacts:
    return ErrorFacts(http_status=http, status=status, message=message, details=details)


def info(reason: str, **metadata: str) -> dict[str, Any]:
    return {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": reason,
        "domain": "googleapis.com",
        "metadata": metadata,
    }


def quota(*violations: dict[str, Any]) -> dict[str, Any]:
    return {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": list(violations)}


def violation(quota_id: str, value: str | None = "20", metric: str = FREE) -> dict[str, Any]:
    body: dict[str, Any] = {
        "quotaMetric": metric,
        "quotaId": quota_id,
        "quotaDimensions": {"location": "global", "model": "gemini-3.5-flash"},
    }
    return body if value is None else {**body, "quotaValue": value}


def retry(delay: str) -> dict[str, Any]:
    return {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}


PER_DAY = "GenerateRequestsPerDayPerProjectPerModel-FreeTier"
PER_MINUTE = "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"
TOKENS_MINUTE = "GenerateContentInputTokensPerModelPerMinute-FreeTier"
TOKENS_DAY = "GenerateContentInputTokensPerModelPerDay-FreeTier"


def built_from(row: Row) -> ErrorFacts:
    """The least an error must have for the row's conditions to hold."""
    ids = {"none": (PER_DAY, "0"), "day": (PER_DAY, "20"), "minute": (PER_MINUTE, "5"), "spend": ("SpendLimit", "10")}
    details: tuple[dict[str, Any], ...] = ()
    if row.quota:
        details += (quota(violation(*ids[row.quota])),)
    if row.reasons:
        details += (info(row.reasons[0]),)
    http: int | None = row.http[0] if row.http else None
    if row.http_class:
        http = row.http_class * 100 + 22
    return ErrorFacts(
        http_status=http,
        message=("<" if row.html else "") + (row.phrases[0] if row.phrases else ""),
        details=details,
        transport=row.transport[0] if row.transport else "",
    )


@pytest.mark.parametrize("row", ROWS, ids=[f"{index}-{row.code}" for index, row in enumerate(ROWS)])
def test_every_row_is_reached_by_what_it_describes(row: Row) -> None:
    failure = classify(built_from(row), model="gemini-3.8-flash")
    assert (failure.code, failure.kind, failure.scope) == (row.code, row.kind, row.scope)
    assert failure.message
    assert "{" not in failure.message + failure.advice
    assert failure.maybe_paid is row.paid


@pytest.mark.parametrize(("row", "reason"), [(row, reason) for row in ROWS for reason in row.reasons])
def test_a_reason_is_enough_without_the_words(row: Row, reason: str) -> None:
    failure = classify(facts(row.http[0] if row.http else 403, "", "in another language", info(reason)))
    assert failure.code == row.code


@pytest.mark.parametrize("row", ROWS, ids=[f"{index}-{row.code}" for index, row in enumerate(ROWS)])
def test_every_row_that_needs_the_user_says_what_to_do(row: Row) -> None:
    goes_on = {K.REST_MINUTE, K.REST_DAY, K.REST_SPEND, K.RETRY, K.WAIT_FILE, K.REUPLOAD, K.BACKOFF_MODEL}
    assert row.advice or row.kind in goes_on or row.code == "PAYLOAD_TOO_LARGE"


def test_the_last_row_takes_everything() -> None:
    last = ROWS[-1]
    conditions = (last.transport, last.http, last.http_class, last.phrases, last.reasons, last.quota, last.html)
    assert conditions == ((), (), 0, (), (), "", None)


BODIES: list[tuple[str, ErrorFacts, FailureKind, Scope, str]] = [
    (
        "a day's requests of the free tier",
        facts(
            429,
            "RESOURCE_EXHAUSTED",
            f"{QUOTA_TEXT}\n* Quota exceeded for metric: {FREE}, limit: 20, model: gemini-3.5-flash\n"
            "Please retry in 38.90923309s.",
            {"@type": "type.googleapis.com/google.rpc.Help", "links": []},
            quota(violation(PER_DAY)),
            retry("38s"),
        ),
        K.REST_DAY,
        Scope.PROJECT_MODEL,
        "QUOTA_DAY",
    ),
    (
        "a minute's requests",
        facts(429, "RESOURCE_EXHAUSTED", QUOTA_TEXT, quota(violation(PER_MINUTE, "5")), retry("14s")),
        K.REST_MINUTE,
        Scope.PROJECT_MODEL,
        "QUOTA_MINUTE",
    ),
    (
        "a day's requests of a paid tier",
        facts(
            429,
            "RESOURCE_EXHAUSTED",
            f"{QUOTA_TEXT}Please retry in 18h28m36.9s.",
            quota(
                violation("GenerateRequestsPerDayPerProjectPerModel", "1000", "x/generate_requests_per_model_per_day")
            ),
            retry("66517s"),
        ),
        K.REST_DAY,
        Scope.PROJECT_MODEL,
        "QUOTA_DAY",
    ),
    (
        "no access by limit 0",
        facts(429, "RESOURCE_EXHAUSTED", QUOTA_TEXT, quota(violation(PER_DAY, "0"), violation(PER_MINUTE, "0"))),
        K.NO_ACCESS,
        Scope.PROJECT_MODEL,
        "QUOTA_ZERO",
    ),
    (
        "no access by limit 0 in the text only",
        facts(
            429,
            "RESOURCE_EXHAUSTED",
            f"{QUOTA_TEXT}\n* Quota exceeded for metric: {FREE}, limit: 0, model: gemini-3.1-pro\nPlease retry in 3s.",
            quota(violation(PER_DAY, None)),
        ),
        K.NO_ACCESS,
        Scope.PROJECT_MODEL,
        "QUOTA_ZERO",
    ),
    (
        "no access by limit 0 with no details",
        facts(429, "RESOURCE_EXHAUSTED", f"{QUOTA_TEXT}\n* Quota exceeded for metric: {FREE}, limit: 0\n"),
        K.NO_ACCESS,
        Scope.PROJECT_MODEL,
        "QUOTA_ZERO",
    ),
    (
        "money in ten minutes",
        facts(
            429,
            "RESOURCE_EXHAUSTED",
            "You exceeded your spend-based rate limit. Your spending rate has exceeded the allowed limit for your "
            "account's billing history and tier.",
        ),
        K.REST_SPEND,
        Scope.PROJECT,
        "QUOTA_SPEND",
    ),
    (
        "prepaid credits used up",
        facts(
            429,
            "RESOURCE_EXHAUSTED",
            "Your prepayment credits are depleted. Please go to AI Studio at https://ai.studio/projects to add more.",
        ),
        K.DEAD_PROJECT,
        Scope.PROJECT,
        "CREDITS_DEPLETED",
    ),
    (
        "a bare 429",
        facts(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota)."),
        K.REST_MINUTE,
        Scope.PROJECT_MODEL,
        "QUOTA_BARE",
    ),
    ("a plain quota sentence", facts(429, "", QUOTA_TEXT), K.REST_MINUTE, Scope.PROJECT_MODEL, "QUOTA_BARE"),
    (
        "several projects run as one",
        facts(
            403,
            "PERMISSION_DENIED",
            "This project seems to be circumventing our quota restrictions by dividing one project into multiple "
            "projects",
        ),
        K.DEAD_PROJECT,
        Scope.PROJECT,
        "QUOTA_CIRCUMVENTED",
    ),
    (
        "a key that is not valid",
        facts(
            400,
            "INVALID_ARGUMENT",
            "API key not valid. Please pass a valid API key.",
            info("API_KEY_INVALID", service="generativelanguage.googleapis.com"),
            {"@type": "type.googleapis.com/google.rpc.LocalizedMessage", "locale": "en-US", "message": "API key"},
        ),
        K.DEAD_KEY,
        Scope.KEY,
        "KEY_INVALID",
    ),
    (
        "a deleted key",
        facts(400, "INVALID_ARGUMENT", "API Key not found. Please pass a valid API key.", info("API_KEY_INVALID")),
        K.DEAD_KEY,
        Scope.KEY,
        "KEY_INVALID",
    ),
    (
        "an expired key",
        facts(400, "INVALID_ARGUMENT", "API key expired. Please renew the API key.", info("API_KEY_INVALID")),
        K.DEAD_KEY,
        Scope.KEY,
        "KEY_EXPIRED",
    ),
    (
        "too many tokens",
        facts(
            400,
            "INVALID_ARGUMENT",
            "The input token count (1075988) exceeds the maximum number of tokens allowed (1048576).",
        ),
        K.ITEM,
        Scope.ITEM,
        "TOO_LONG",
    ),
    (
        "too many tokens, not counted",
        facts(400, "INVALID_ARGUMENT", "The input token count exceeds the maximum number of tokens allowed (1048575)."),
        K.ITEM,
        Scope.ITEM,
        "TOO_LONG",
    ),
    (
        "an invalid argument",
        facts(400, "INVALID_ARGUMENT", "Request contains an invalid argument."),
        K.ITEM,
        Scope.ITEM,
        "INVALID_REQUEST",
    ),
    (
        "a field this version does not know",
        facts(
            400,
            "INVALID_ARGUMENT",
            "Invalid JSON payload received. Unknown name \"mediaProcessing\" at 'contents[0].parts[0]': Cannot find "
            "field.",
            {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [{"field": "contents[0]"}]},
        ),
        K.BUG,
        Scope.MACHINE,
        "FIELD_UNKNOWN",
    ),
    (
        "too large a request",
        facts(400, "INVALID_ARGUMENT", "Request payload size exceeds the limit: 20971520 bytes."),
        K.ITEM,
        Scope.ITEM,
        "PAYLOAD_TOO_LARGE",
    ),
    ("too large for the front end", facts(413, "", "<html>413"), K.ITEM, Scope.ITEM, "PAYLOAD_TOO_LARGE"),
    (
        "the wrong country",
        facts(400, "FAILED_PRECONDITION", "User location is not supported for the API use."),
        K.STOP_ALL,
        Scope.MACHINE,
        "LOCATION",
    ),
    (
        "no free tier in the country",
        facts(
            400,
            "FAILED_PRECONDITION",
            "Gemini API free tier is not available in your country. Please enable billing on your project.",
        ),
        K.DEAD_PROJECT,
        Scope.PROJECT,
        "FREE_TIER_LOCATION",
    ),
    (
        "a file that is not ready",
        facts(400, "FAILED_PRECONDITION", "The File abc is not in an ACTIVE state and usage is not allowed."),
        K.WAIT_FILE,
        Scope.ITEM,
        "FILE_NOT_ACTIVE",
    ),
    (
        "credentials of another kind",
        facts(
            401,
            "UNAUTHENTICATED",
            "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other "
            "valid authentication credential.",
            info("ACCESS_TOKEN_TYPE_UNSUPPORTED"),
        ),
        K.DEAD_KEY,
        Scope.KEY,
        "KEY_UNAUTHENTICATED",
    ),
    (
        "two credentials",
        facts(400, "INVALID_ARGUMENT", "Multiple authentication credentials received. Please pass only one."),
        K.BUG,
        Scope.MACHINE,
        "AUTH_TWICE",
    ),
    (
        "a suspended project",
        facts(
            403,
            "PERMISSION_DENIED",
            "Permission denied: Consumer 'api_key:…' has been suspended.",
            info("CONSUMER_SUSPENDED"),
        ),
        K.DEAD_PROJECT,
        Scope.PROJECT,
        "SUSPENDED",
    ),
    (
        "a leaked key",
        facts(403, "PERMISSION_DENIED", "Your API key was reported as leaked. Please use another API key."),
        K.DEAD_KEY,
        Scope.KEY,
        "KEY_LEAKED",
    ),
    (
        "a denied project",
        facts(403, "PERMISSION_DENIED", "Your project has been denied access. Please contact support."),
        K.DEAD_PROJECT,
        Scope.PROJECT,
        "PROJECT_DENIED",
    ),
    (
        "an API that is switched off",
        facts(
            403,
            "PERMISSION_DENIED",
            "Gemini API has not been used in project 123 before or it is disabled. Enable it by visiting "
            "https://console.developers.google.com/apis/api/generativelanguage.googleapis.com/overview?project=123 "
            "then retry.",
            info("SERVICE_DISABLED"),
        ),
        K.DEAD_PROJECT,
        Scope.PROJECT,
        "SERVICE_DISABLED",
    ),
    (
        "a key restricted to other services",
        facts(
            403,
            "PERMISSION_DENIED",
            "Requests to this API generativelanguage.googleapis.com method google.ai.GenerateContent are blocked.",
            info("API_KEY_SERVICE_BLOCKED"),
        ),
        K.DEAD_KEY,
        Scope.KEY,
        "KEY_RESTRICTED",
    ),
    (
        "a key restricted to a web site",
        facts(403, "PERMISSION_DENIED", "Requests from referer <empty> are blocked."),
        K.DEAD_KEY,
        Scope.KEY,
        "KEY_RESTRICTED",
    ),
    (
        "a file of another project",
        facts(403, "PERMISSION_DENIED", "You do not have permission to access the File xxxxxxxx or it may not exist."),
        K.REUPLOAD,
        Scope.ITEM,
        "FILE_GONE",
    ),
    (
        "a general refusal",
        facts(403, "PERMISSION_DENIED", "The caller does not have permission"),
        K.NO_ACCESS,
        Scope.PROJECT_MODEL,
        "PERMISSION_DENIED",
    ),
    (
        "an unknown model",
        facts(
            404,
            "NOT_FOUND",
            "models/X is not found for API version v1beta, or is not supported for generateContent. Call "
            "ModelService.ListModels to see the list of available models and their supported methods.",
        ),
        K.MODEL_UNKNOWN,
        Scope.MODEL,
        "MODEL_UNKNOWN",
    ),
    (
        "an unknown model in older words",
        facts(404, "NOT_FOUND", "models/X is not found. Call ListModels to see the list of available models."),
        K.MODEL_UNKNOWN,
        Scope.MODEL,
        "MODEL_UNKNOWN",
    ),
    (
        "a model closed to new users",
        facts(
            404,
            "NOT_FOUND",
            "This model models/gemini-2.5-flash is no longer available to new users. Please update your code to use "
            "models/gemini-3.6-flash.",
        ),
        K.NO_ACCESS,
        Scope.PROJECT_MODEL,
        "MODEL_CLOSED",
    ),
    (
        "an entity not found",
        facts(404, "NOT_FOUND", "Requested entity was not found."),
        K.NO_ACCESS,
        Scope.PROJECT_MODEL,
        "ENTITY_NOT_FOUND",
    ),
    (
        "an internal error",
        facts(500, "INTERNAL", "An internal error has occurred. Please retry or report in https://x.example"),
        K.BACKOFF_MODEL,
        Scope.MODEL,
        "INTERNAL",
    ),
    (
        "high demand",
        facts(
            503,
            "UNAVAILABLE",
            "This model is currently experiencing high demand. Spikes in demand are usually temporary. Please try "
            "again later.",
        ),
        K.BACKOFF_MODEL,
        Scope.MODEL,
        "OVERLOADED",
    ),
    (
        "overload in older words",
        facts(503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
        K.BACKOFF_MODEL,
        Scope.MODEL,
        "OVERLOADED",
    ),
    (
        "a deadline",
        facts(504, "DEADLINE_EXCEEDED", "Deadline expired before operation could complete."),
        K.ITEM_RETRY,
        Scope.ITEM,
        "DEADLINE",
    ),
    (
        "a cancelled operation",
        facts(499, "CANCELLED", "The operation was cancelled."),
        K.RETRY,
        Scope.ITEM,
        "CANCELLED",
    ),
    ("a gateway", facts(502, "Bad Gateway", "<html>\n<title>502</title>"), K.RETRY, Scope.MACHINE, "GATEWAY"),
    ("a gateway's own 500", facts(500, "", "<html>Error 500</html>"), K.RETRY, Scope.MACHINE, "GATEWAY"),
    (
        "the block page for automated queries",
        facts(429, "", "<html>… but your computer or network may be sending automated queries."),
        K.STOP_ALL,
        Scope.MACHINE,
        "ADDRESS_BLOCKED",
    ),
    (
        "the login page of a hotel",
        ErrorFacts(http_status=200, transport="not_json", message="<!DOCTYPE html><title>Welcome</title>"),
        K.STOP_ALL,
        Scope.MACHINE,
        "PORTAL",
    ),
    ("half an answer", ErrorFacts(http_status=200, transport="truncated"), K.RETRY, Scope.ITEM, "TRUNCATED"),
    (
        "an address of another service",
        facts(404, "", "<html>nginx</html>"),
        K.NO_ACCESS,
        Scope.PROJECT_MODEL,
        "ENDPOINT",
    ),
    ("a redirect", facts(307, "Temporary Redirect", ""), K.STOP_ALL, Scope.MACHINE, "REDIRECT"),
    ("nothing at all", ErrorFacts(), K.ITEM_RETRY, Scope.ITEM, "UNKNOWN"),
]


@pytest.mark.parametrize(("error", "kind", "scope", "code"), [body[1:] for body in BODIES], ids=[b[0] for b in BODIES])
def test_a_body_the_service_is_known_to_send_finds_its_row(
    error: ErrorFacts, kind: FailureKind, scope: Scope, code: str
) -> None:
    failure = classify(error, model="gemini-3.5-flash")
    assert (failure.kind, failure.scope, failure.code) == (kind, scope, code)


def test_the_worst_of_several_violations_decides_whatever_their_order() -> None:
    both = [violation(PER_MINUTE, "5"), violation(TOKENS_MINUTE, "250000", FREE_TOKENS), violation(PER_DAY, "20")]
    for violations in (both, both[::-1]):
        failure = classify(facts(429, "RESOURCE_EXHAUSTED", QUOTA_TEXT, quota(*violations), retry("9s")))
        assert failure.kind is K.REST_DAY
        assert set(failure.violations) == {
            QuotaViolation("rpm", 5, "gemini-3.5-flash"),
            QuotaViolation("tpm", 250_000, "gemini-3.5-flash"),
            QuotaViolation("rpd", 20, "gemini-3.5-flash"),
        }


@pytest.mark.parametrize(
    ("quota_id", "metric", "dimension"),
    [
        (PER_MINUTE, FREE, "rpm"),
        (PER_DAY, FREE, "rpd"),
        (TOKENS_MINUTE, FREE_TOKENS, "tpm"),
        (TOKENS_DAY, FREE_TOKENS, "tpd"),
        ("GenerateRequestsPerMinutePerProjectPerModel", "x/generate_requests_per_model", "rpm"),
        ("GenerateRequestsPerDayPerProjectPerModel", "x/generate_requests_per_model_per_day", "rpd"),
        (
            "GenerateContentPaidTierInputTokensPerModelPerMinute",
            "x/generate_content_paid_tier_input_token_count",
            "tpm",
        ),
        (
            "GenerateContentPaidTierInputTokensPerModelPerMinute-PaidTier2",
            "x/generate_content_paid_tier_2_input_token_count",
            "tpm",
        ),
        ("SomethingNewPerFortnight", "x/y", ""),
    ],
)
def test_a_dimension_is_read_from_parts_of_the_quotas_name(quota_id: str, metric: str, dimension: str) -> None:
    failure = classify(facts(429, "RESOURCE_EXHAUSTED", "", quota(violation(quota_id, "7", metric))))
    assert failure.violations == (QuotaViolation(dimension, 7, "gemini-3.5-flash"),)


def test_a_limit_missing_in_the_details_is_taken_from_the_text() -> None:
    text = (
        f"{QUOTA_TEXT}\n* Quota exceeded for metric: {FREE_TOKENS}, limit: 250000, model: gemini-3.5-flash"
        f"\n* Quota exceeded for metric: {FREE}, limit: 5, model: gemini-3.5-flash"
    )
    failure = classify(
        facts(
            429,
            "RESOURCE_EXHAUSTED",
            text,
            quota(violation(PER_MINUTE, None), violation(TOKENS_MINUTE, None, FREE_TOKENS)),
        )
    )
    assert [v.limit for v in failure.violations] == [5, 250_000]
    assert failure.kind is K.REST_MINUTE


def test_the_larger_of_text_and_retry_info_is_waited() -> None:
    error = facts(429, "RESOURCE_EXHAUSTED", "Please retry in 51.3s.", retry("14s"), quota(violation(PER_MINUTE, "5")))
    assert classify(error).retry_after_s == pytest.approx(51.3)
    error = facts(429, "RESOURCE_EXHAUSTED", "Please retry in 3s.", retry("14.2s"))
    assert classify(error).retry_after_s == pytest.approx(14.2)


def test_the_delay_of_a_daily_limit_is_not_handed_on() -> None:
    error = facts(429, "RESOURCE_EXHAUSTED", "", quota(violation(PER_DAY)), retry("38s"))
    assert classify(error).retry_after_s is None


def test_a_spend_limit_waits_ten_minutes_at_least() -> None:
    text = "You exceeded your spend-based rate limit."
    assert classify(facts(429, "RESOURCE_EXHAUSTED", text)).retry_after_s == 600
    assert classify(facts(429, "RESOURCE_EXHAUSTED", text, retry("900s"))).retry_after_s == 900


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("38s", 38.0),
        ("14.2s", 14.2),
        ("18h28m36.9s", 66_516.9),
        ("250ms", 0.25),
        ("2d", 26 * 3600.0),
        ("999999999999s", 26 * 3600.0),
        ("soon", None),
        ("", None),
        (7, None),
        (None, None),
    ],
)
def test_durations_are_read_and_bounded(text: object, seconds: float | None) -> None:
    assert duration_s(text) == (None if seconds is None else pytest.approx(seconds))


def test_messages_name_the_model_and_the_limit() -> None:
    failure = classify(
        facts(429, "RESOURCE_EXHAUSTED", "", quota(violation(PER_DAY, "1500"))), model="gemini-3.8-flash"
    )
    assert failure.message == "the day's requests (1,500) for gemini-3.8-flash are used up in this project"
    failure = classify(BODIES[14][1], model="gemini-3.8-flash")
    assert failure.message.endswith("to gemini-3.8-flash (at most 1,048,576 tokens)")


def test_the_model_the_service_recommends_is_named() -> None:
    text = "This model models/a-1 is no longer available to new users. Please update your code to use models/b-2."
    assert classify(facts(404, "NOT_FOUND", text), model="a-1").advice == "Choose another model: b-2"


def test_only_links_to_google_are_shown() -> None:
    text = "Gemini API has not been used in project 1 before or it is disabled. Enable it by visiting {} then retry."
    good = "https://console.developers.google.com/apis/api/x/overview?project=1"
    assert good in classify(facts(403, "PERMISSION_DENIED", text.format(good))).advice
    for bad in (
        "https://evil.example/google.com",
        "https://notgoogle.com/",
        "https://google.com.evil.example/",
        "https://[",
    ):
        advice = classify(facts(403, "PERMISSION_DENIED", text.format(bad))).advice
        assert "evil" not in advice
        assert "the Google Cloud console" in advice
    linked = info("SERVICE_DISABLED", activationUrl=good)
    assert good in classify(facts(403, "PERMISSION_DENIED", "", linked)).advice


def test_a_servers_words_are_made_harmless_and_short() -> None:
    failure = classify(facts(400, "INVALID_ARGUMENT", "\x1b]0;x\x07bad\n\x1b[31mred {model} " + "y" * 5000))
    assert "\x1b" not in failure.message
    assert "\n" not in failure.message
    assert "{model}" in failure.message  # not filled in a second time
    assert len(failure.message) < 300


@pytest.mark.parametrize("transport", ["timeout", "read", "truncated", "not_json"])
def test_an_outcome_nobody_knows_may_be_paid_only_if_the_request_was_sent(transport: str) -> None:
    assert classify(ErrorFacts(transport=transport, sent=True)).maybe_paid
    assert not classify(ErrorFacts(transport=transport, sent=False)).maybe_paid


@pytest.mark.parametrize("http", [400, 401, 403, 404, 429, 500, 503])
def test_a_refusal_of_the_service_is_not_paid(http: int) -> None:
    assert not classify(ErrorFacts(http_status=http, message="no")).maybe_paid


@pytest.mark.parametrize(
    ("status", "kind"),
    [("RESOURCE_EXHAUSTED", K.REST_MINUTE), ("UNAVAILABLE", K.BACKOFF_MODEL), ("NOT_FOUND", K.NO_ACCESS)],
)
def test_an_error_inside_a_stream_is_known_by_its_status(status: str, kind: FailureKind) -> None:
    assert classify(ErrorFacts(status=status, message="x")).kind is kind


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
TYPED = st.builds(
    lambda name, rest: {"@type": f"type.googleapis.com/google.rpc.{name}", **rest},
    st.sampled_from(["QuotaFailure", "RetryInfo", "ErrorInfo", "Help"]),
    st.dictionaries(
        st.sampled_from(["violations", "retryDelay", "reason", "metadata", "quotaId", "quotaValue"]), JSON, max_size=4
    ),
)


@given(
    http=st.none() | st.integers(-1, 999),
    status=st.text(max_size=20),
    message=st.text(max_size=200),
    details=st.lists(TYPED | JSON, max_size=4),
    transport=st.sampled_from(
        ["", "connect", "timeout", "read", "tls", "dns", "proxy", "truncated", "not_json", "new"]
    ),
)
def test_no_body_makes_it_raise(
    http: int | None, status: str, message: str, details: list[Any], transport: str
) -> None:
    error = ErrorFacts(http, status, message, tuple(details), transport)
    failure = classify(error, model="m")
    assert isinstance(failure, Failure)
    assert failure.message
    assert failure.retry_after_s is None or 0 <= failure.retry_after_s <= 26 * 3600
    json.dumps([v.limit for v in failure.violations])


@given(message=JSON, status=JSON, details=JSON)
def test_not_even_values_of_the_wrong_type_make_it_raise(message: Any, status: Any, details: Any) -> None:
    many = tuple(details) if isinstance(details, list) else (details,)
    assert classify(ErrorFacts(429, status, message, many)).message
