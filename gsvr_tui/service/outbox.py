"""Events on their way to whoever listens: merged, so that a burst of 10,000 changes is one delivery."""

from __future__ import annotations

import threading
from collections.abc import Callable

from gsvr_tui.core.messages import (
    AccountsChanged,
    Event,
    JobDetail,
    JobRow,
    JobsChanged,
    LogLine,
    QuotaChanged,
    Snapshot,
    StatusChanged,
)

MOST_LOG_LINES = 5_000
"""Lines kept for a listener that does not take them; the log file has them all."""


class Outbox:
    """Thread-safe. The newest status, quota, accounts and detail win; rows are merged per job; the rest keeps order."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wake: Callable[[], None] | None = None
        self._woken = False
        self._ordered: list[Event] = []
        self._rows: dict[str, JobRow] = {}
        self._latest: dict[type[object], Event] = {}
        self._log_lines = 0

    def set_wake(self, callback: Callable[[], None] | None) -> None:
        """See ServiceHandle."""
        with self._lock:
            self._wake = callback
            self._woken = False
            waiting = bool(self._ordered or self._rows or self._latest)
        if waiting:
            self._call()

    def put(self, *events: Event) -> None:
        """Add events. A Snapshot voids the rows, quota, accounts and status before it."""
        with self._lock:
            for event in events:
                self._add(event)
        self._call()

    def put_rows(self, rows: list[JobRow]) -> None:
        """Add changed rows."""
        with self._lock:
            for row in rows:
                self._rows[row.id] = row
        self._call()

    def _add(self, event: Event) -> None:
        if isinstance(event, JobsChanged):
            for row in event.rows:
                self._rows[row.id] = row
        elif isinstance(event, StatusChanged | QuotaChanged | AccountsChanged | JobDetail):
            self._latest[type(event)] = event
        elif isinstance(event, LogLine):
            self._log_lines += 1
            self._ordered.append(event)
            if self._log_lines > 2 * MOST_LOG_LINES:
                self._drop_old_lines()
        else:
            if isinstance(event, Snapshot):
                self._rows.clear()
                self._latest.clear()
            self._ordered.append(event)

    def _drop_old_lines(self) -> None:
        surplus = self._log_lines - MOST_LOG_LINES
        kept: list[Event] = []
        for event in self._ordered:
            if surplus and isinstance(event, LogLine):
                surplus -= 1
            else:
                kept.append(event)
        self._ordered = kept
        self._log_lines = MOST_LOG_LINES

    def take(self) -> list[Event]:
        """All events since the last call: those that keep their order first, then merged rows, then the latest."""
        with self._lock:
            events = self._ordered
            if self._rows:
                events.append(JobsChanged(tuple(self._rows.values())))
            events.extend(self._latest.values())
            self._ordered, self._rows, self._latest = [], {}, {}
            self._log_lines = 0
            self._woken = False
        return events

    def _call(self) -> None:
        with self._lock:
            callback = None if self._woken else self._wake
            self._woken = self._woken or callback is not None
        if callback is not None:
            callback()
