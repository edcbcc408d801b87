"""What the config file may say, with plain defaults: no file at all is a valid config."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from gsvr_tui.config.formats import FORMAT_NAMES
from gsvr_tui.core.models import Account, KeyRef, Limits

GOOGLE_HOST = "generativelanguage.googleapis.com"
DEFAULT_MODEL = "gemini-3.8-flash"
FALLBACK_MODEL = "gemini-3.5-flash-lite"
MOST_WORKERS = 64
_YES_NO = {"yes": True, "on": True, "no": False, "off": False}
_NAME = re.compile(r"[\w][\w .@+-]{0,63}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")


def _fault(what: str, instead: str = "") -> PydanticCustomError:
    return PydanticCustomError("gsvr", "{what}", {"what": what, "instead": instead})


def _yes_no(value: Any) -> Any:
    return _YES_NO.get(value.lower(), value) if isinstance(value, str) else value


def _number_as_text(value: Any) -> Any:
    # a project number or a name like 2026 is a number to YAML
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _none_as_empty(value: Any) -> Any:
    return () if value is None else value


def _none_as_section(value: Any) -> Any:
    return {} if value is None else value


Switch = Annotated[bool, Field(strict=True), BeforeValidator(_yes_no)]
Name = Annotated[str, BeforeValidator(_number_as_text)]
Count = Annotated[int, Field(strict=True, ge=0)]
Hours = Annotated[float, Field(strict=True, ge=0, le=744, allow_inf_nan=False)]
Dollars = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]
Texts = Annotated[tuple[str, ...], BeforeValidator(_none_as_empty)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class OutputConfig(_Section):
    """Where reports go and in which formats. An empty directory means the default place."""

    directory: str = ""
    formats: Texts = ("markdown", "json")

    @field_validator("formats")
    @classmethod
    def _known_formats(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        unknown = next((name for name in value if name not in FORMAT_NAMES), None)
        if unknown is not None:
            raise _fault(f"There is no format {unknown[:40]!r}.", f"some of {', '.join(FORMAT_NAMES)}")
        if not value:
            raise _fault("A report needs at least one format.", "formats: [markdown, json]")
        return value


class BudgetConfig(_Section):
    """Caps in US dollars; None is no cap. Days and months are Pacific, as Google counts them."""

    max_cost_usd: Dollars | None = None  # of one batch
    per_day_usd: Dollars | None = None
    per_month_usd: Dollars | None = None


class LimitsConfig(_Section):
    """Limits of one project for one model, as AI Studio shows them. 0 is no access, None not known."""

    rpm: Count | None = None
    tpm: Count | None = None
    rpd: Count | None = None
    tpd: Count | None = None


class KeyConfig(_Section):
    """Where an account's key lies; exactly one of the three. Never the key itself."""

    env: str | None = None
    keyring: str | None = None
    vault: str | None = None

    @field_validator("env")
    @classmethod
    def _variable(cls, value: str | None) -> str | None:
        if value is not None and not _VARIABLE.fullmatch(value):
            raise _fault("This is not the name of an environment variable.", "a name such as GEMINI_API_KEY")
        return value

    @field_validator("keyring", "vault")
    @classmethod
    def _item(cls, value: str | None) -> str | None:
        if value is not None and not _NAME.fullmatch(value):
            raise _fault("This is not a name for a stored key.", "the account's name")
        return value

    @model_validator(mode="after")
    def _one(self) -> KeyConfig:
        if len(self._set()) != 1:
            raise _fault("A key lies in exactly one place.", "{env: VARIABLE}, {keyring: NAME} or {vault: NAME}")
        return self

    def _set(self) -> list[tuple[str, str]]:
        places = (("env", self.env), ("keyring", self.keyring), ("vault", self.vault))
        return [(kind, name) for kind, name in places if name is not None]

    def to_ref(self) -> KeyRef:
        """The reference the rest of the program uses."""
        kind, name = self._set()[0]
        return KeyRef(kind, name)


