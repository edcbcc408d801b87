"""The error bodies of the Gemini API, word for word where they are known."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gsvr_tui.emulator.limits import Breach
from gsvr_tui.emulator.scenario import Tier

SERVICE = "generativelanguage.googleapis.com"
_TYPE = "type.googleapis.com/google.rpc."
_QUOTA_TEXT = (
    "You exceeded your current quota, please check your plan and billing details. For more information on this "
    "error, head to: https://ai.google.dev/gemini-api/docs/rate-limits. To monitor your current usage, head to: "
    "https://ai.dev/rate-limit. "
)


@dataclass
class ApiError(Exception):
    """An error answer. `outcome` is for the log; `raw` replaces the JSON body (a gateway's HTML)."""

    code: int
    status: str
    message: str
    details: tuple[dict[str, Any], ...] = ()
    outcome: str = "failed"
    detail: str = ""
    raw: str | None = None
    in_list: bool = False

    def body(self) -> bytes:
        """The body as bytes."""
        if self.raw is not None:
            return self.raw.encode()
        whole: Any = self.as_object()
        return json.dumps([whole] if self.in_list else whole, ensure_ascii=False, indent=2).encode()

    def as_object(self) -> dict[str, Any]:
        """The `{"error": …}` object."""
        error: dict[str, Any] = {"code": self.code, "message": self.message, "status": self.status}
        if self.details:
            error["details"] = list(self.details)
        return {"error": error}

    @property
    def content_type(self) -> str:
        """Of the body."""
        return "text/html; charset=UTF-8" if self.raw is not None else "application/json; charset=UTF-8"


def _info(reason: str, **metadata: str) -> dict[str, Any]:
    return {
        "@type": _TYPE + "ErrorInfo",
        "reason": reason,
        "domain": "googleapis.com",
        "metadata": {"service": SERVICE, **metadata},
    }


def invalid(message: str = "Request contains an invalid argument.", detail: str = "invalid_argument") -> ApiError:
    """400 INVALID_ARGUMENT."""
    return ApiError(400, "INVALID_ARGUMENT", message, detail=detail)


def bad_json(violations: Sequence[tuple[str, str]]) -> ApiError:
    """400 for fields the API version does not know: (path of the parent, name) each."""
    texts = []
    fields = []
    for parent, name in violations:
        where = f" at '{parent}'" if parent else ""
        text = f'Invalid JSON payload received. Unknown name "{name}"{where}: Cannot find field.'
        texts.append(text)
        fields.append({"field": parent, "description": text} if parent else {"description": text})
    details = ({"@type": _TYPE + "BadRequest", "fieldViolations": fields},)
    return ApiError(400, "INVALID_ARGUMENT", "\n".join(texts), details, detail="unknown_field")


def bad_value(path: str, kind: str, value: object) -> ApiError:
    """400 for a value of the wrong type."""
    text = f"Invalid value at '{path}' ({kind}), {json.dumps(value, ensure_ascii=False, default=str)[:80]}"
    details = ({"@type": _TYPE + "BadRequest", "fieldViolations": [{"field": path, "description": text}]},)
    return ApiError(400, "INVALID_ARGUMENT", text, details, detail="bad_value")


def key_error(state: str, project_number: int) -> ApiError:
    """The answer to a key in one of the bad states (`KeyState` values, or "missing")."""
    if state == "missing":
        return ApiError(
            403,
            "PERMISSION_DENIED",
            "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or "
            "other form of API consumer identity to call this API.",
            detail="key_missing",
        )
    texts = {
        "invalid": "API key not valid. Please pass a valid API key.",
        "not_found": "API Key not found. Please pass a valid API key.",
        "expired": "API key expired. Please renew the API key.",
    }
    details: tuple[dict[str, Any], ...]
    if state in texts:
        localized = {"@type": _TYPE + "LocalizedMessage", "locale": "en-US", "message": texts[state]}
        details = (_info("API_KEY_INVALID"), localized)
        return ApiError(400, "INVALID_ARGUMENT", texts[state], details, detail=f"key_{state}")
    if state == "leaked":
        text = "Your API key was reported as leaked. Please use another API key."
        return ApiError(403, "PERMISSION_DENIED", text, detail="key_leaked")
    if state == "unauthenticated":
        text = (
            "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other "
            "valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project."
        )
        details = (_info("ACCESS_TOKEN_TYPE_UNSUPPORTED"),)
        return ApiError(401, "UNAUTHENTICATED", text, details, detail="key_unauthenticated")
    if state == "service_blocked":
        text = (
            f"Requests to this API {SERVICE} method google.ai.generativelanguage.v1beta.GenerativeService are blocked."
        )
        details = (_info("API_KEY_SERVICE_BLOCKED", consumer=f"projects/{project_number}"),)
        return ApiError(403, "PERMISSION_DENIED", text, details, detail="key_service_blocked")
    text = "Requests from referer <empty> are blocked."
    details = (_info("API_KEY_HTTP_REFERRER_BLOCKED", consumer=f"projects/{project_number}"),)
    return ApiError(403, "PERMISSION_DENIED", text, details, detail="key_referrer_blocked")


def project_error(state: str, number: int, key: str) -> ApiError:
    """The answer for a project in one of the bad states. A suspended one shows the whole key, as the service does."""
    details: tuple[dict[str, Any], ...]
    if state == "suspended":
        text = f"Permission denied: Consumer 'api_key:{key}' has been suspended."
        details = (_info("CONSUMER_SUSPENDED", consumer=f"projects/{number}", containerInfo=f"api_key:{key}"),)
        return ApiError(403, "PERMISSION_DENIED", text, details, detail="project_suspended")
    if state == "denied":
        text = "Your project has been denied access. Please contact support."
        return ApiError(403, "PERMISSION_DENIED", text, detail="project_denied")
    if state == "service_disabled":
        link = f"https://console.developers.google.com/apis/api/{SERVICE}/overview?project={number}"
        text = (
            f"Generative Language API has not been used in project {number} before or it is disabled. Enable it by "
            f"visiting {link} then retry. If you enabled this API recently, wait a few minutes for the action to "
            "propagate to our systems and retry."
        )
        help_link = {
            "@type": _TYPE + "Help",
            "links": [{"description": "Google developers console API activation", "url": link}],
        }
        details = (_info("SERVICE_DISABLED", consumer=f"projects/{number}", activationUrl=link), help_link)
        return ApiError(403, "PERMISSION_DENIED", text, details, detail="service_disabled")
    if state == "credits_depleted":
        return credits_depleted()
    text = (
        "Gemini API free tier is not available in your country. Please enable billing on your project in Google AI "
        "Studio."
    )
    return ApiError(400, "FAILED_PRECONDITION", text, detail="no_free_tier")


def credits_depleted() -> ApiError:
    """429 that does not pass by waiting."""
    text = (
        "Your prepayment credits are depleted. Please go to AI Studio at https://ai.studio/projects to manage your "
        "project and billing."
    )
    return ApiError(429, "RESOURCE_EXHAUSTED", text, outcome="rejected", detail="credits")


def spend_limit() -> ApiError:
    """429 of the rolling spend limit."""
    text = (
        "You exceeded your spend-based rate limit. Your spending rate has exceeded the allowed limit for your "
        "account's billing history and tier."
    )
    return ApiError(429, "RESOURCE_EXHAUSTED", text, outcome="rejected", detail="spend")


def bare_quota() -> ApiError:
    """429 with no details."""
    text = "Resource has been exhausted (e.g. check quota)."
    return ApiError(429, "RESOURCE_EXHAUSTED", text, outcome="rejected", detail="bare")


def quota_splitting() -> ApiError:
    """The service's word against several projects used as one."""
    text = (
        "This project seems to be circumventing our quota restrictions by dividing one project into multiple projects."
    )
    return ApiError(403, "PERMISSION_DENIED", text, detail="splitting")


_QUOTAS = {
    # (dimension, tier) → (metric, quota id)
    ("rpm", Tier.FREE): ("generate_content_free_tier_requests", "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"),
    ("rpd", Tier.FREE): ("generate_content_free_tier_requests", "GenerateRequestsPerDayPerProjectPerModel-FreeTier"),
    ("tpm", Tier.FREE): (
        "generate_content_free_tier_input_token_count",
        "GenerateContentInputTokensPerModelPerMinute-FreeTier",
    ),
    ("tpd", Tier.FREE): (
        "generate_content_free_tier_input_token_count",
        "GenerateContentInputTokensPerModelPerDay-FreeTier",
    ),
    ("rpm", Tier.PAID): ("generate_requests_per_model", "GenerateRequestsPerMinutePerProjectPerModel"),
    ("rpd", Tier.PAID): ("generate_requests_per_model_per_day", "GenerateRequestsPerDayPerProjectPerModel"),
    ("tpm", Tier.PAID): (
        "generate_content_paid_tier_input_token_count",
        "GenerateContentPaidTierInputTokensPerModelPerMinute",
    ),
    ("tpd", Tier.PAID): (
        "generate_content_paid_tier_input_token_count",
        "GenerateContentPaidTierInputTokensPerModelPerDay",
    ),
    ("rpm", Tier.PAID_2): ("generate_requests_per_model", "GenerateRequestsPerMinutePerProjectPerModel"),
    ("rpd", Tier.PAID_2): ("generate_requests_per_model_per_day", "GenerateRequestsPerDayPerProjectPerModel"),
    ("tpm", Tier.PAID_2): (
        "generate_content_paid_tier_2_input_token_count",
        "GenerateContentPaidTierInputTokensPerModelPerMinute-PaidTier2",
    ),
    ("tpd", Tier.PAID_2): (
        "generate_content_paid_tier_2_input_token_count",
        "GenerateContentPaidTierInputTokensPerModelPerDay-PaidTier2",
    ),
}


def quota_error(
    breaches: Sequence[Breach],
    *,
    model: str,
    tier: Tier,
    jitter: float,
    quota_value: bool = True,
    retry_info: bool = True,
) -> ApiError:
    """The 429 of broken limits. `jitter` in [0, 1) makes the odd seconds of the free daily limit's delay."""
    violations = []
    lines = []
    delay = 0.0
    for breach in breaches:
        metric, quota_id = _QUOTAS[breach.dimension, tier]
        violation: dict[str, Any] = {
            "quotaMetric": f"{SERVICE}/{metric}",
            "quotaId": quota_id,
            "quotaDimensions": {"location": "global", "model": model},
        }
        if quota_value and breach.limit > 0:  # a zero is left out on the wire
            violation["quotaValue"] = str(breach.limit)
        violations.append(violation)
        limit = f", limit: {breach.limit}" if quota_value or breach.limit == 0 else ""
        lines.append(f"\n* Quota exceeded for metric: {SERVICE}/{metric}{limit}, model: {model}")
        wait = breach.wait_s
        if math.isinf(wait) or (breach.per_day and tier is Tier.FREE):
            wait = 15 + 45 * jitter  # short even when the day is used up: the service is known for it
        delay = max(delay, wait)
    details: list[dict[str, Any]] = [
        {
            "@type": _TYPE + "Help",
            "links": [
                {
                    "description": "Learn more about Gemini API quotas",
                    "url": "https://ai.google.dev/gemini-api/docs/rate-limits",
                }
            ],
        },
        {"@type": _TYPE + "QuotaFailure", "violations": violations},
    ]
    text = _QUOTA_TEXT + "".join(lines)
    if retry_info:
        text += f"\nPlease retry in {delay:.9f}".rstrip("0").rstrip(".") + "s."
        details.append({"@type": _TYPE + "RetryInfo", "retryDelay": f"{max(1, math.ceil(delay))}s"})
    names = "+".join(breach.dimension for breach in breaches)
    return ApiError(429, "RESOURCE_EXHAUSTED", text, tuple(details), outcome="rejected", detail=names)


def file_denied(name: str) -> ApiError:
    """403 for a file of another project, expired, deleted or never there: the service does not tell them apart."""
    file_id = name.removeprefix("files/")
    text = f"You do not have permission to access the File {file_id} or it may not exist."
    return ApiError(403, "PERMISSION_DENIED", text, detail="file_denied")


def file_not_active(name: str) -> ApiError:
    """400 for a file still PROCESSING, or FAILED."""
    text = f"The File {name.removeprefix('files/')} is not in an ACTIVE state and usage is not allowed."
    return ApiError(400, "FAILED_PRECONDITION", text, detail="file_not_active")


def model_not_found(model: str, version: str, method: str) -> ApiError:
    """404 for an unknown model, or one that was shut down."""
    text = (
        f"models/{model} is not found for API version {version}, or is not supported for {method}. Call "
        "ModelService.ListModels to see the list of available models and their supported methods."
    )
    return ApiError(404, "NOT_FOUND", text, detail="model_not_found")


def model_new_users(model: str, instead: str) -> ApiError:
    """404 for a model closed to this project."""
    text = (
        f"This model models/{model} is no longer available to new users. Please update your code to use "
        f"models/{instead}."
    )
    return ApiError(404, "NOT_FOUND", text, detail="model_new_users")


def too_many_tokens(count: int, limit: int) -> ApiError:
    """400 for a prompt longer than the model's window."""
    text = f"The input token count ({count}) exceeds the maximum number of tokens allowed ({limit})."
    return ApiError(400, "INVALID_ARGUMENT", text, detail="too_many_tokens")


BAD_GATEWAY_HTML = """<!DOCTYPE html>
<html lang=en>
  <meta charset=utf-8>
  <title>Error 502 (Server Error)!!1</title>
  <p><b>502.</b> <ins>That’s an error.</ins>
  <p>The server encountered a temporary error and could not complete your request.<p>Please try again in 30 seconds.
  <ins>That’s all we know.</ins>
"""
AUTOMATED_HTML = """<html><head><meta http-equiv="content-type" content="text/html; charset=utf-8"/>
<title>Sorry...</title>
</head><body><h1>We're sorry...</h1><p>... but your computer or network may be sending automated queries. To protect our
users, we can't process your request right now.</p></body></html>
"""
