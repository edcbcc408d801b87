"""The rows that decide over failures. The first row whose every condition holds is the answer.

Messages may hold `{model}`, `{limit}`, `{what}` (requests or input tokens), `{said}` (the service's own words, made
harmless), `{link}` and `{other}` (a model the service names).
"""

from __future__ import annotations

from dataclasses import dataclass

from gsvr_tui.core.failure_types import FailureKind as Kind
from gsvr_tui.core.failure_types import Scope


@dataclass(frozen=True, slots=True)
class Row:
    """Conditions (empty: holds always) and what follows from them.

    One of the `phrases` (lower-case) in the message is enough, or one of the `reasons` (ErrorInfo.reason).
    `quota` is the worst violation of a 429: none, day, minute or spend. `html`: the body was no JSON.
    `paid`: the outcome is not known, the request may have been charged.
    """

    code: str
    kind: Kind
    scope: Scope
    message: str
    advice: str = ""
    transport: tuple[str, ...] = ()
    http: tuple[int, ...] = ()
    http_class: int = 0  # 4: every 4xx
    status: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    quota: str = ""
    html: bool | None = None
    paid: bool = False
    wait_s: float | None = None  # when the service names no time


_OTHER_KEY = "Make a new key in Google AI Studio and replace it: gsvr-tui accounts"
_RESTRICTED = "Allow the Generative Language API for this key in the Google Cloud console, or make a new key"
_GOES_ON = ""

