"""Tells the outbox how the engine stands: the snapshot at the start, then status, quota, accounts and log lines."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from gsvr_tui.core.messages import AccountsChanged, Event, JobRow, LogLine, QuotaChanged, Snapshot, StatusChanged
from gsvr_tui.core.scheduling import Plan
from gsvr_tui.service.rows import QuotaMonitor, batch_row
from gsvr_tui.service.status import StatusMaker

if TYPE_CHECKING:
    from gsvr_tui.service.engine import Engine

log = logging.getLogger("gsvr_tui.service")

SETTLE_S = 62.0
"""After the last activity the minute windows still empty for so long."""


class Teller:
    """See the module."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.monitor = QuotaMonitor(
            engine.state, engine.context.usage.rates, (engine.settings.model, *engine.settings.fallback_models)
        )
        self._status = StatusMaker(engine.state, engine.desk, engine.settings, engine.outlook)
        self._told = False
        self._unsubscribe: Callable[[], None] | None = None
        self.active_until = -math.inf  # monotonic: until then the figures still move

    def rows(self, rows: list[JobRow]) -> None:
        """Rows of the start: the snapshot with the first, then the others."""
        if self._told:
            self._engine.outbox.put_rows(rows)
        else:
            self._snapshot(rows)
            self._told = True

    def _snapshot(self, rows: list[JobRow]) -> None:
        engine = self._engine
        now = engine.clock.now()
        store = engine.desk.store
        engine.outbox.put(
            Snapshot(
                status=self._status.make(now, None, stopping=False, restored=engine.restored),
                batches=tuple(batch_row(batch) for batch in store.batches()),
                jobs=tuple(rows),
                accounts=self.monitor.account_rows(engine.gateways.tails, engine.settings.base_url, now),
                quota=self.monitor.quota_rows(now),
                base_url=engine.settings.base_url,
                templates=engine.parts.templates.ids(),
                models=engine.parts.catalogue.ids(),
            )
        )

    def publish(self, plan: Plan, *, busy: bool, stopping: bool) -> None:
        """Status always; quota and accounts while they move."""
        engine = self._engine
        now = engine.clock.now()
        if busy:
            self.active_until = now.mono + SETTLE_S
        engine.outlook.look()
        events: list[Event] = []
        if now.mono < self.active_until or engine.state.pool.changed:
            self.monitor.warn(now)
            accounts = self.monitor.account_rows(engine.gateways.tails, engine.settings.base_url, now)
            events += [QuotaChanged(self.monitor.quota_rows(now)), AccountsChanged(accounts)]
            engine.state.pool.changed = False
        events.append(StatusChanged(self._status.make(now, plan, stopping=stopping, restored=engine.restored)))
        engine.outbox.put(*events)  # at once: a status is never seen before the accounts it speaks of
        engine.detail.publish()

    def restored(self) -> None:
        """What the last run left, in words."""
        found = self._engine.restored
        if found.adopted:
            log.info("%d answer(s) that arrived before the last run ended were taken over", found.adopted)
        if found.unknown:
            log.warning(
                "%d request(s) were in flight when the last run ended; up to $%.4f may be charged twice",
                found.unknown,
                found.unknown_usd,
            )
        for job in found.set_aside:
            log.warning("job %s was in flight at several crashes in a row and is held", job)

    def follow_logs(self) -> None:
        """Turn log records into events from now on."""
        logs = self._engine.parts.logs
        if logs is not None:
            self._unsubscribe = logs.subscribe(self._on_record)

    def unfollow_logs(self) -> None:
        """No more log events."""
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None

    def _on_record(self, record: Mapping[str, Any]) -> None:
        """A redacted log record, from any thread."""
        self._engine.outbox.put(
            LogLine(
                at=record["at"],
                level=record["level"],
                source=record["source"],
                message=record["message"],
                job=record["job"],
                account=record["account"],
                fields=record["fields"],
            )
        )
