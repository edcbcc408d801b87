"""What the store tells about itself: how it stands, what opening found, how sure a change has to be."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

_log = logging.getLogger(__name__)


class Durability(StrEnum):
    """When a change has to be on disk."""

    DURABLE = "durable"  # at once: jobs, intents, answers, money, acts of the user
    SOON = "soon"  # within a second: learned limits, settings
    LOSSY = "lossy"  # within five seconds, merged per document; may be lost: progress


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """How the store stands. While `stalled`, changes are kept in memory and tried again by themselves."""

    stalled: bool = False
    reason: str = ""  # one line for people
    advice: str = ""
    pending: int = 0  # records not on disk


@dataclass(frozen=True, slots=True)
class Recovery:
    """What opening found."""

    fresh: bool = False  # there was nothing
    generation: int = 0
    replayed: int = 0  # journal records after the snapshot
    torn_bytes: int = 0  # unfinished tail that was cut
    torn_file: Path | None = None  # where that tail is kept
    migrated_from: int | None = None  # schema before
    notes: tuple[str, ...] = ()  # anything else the user should be told

    @property
    def clean(self) -> bool:
        """True when there is nothing to tell."""
        return not (self.torn_bytes or self.notes or self.migrated_from is not None)


class StatusBoard:
    """Joins what the journal and the answers say into one status: stalled while either of them is."""

    def __init__(self, listener: Callable[[StoreStatus], None] | None) -> None:
        self._listener = listener
        self._lock = threading.Lock()
        self._parts: dict[str, StoreStatus] = {}

    @property
    def status(self) -> StoreStatus:
        """How the store stands now."""
        with self._lock:
            return self._joined()

    def part(self, name: str) -> Callable[[StoreStatus], None]:
        """Where one part of the store reports to."""

        def report(status: StoreStatus) -> None:
            with self._lock:
                self._parts[name] = status
                joined = self._joined()
            self._tell(joined)

        return report

    def _joined(self) -> StoreStatus:
        stalled = [status for status in self._parts.values() if status.stalled]
        if not stalled:
            return StoreStatus()
        return StoreStatus(True, stalled[0].reason, stalled[0].advice, sum(status.pending for status in stalled))

    def _tell(self, status: StoreStatus) -> None:
        if self._listener is None:
            return
        try:
            self._listener(status)
        except Exception:  # foreign code: whatever it does must not stop a writer
            _log.exception("A listener to the status of the store failed")