ROWS: tuple[Row, ...] = (
    # ---------------------------------------------------------------- this machine and its network
    Row(
        "TLS",
        Kind.STOP_ALL,
        Scope.MACHINE,
        "the secure connection to the service could not be verified",
        "Check the clock of this computer; behind a company proxy set SSL_CERT_FILE to its certificate",
        transport=("tls",),
    ),
    Row(
        "DNS",
        Kind.STOP_ALL,
        Scope.MACHINE,
        "the name of the service could not be looked up",
        "Check the network connection; work goes on by itself when it is back",
        transport=("dns",),
    ),
    Row(
        "PROXY",
        Kind.STOP_ALL,
        Scope.MACHINE,
        "the network's proxy did not let the request through",
        "Check HTTPS_PROXY and its user name and password",
        transport=("proxy",),
    ),
    Row(
        "PROXY",
        Kind.STOP_ALL,
        Scope.MACHINE,
        "the network's proxy asks for a login",
        "Check HTTPS_PROXY and its user name and password",
        http=(407,),
    ),
    Row(
        "CONNECT",
        Kind.RETRY,
        Scope.MACHINE,
        "no connection to the service",
        _GOES_ON,
        transport=("connect",),
    ),
    Row(
        "ADDRESS_BLOCKED",
        Kind.STOP_ALL,
        Scope.MACHINE,
        "Google takes the requests of this network address for automated queries and blocks them",
        "Wait some hours, or use another network",
        phrases=("automated queries", "unusual traffic"),
    ),
    Row(
        "QUOTA_CIRCUMVENTED",
        Kind.DEAD_PROJECT,
        Scope.PROJECT,
        "Google says that this project gets round its quota by being one of several",
        "Use one project with a paid tier; read the notice on several projects in the manual",
        phrases=("circumventing our quota", "dividing one project into multiple"),
    ),
    Row(
        "PORTAL",
        Kind.STOP_ALL,
        Scope.MACHINE,
        "a web page came in place of the service's answer, probably the login page of this network",
        "Open a browser and log in to the network; work goes on by itself then",
        transport=("not_json",),
        phrases=("<!doctype", "<html"),
    ),
    Row(
        "PORTAL",
        Kind.STOP_ALL,
        Scope.MACHINE,
        "this network asks for a login",
        "Open a browser and log in to the network; work goes on by itself then",
        http=(511,),
    ),
    Row(
        "REDIRECT",
        Kind.STOP_ALL,
        Scope.MACHINE,
        "the service's address sent the request on to another one; that was not followed, to keep the key safe",
        "Check base_url of the account and whether the network asks for a login",
        http=(300, 301, 302, 303, 304, 305, 306, 307, 308),
    ),
    Row(
        "TIMEOUT",
        Kind.RETRY,
        Scope.ITEM,
        "no answer within the time allowed",
        _GOES_ON,
        transport=("timeout",),
        paid=True,
    ),
    Row(
        "DROPPED",
        Kind.RETRY,
        Scope.MACHINE,
        "the connection broke before the answer was complete",
        _GOES_ON,
        transport=("read",),
        paid=True,
    ),
    Row(
        "TRUNCATED",
        Kind.RETRY,
        Scope.ITEM,
        "the answer ended in the middle",
        _GOES_ON,
        transport=("truncated",),
        paid=True,
    ),
    Row(
        "NOT_JSON",
        Kind.RETRY,
        Scope.ITEM,
        "the answer could not be read",
        _GOES_ON,
        transport=("not_json",),
        paid=True,
    ),
    # ---------------------------------------------------------------- the key
    Row(
        "KEY_EXPIRED",
        Kind.DEAD_KEY,
        Scope.KEY,
        "the API key has expired",
        _OTHER_KEY,
        http=(400, 401, 403),
        phrases=("api key expired",),
    ),
    Row(
        "KEY_INVALID",
        Kind.DEAD_KEY,
        Scope.KEY,
        "the API key is not valid",
        _OTHER_KEY,
        http=(400, 401, 403),
        phrases=("api key not valid", "api key not found", "pass a valid api key"),
        reasons=("API_KEY_INVALID",),
    ),
    Row(
        "KEY_LEAKED",
        Kind.DEAD_KEY,
        Scope.KEY,
        "Google has blocked the API key because it was found in public",
        _OTHER_KEY,
        http=(400, 401, 403),
        phrases=("reported as leaked",),
    ),
    Row(
        "KEY_RESTRICTED",
        Kind.DEAD_KEY,
        Scope.KEY,
        "the API key is restricted and may not be used for this",
        _RESTRICTED,
        http=(403,),
        phrases=("requests to this api", "requests from referer", "api key has an ip address restriction"),
        reasons=(
            "API_KEY_SERVICE_BLOCKED",
            "API_KEY_HTTP_REFERRER_BLOCKED",
            "API_KEY_IP_ADDRESS_BLOCKED",
            "API_KEY_ANDROID_APP_BLOCKED",
            "API_KEY_IOS_APP_BLOCKED",
        ),
    ),
    # ---------------------------------------------------------------- the project
    Row(
        "SUSPENDED",
        Kind.DEAD_PROJECT,
        Scope.PROJECT,
        "Google has suspended the project",
        "Look for Google's notice in the Google Cloud console",
        http=(403,),
        phrases=("has been suspended",),
        reasons=("CONSUMER_SUSPENDED",),
    ),
    Row(
        "PROJECT_DENIED",
        Kind.DEAD_PROJECT,
        Scope.PROJECT,
        "Google denies this project access",
        "Write to Google's support, or use another project",
        http=(403,),
        phrases=("project has been denied access",),
    ),
    Row(
        "SERVICE_DISABLED",
        Kind.DEAD_PROJECT,
        Scope.PROJECT,
        "the Gemini API is not switched on in this project",
        "Switch it on at {link}, then check the account again",
        http=(403,),
        phrases=("has not been used in project", "api is disabled"),
        reasons=("SERVICE_DISABLED",),
    ),
    Row(
        "BILLING",
        Kind.DEAD_PROJECT,
        Scope.PROJECT,
        "billing is switched off or unpaid in this project",
        "Look at the billing of the project in the Google Cloud console",
        reasons=("BILLING_DISABLED",),
    ),
    Row(
        "CREDITS_DEPLETED",
        Kind.DEAD_PROJECT,
        Scope.PROJECT,
        "the prepaid credits of the project are used up",
        "Add credits in Google AI Studio, then check the account again",
        http=(429, 402, 403),
        phrases=("credits are depleted",),
    ),
    Row(
        "FREE_TIER_LOCATION",
        Kind.DEAD_PROJECT,
        Scope.PROJECT,
        "the free tier is not available in this country",
        "Switch on billing for the project",
        http=(400, 403),
        phrases=("free tier is not available",),
    ),
    Row(
        "LOCATION",
        Kind.STOP_ALL,
        Scope.MACHINE,
        "the Gemini API is not available from where this computer is",
        "Run gsvr-tui from a country in Google's list of available regions",
        http=(400, 403),
        phrases=("user location is not supported",),
    ),
    # ---------------------------------------------------------------- quota
    Row(
        "QUOTA_SPEND",
        Kind.REST_SPEND,
        Scope.PROJECT,
        "the project's limit of money in ten minutes is reached",
        _GOES_ON,
        http=(429,),
        phrases=("spend-based rate limit", "spending rate has exceeded"),
        wait_s=600,
    ),
    Row(
        "QUOTA_ZERO",
        Kind.NO_ACCESS,
        Scope.PROJECT_MODEL,
        "this project has no access to {model}: its limit is 0",
        "Switch on billing for the project, or choose another model",
        http=(429,),
        quota="none",
    ),
    Row(
        "QUOTA_SPEND",
        Kind.REST_SPEND,
        Scope.PROJECT,
        "the project's limit of money in ten minutes is reached",
        _GOES_ON,
        http=(429,),
        quota="spend",
        wait_s=600,
    ),
    Row(
        "QUOTA_DAY",
        Kind.REST_DAY,
        Scope.PROJECT_MODEL,
        "the day's {what}{limit} for {model} are used up in this project",
        _GOES_ON,
        http=(429,),
        quota="day",
    ),
    Row(
        "QUOTA_MINUTE",
        Kind.REST_MINUTE,
        Scope.PROJECT_MODEL,
        "the minute's {what}{limit} for {model} are used up in this project",
        _GOES_ON,
        http=(429,),
        quota="minute",
    ),
    Row(
        "QUOTA_BARE",
        Kind.REST_MINUTE,
        Scope.PROJECT_MODEL,
        "the service says a limit for {model} is reached, but not which",
        _GOES_ON,
        http=(429,),
    ),
    # ---------------------------------------------------------------- files
    Row(
        "FILE_GONE",
        Kind.REUPLOAD,
        Scope.ITEM,
        "the uploaded file is gone or belongs to another project",
        _GOES_ON,
        http=(403, 404),
        phrases=("permission to access the file",),
    ),
    Row(
        "FILE_NOT_ACTIVE",
        Kind.WAIT_FILE,
        Scope.ITEM,
        "the service has not finished looking at the uploaded file",
        _GOES_ON,
        http=(400, 403),
        phrases=("not in an active state", "not in active state"),
    ),
    # ---------------------------------------------------------------- the model
    Row(
        "MODEL_CLOSED",
        Kind.NO_ACCESS,
        Scope.PROJECT_MODEL,
        "{model} is not open to new users",
        "Choose another model{other}",
        http=(404,),
        phrases=("no longer available to new users",),
    ),
    Row(
        "MODEL_UNKNOWN",
        Kind.MODEL_UNKNOWN,
        Scope.MODEL,
        "there is no model {model}, or it does not do this",
        "Check the name with: gsvr-tui models",
        http=(404,),
        phrases=("is not found for api version", "listmodels", "is no longer available"),
    ),
    Row(
        "ENTITY_NOT_FOUND",
        Kind.NO_ACCESS,
        Scope.PROJECT_MODEL,
        "this project cannot use {model} for this video",
        "Choose another model or switch on billing for the project",
        http=(404,),
        phrases=("requested entity was not found",),
    ),
    # ---------------------------------------------------------------- the request
    Row(
        "TOO_LONG",
        Kind.ITEM,
        Scope.ITEM,
        "the video is too long for one request to {model}{limit}",
        "Use shorter segments or a lower resolution",
        http=(400,),
        phrases=("exceeds the maximum number of tokens",),
    ),
    Row(
        "FIELD_UNKNOWN",
        Kind.BUG,
        Scope.MACHINE,
        "the service does not know a part of the request: {said}",
        "Please report this with the log",
        http=(400,),
        phrases=("invalid json payload", "cannot find field"),
    ),
    Row(
        "AUTH_TWICE",
        Kind.BUG,
        Scope.MACHINE,
        "the service received two kinds of credentials",
        "If a base_url is set, check that it is the Gemini API's own",
        http=(400,),
        phrases=("multiple authentication credentials",),
    ),
    Row(
        "PAYLOAD_TOO_LARGE",
        Kind.ITEM,
        Scope.ITEM,
        "the request is larger than the service takes",
        "Use a shorter prompt or template",
        http=(400, 413),
        phrases=("payload size exceeds",),
    ),
    Row("PAYLOAD_TOO_LARGE", Kind.ITEM, Scope.ITEM, "the request is larger than the service takes", http=(413,)),
    Row(
        "INVALID_REQUEST",
        Kind.ITEM,
        Scope.ITEM,
        "the service refused the request: {said}",
        "The video may be damaged, or an option does not fit {model}",
        http=(400,),
    ),
    # ---------------------------------------------------------------- 401, 403, 404 with no better row
    Row(
        "KEY_UNAUTHENTICATED",
        Kind.DEAD_KEY,
        Scope.KEY,
        "the service did not accept the API key",
        "If the key was replaced, enter the new one; else make a new key in Google AI Studio",
        http=(401,),
    ),
    Row(
        "PERMISSION_DENIED",
        Kind.NO_ACCESS,
        Scope.PROJECT_MODEL,
        "the project may not do this with {model}: {said}",
        "Check the account, or choose another model",
        http=(403,),
    ),
    Row(
        "ENDPOINT",
        Kind.NO_ACCESS,
        Scope.PROJECT_MODEL,
        "the address does not answer like the Gemini API",
        "Check base_url of the account",
        http=(404,),
        html=True,
    ),
    Row(
        "NOT_FOUND",
        Kind.NO_ACCESS,
        Scope.PROJECT_MODEL,
        "the service does not find what was asked for: {said}",
        "Check the model's name and the account",
        http=(404,),
    ),
    # ---------------------------------------------------------------- the service in trouble
    Row(
        "GATEWAY",
        Kind.RETRY,
        Scope.MACHINE,
        "the service's gateway is in trouble",
        _GOES_ON,
        http=(502,),
        paid=True,
    ),
    Row(
        "OVERLOADED",
        Kind.BACKOFF_MODEL,
        Scope.MODEL,
        "{model} is overloaded",
        _GOES_ON,
        http=(503,),
    ),
    Row(
        "GATEWAY",
        Kind.RETRY,
        Scope.MACHINE,
        "the service's gateway is in trouble",
        _GOES_ON,
        http_class=5,
        html=True,
        paid=True,
    ),
    Row(
        "DEADLINE",
        Kind.ITEM_RETRY,
        Scope.ITEM,
        "the service ran out of time over this request",
        "Use shorter segments or a lower resolution if it happens again",
        http=(504,),
    ),
    Row(
        "METHOD_UNKNOWN",
        Kind.BUG,
        Scope.MACHINE,
        "the service does not know this call: {said}",
        "Check base_url of the account; else please report this with the log",
        http=(405, 406, 415, 501),
    ),
    Row(
        "INTERNAL",
        Kind.BACKOFF_MODEL,
        Scope.MODEL,
        "an error inside the service",
        _GOES_ON,
        http_class=5,
    ),
    Row(
        "CANCELLED",
        Kind.RETRY,
        Scope.ITEM,
        "the request was cut off",
        _GOES_ON,
        http=(499,),
        paid=True,
    ),
    Row("TIMEOUT", Kind.RETRY, Scope.ITEM, "the service waited too long for the request", _GOES_ON, http=(408,)),
    Row(
        "CONFLICT",
        Kind.RETRY,
        Scope.ITEM,
        "the service was in the middle of something else",
        _GOES_ON,
        http=(409, 412, 425),
    ),
    Row(
        "INVALID_REQUEST",
        Kind.ITEM,
        Scope.ITEM,
        "the service refused the request: {said}",
        "Look at the log for the whole answer",
        http_class=4,
    ),
    Row(
        "UNKNOWN",
        Kind.ITEM_RETRY,
        Scope.ITEM,
        "the service answered in a way that is not understood: {said}",
        "Look at the log for the whole answer",
        paid=True,
    ),
)
