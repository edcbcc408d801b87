"""What the service is told at its start, and the parts it works with."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random, SystemRandom

from gsvr_tui.config.places import Places
from gsvr_tui.core.catalogue import Catalogue
from gsvr_tui.core.models import Account, Now
from gsvr_tui.core.money import Caps
from gsvr_tui.report.templates import TemplateSet
from gsvr_tui.secrets.keystore import KeyStore
from gsvr_tui.secrets.log_setup import LogHandle
from gsvr_tui.secrets.redact import Redactor
from gsvr_tui.store.repository import Store


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """Plain settings, from the config and the command line."""

    accounts: tuple[Account, ...]
    output_dir: str
    template: str = "comprehensive_lesson"
    model: str = "gemini-3.8-flash"
    fallback_models: tuple[str, ...] = ()
    fallback_after_s: float | None = None  # how long a job waits for its model first; None: until Pacific midnight
    formats: tuple[str, ...] = ("markdown", "json")
    language: str = ""
    workers: int = 0  # 0: computed
    caps: Caps = field(default_factory=Caps)
    base_url: str = ""  # for accounts that name none; empty: Google's
    allow_custom_endpoint: bool = False
    custom_endpoints: frozenset[str] = frozenset()  # accounts whose config allows their own endpoint
    only_batches: frozenset[str] | None = None  # None: all pending work; else these, and those added in this run
    start_paused: bool = False
    keep_config: bool = True  # accounts added in the app are written to the config file
    drain_s: float = 60.0  # how long a stop waits for what is in flight


class Clock:
    """Two clocks read together. `wall` follows the service's own `Date` once that is known.

    `factor`: seconds of these clocks in a real second; other than 1 in benchmarks, where hours pass in minutes.
    """

    def __init__(
        self,
        mono: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        *,
        factor: float = 1.0,
    ) -> None:
        if factor <= 0:
            raise ValueError("the factor of a clock must be above 0")
        self._mono = mono
        self._wall = wall
        self._factor = factor
        self._offset = 0.0

    def real_seconds(self, seconds: float) -> float:
        """What so many seconds of these clocks take in real time."""
        return seconds / self._factor

    def now(self) -> Now:
        """This moment."""
        return Now(self._mono(), self._wall() + self._offset)

    @property
    def correction(self) -> float:
        """Seconds that the service's own time adds to this machine's."""
        return self._offset

    def server_said(self, date: float) -> None:
        """The service's `Date` header, in whole seconds: small differences are ours to keep."""
        offset = date - self._wall()
        self._offset = offset if abs(offset) > 5.0 else 0.0


@dataclass(slots=True)
class Parts:
    """Everything the service works with; opened and closed by the caller, except where said otherwise."""

    places: Places
    store: Store
    catalogue: Catalogue
    templates: TemplateSet
    keys: KeyStore
    redactor: Redactor
    logs: LogHandle | None = None
    clock: Clock = field(default_factory=Clock)
    random: Random = field(default_factory=SystemRandom)
