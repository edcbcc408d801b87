"""Commands (UI → service): what the user wants. Frozen, plain data; each carries an `id` for its answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gsvr_tui.core.models import Priority
from gsvr_tui.core.secret import Secret


@dataclass(frozen=True, slots=True)
class AddJobs:
    """Make a batch of the videos under `paths` (files or folders, folders recursively)."""

    id: str
    paths: tuple[str, ...]
    output_dir: str = ""  # empty: the config's
    template: str = ""
    model: str = ""
    language: str = ""
    formats: tuple[str, ...] = ()
    parameters: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    max_cost_usd: float | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Pause:
    """Start nothing new. `now`: do not wait for what is in flight; it will be sent again and may be paid twice."""

    id: str
    now: bool = False


@dataclass(frozen=True, slots=True)
class Resume:
    """Go on after Pause."""

    id: str


@dataclass(frozen=True, slots=True)
class HoldJobs:
    """Hold these jobs; what they have in flight finishes."""

    id: str
    jobs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReleaseJobs:
    """Undo HoldJobs."""

    id: str
    jobs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CancelJobs:
    """Cancel jobs that are not finished. Undone by RetryJobs."""

    id: str
    jobs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RetryJobs:
    """Queue finished jobs again: failed, cancelled or partial ones, also done ones when named."""

    id: str
    jobs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SetPriority:
    """Give these jobs another class."""

    id: str
    jobs: tuple[str, ...]
    priority: Priority


@dataclass(frozen=True, slots=True)
class SetWorkers:
    """Requests and uploads in flight at most; 0 means computed."""

    id: str
    workers: int


@dataclass(frozen=True, slots=True)
class CheckKey:
    """Ask the service whether a key works, without keeping it. Answered by KeyChecked."""

    id: str
    key: Secret
    base_url: str = ""


@dataclass(frozen=True, slots=True)
class AddAccount:
    """Keep a key and add its account to the config. `store`: keyring, vault or env (then `key` may be empty)."""

    id: str
    name: str
    project: str
    store: str
    key: Secret | None = None
    env: str = ""  # name of the variable for store == "env"
    passphrase: Secret | None = None  # of the vault
    tier: str = "unknown"
    base_url: str = ""


@dataclass(frozen=True, slots=True)
class ReplaceKey:
    """Give an account another key, where it is kept now. Its project and history stay."""

    id: str
    name: str
    key: Secret
    passphrase: Secret | None = None


@dataclass(frozen=True, slots=True)
class PlanJobs:
    """Say what AddJobs of the same would take, without adding anything. Answered by PlanReady or CommandRefused."""

    id: str
    paths: tuple[str, ...]
    template: str = ""
    model: str = ""
    max_cost_usd: float | None = None


@dataclass(frozen=True, slots=True)
class RemoveAccount:
    """Remove an account and its stored key."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class EnableAccount:
    """Use or stop using an account."""

    id: str
    name: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class CheckAccount:
    """Check an account's key now. Answered by AccountsChanged."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class WatchJob:
    """Send JobDetail for this job now and whenever it changes; an empty job ends the watch."""

    id: str
    job: str


@dataclass(frozen=True, slots=True)
class Stop:
    """End the service. `drain`: let what is in flight finish first; else it is cut and sent again next time."""

    id: str
    drain: bool = True


Command = (
    AddJobs
    | Pause
    | Resume
    | HoldJobs
    | ReleaseJobs
    | CancelJobs
    | RetryJobs
    | SetPriority
    | SetWorkers
    | CheckKey
    | AddAccount
    | ReplaceKey
    | PlanJobs
    | RemoveAccount
    | EnableAccount
    | CheckAccount
    | WatchJob
    | Stop
)
