"""Opens everything the service needs, in order, and closes it again: one place for the app, `run` and the demo."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gsvr_tui.config.models_file import load_catalogue
from gsvr_tui.config.places import Places
from gsvr_tui.config.schema import Config
from gsvr_tui.core.models import Account
from gsvr_tui.core.money import Caps
from gsvr_tui.core.secret import Secret
from gsvr_tui.report.templates import load_templates
from gsvr_tui.secrets.keystore import KeyStore
from gsvr_tui.secrets.log_setup import LogHandle, setup_logging
from gsvr_tui.secrets.redact import Redactor
from gsvr_tui.service.settings import Clock, Parts, ServiceSettings
from gsvr_tui.service.worker import WorkerService
from gsvr_tui.store.errors import StoreUnsaved
from gsvr_tui.store.repository import Store
from gsvr_tui.store.status import StoreStatus

log = logging.getLogger("gsvr_tui.service")

DEFAULT_TEMPLATE = "comprehensive_lesson"
CLOSE_S = 10.0


@dataclass(slots=True)
class Session:
    """A running service and what it holds open."""

    service: WorkerService
    parts: Parts
    settings: ServiceSettings

    def close(self) -> bool:
        """Close store and log after the service has ended; False when records could not be written in time."""
        stored = True
        try:
            self.parts.store.close(CLOSE_S)
        except StoreUnsaved:
            stored = False
            self.parts.store.close(0.0, give_up=True)
        if self.parts.logs is not None:
            self.parts.logs.close()
        return stored


def settings_of(config: Config, places: Places, env: Mapping[str, str]) -> ServiceSettings:
    """The service's settings as config and environment say; the command line may replace some."""
    budget = config.budget
    return ServiceSettings(
        accounts=config.to_accounts(),
        output_dir=str(Path(config.output.directory).expanduser()) if config.output.directory else str(places.reports),
        template=config.template or DEFAULT_TEMPLATE,
        model=config.model,
        fallback_models=config.fallback_models,
        fallback_after_s=None if config.fallback_after_hours is None else config.fallback_after_hours * 3600.0,
        formats=tuple(config.output.formats),
        language=config.language,
        workers=config.workers,
        caps=Caps(
            run=budget.max_cost_usd,
            day=budget.per_day_usd,
            month=budget.per_month_usd,
            projects=config.project_caps(),
        ),
        base_url=env.get("GOOGLE_GEMINI_BASE_URL", ""),
        custom_endpoints=frozenset(a.name for a in config.accounts if a.allow_custom_endpoint),
    )


def open_session(
    places: Places,
    settings: ServiceSettings,
    env: MutableMapping[str, str],
    *,
    run_id: str,
    log_level: str = "info",
    passphrase: Callable[[], Secret] | None = None,
    memory_keys: Mapping[str, Secret] | None = None,
    memory_accounts: tuple[Account, ...] = (),
    clock: Clock | None = None,
) -> Session:
    """Open logs, store, catalogue, templates and keys, and make the service (not started).

    Raises StoreError (somebody else has the state, damage), PlaceProblem and CatalogueError, each with a message.
    `memory_keys` and `memory_accounts` are for the demo and tests: keys that are kept nowhere. `clock`: another time
    than the machine's.
    """
    redactor = Redactor()
    for secret in (memory_keys or {}).values():
        redactor.add(secret)
    logs: LogHandle = setup_logging(places, redactor, log_level, run_id)
    relay = _Relay()
    try:
        catalogue = load_catalogue(places.models_file)
        templates = load_templates(places.templates)
        store = Store.open(places.state, on_status=relay)
    except BaseException:
        logs.close()
        raise
    for problem in templates.problems:
        log.warning("template left out: %s", problem)
    if not store.recovery.clean:
        _tell_recovery(store)
    keys = KeyStore(places, env, passphrase=passphrase, memory=dict(memory_keys or {}), on_secret=redactor.add)
    parts = Parts(places, store, catalogue, templates, keys, redactor, logs, clock=clock or Clock())
    settings = replace(settings, accounts=settings.accounts + memory_accounts)
    service = WorkerService(settings, parts)
    relay.target = service.store_status
    return Session(service, parts, settings)


class _Relay:
    """The store is opened before the service that wants to hear of its troubles."""

    def __init__(self) -> None:
        self.target: Callable[[StoreStatus], None] | None = None

    def __call__(self, status: StoreStatus) -> None:
        if self.target is not None:
            self.target(status)


def _tell_recovery(store: Store) -> None:
    found: Any = store.recovery
    if found.torn_bytes:
        log.warning(
            "the last run ended in the middle of a write: %d bytes that were never acknowledged are set aside in %s",
            found.torn_bytes,
            found.torn_file,
        )
    for note in found.notes:
        log.warning("%s", note)