class AccountConfig(_Section):
    """One credential and its project."""

    name: Name
    project: Name = ""  # empty: the account's name, that is, a project of its own
    key: KeyConfig
    tier: Literal["free", "tier1", "tier2", "tier3", "unknown"] = "unknown"
    limits: Annotated[Mapping[str, LimitsConfig], BeforeValidator(_none_as_section)] = Field(default_factory=dict)
    per_month_usd: Dollars | None = None  # cap of its project; of several accounts of a project the lowest holds
    base_url: str = ""
    allow_custom_endpoint: Switch = False
    enabled: Switch = True
    max_in_flight: Count = 0  # uploads and requests at the same time; 0: no bound of its own

    @field_validator("name")
    @classmethod
    def _named(cls, value: str) -> str:
        if not _NAME.fullmatch(value):
            raise _fault(
                "A name has 1 to 64 letters, digits, blanks or any of . @ + - _ and begins with a letter or digit.",
                "a short name such as main",
            )
        return value

    @model_validator(mode="after")
    def _endpoint(self) -> AccountConfig:
        if self.base_url:
            _check_base_url(self.base_url, allowed=self.allow_custom_endpoint)
        return self

    def to_account(self) -> Account:
        """The account as the rest of the program knows it."""
        limits = {
            model: Limits(rpm=limit.rpm, tpm=limit.tpm, rpd=limit.rpd, tpd=limit.tpd, source="user")
            for model, limit in self.limits.items()
        }
        return Account(
            name=self.name,
            project=self.project or self.name,
            key=self.key.to_ref(),
            tier=self.tier,
            limits=limits,
            base_url=self.base_url.rstrip("/"),
            enabled=self.enabled,
            max_in_flight=self.max_in_flight,
        )


class UiConfig(_Section):
    """How the screens look. `None` leaves the choice to the terminal and its variables."""

    no_color: Switch | None = None
    ascii: Switch = False
    reduce_motion: Switch | None = None


class LogConfig(_Section):
    """How much the log file tells."""

    level: Literal["debug", "info", "warning", "error"] = "info"


class Config(_Section):
    """The whole config."""

    version: Annotated[int, Field(strict=True)] = 1
    language: str = ""  # of reports and screens; empty: the template's own and the system's
    theme: str = "dark"
    output: Annotated[OutputConfig, BeforeValidator(_none_as_section)] = OutputConfig()
    template: str = ""  # empty: the standard one
    model: str = DEFAULT_MODEL
    fallback_models: Texts = (FALLBACK_MODEL,)
    fallback_after_hours: Hours | None = None  # wait so long for the model first; None: until Pacific midnight
    workers: Annotated[int, Field(strict=True, ge=0, le=MOST_WORKERS)] = 0  # 0, "auto": computed from the quotas
    budget: Annotated[BudgetConfig, BeforeValidator(_none_as_section)] = BudgetConfig()
    accounts: Annotated[tuple[AccountConfig, ...], BeforeValidator(_none_as_empty)] = ()
    ui: Annotated[UiConfig, BeforeValidator(_none_as_section)] = UiConfig()
    keymap: Annotated[Mapping[str, str], BeforeValidator(_none_as_section)] = Field(default_factory=dict)
    log: Annotated[LogConfig, BeforeValidator(_none_as_section)] = LogConfig()

    @field_validator("version")
    @classmethod
    def _known_version(cls, value: int) -> int:
        if value != 1:
            raise _fault("This program reads version 1 of the config only.", "1, or update gsvr-tui")
        return value

    @field_validator("workers", mode="before")
    @classmethod
    def _auto(cls, value: Any) -> Any:
        return 0 if value == "auto" else value

    @field_validator("model")
    @classmethod
    def _some_model(cls, value: str) -> str:
        if not value:
            raise _fault("The model's name is empty.", DEFAULT_MODEL)
        return value

    def project_caps(self) -> dict[str, float]:
        """Dollars a month by project, where a cap is set."""
        caps: dict[str, float] = {}
        for account in self.accounts:
            if account.per_month_usd is not None:
                project = account.project or account.name
                caps[project] = min(account.per_month_usd, caps.get(project, account.per_month_usd))
        return caps

    def to_accounts(self) -> tuple[Account, ...]:
        """All accounts, also the disabled ones."""
        return tuple(account.to_account() for account in self.accounts)


SECTIONS: Mapping[tuple[str, ...], type[BaseModel]] = {
    (): Config,
    ("output",): OutputConfig,
    ("budget",): BudgetConfig,
    ("ui",): UiConfig,
    ("log",): LogConfig,
    ("accounts", "*"): AccountConfig,
    ("accounts", "*", "key"): KeyConfig,
    ("accounts", "*", "limits", "*"): LimitsConfig,
}
"""Which names are known where; `*` stands for a list's index or a free name."""


def _check_base_url(url: str, *, allowed: bool) -> None:
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
        _ = parts.port
    except ValueError:
        parts, host = urlsplit(""), ""
    if not host or parts.scheme not in ("http", "https"):
        raise _fault("base_url is not a web address.", f"base_url: https://{GOOGLE_HOST}")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise _fault("base_url has a user, a query or a fragment.", "the scheme, the host and at most a path")
    local = _is_loopback(host)
    if parts.scheme != "https" and not local:
        raise _fault("base_url would send the key in plain text.", "the address with https://")
    if not local and host != GOOGLE_HOST and not allowed:
        raise _fault(
            "base_url is not Google's: the key and the videos would go to that host.",
            "allow_custom_endpoint: true beside it, if you trust the host; else remove base_url",
        )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
