"""From the service's state to what a screen shows: rows of jobs, batches and accounts, and QuotaMonitor's rows."""

from __future__ import annotations

import math

from gsvr_tui.core.accounts import MultiAccountManager
from gsvr_tui.core.ledger import Ledger
from gsvr_tui.core.messages import AccountRow, BatchRow, JobRow, QuotaRow
from gsvr_tui.core.models import AccountHealth, Batch, Job, Now


def job_row(job: Job, progress: float = -1.0) -> JobRow:
    """The queue's line of a job."""
    reason = job.reason
    return JobRow(
        id=job.id,
        batch_id=job.batch_id,
        name=job.name or job.path,
        state=job.state,
        step=job.step,
        progress=progress,
        duration_s=job.probe.duration_s if job.probe else 0.0,
        cost_usd=job.cost_usd,
        note=reason.message if reason else "",
        advice=reason.advice if reason else "",
        until=job.not_before,
        priority=job.priority,
        attempts=job.attempts,
        verdict=job.verdict,
        account=job.account,
        project=job.project,
        model=job.model,
    )


def batch_row(batch: Batch) -> BatchRow:
    """A batch for headers and filters."""
    return BatchRow(batch.id, batch.name, batch.created_at, batch.template, batch.model, batch.output_dir)


class QuotaMonitor:
    """What each account and project × model stands at, for screens: live use, limits, rests and resets."""

    def __init__(self, ledger: Ledger, pool: MultiAccountManager) -> None:
        self._ledger = ledger
        self._pool = pool

    def quota_rows(self, now: Now) -> tuple[QuotaRow, ...]:
        """One row per project × model that was used or has limits."""
        return tuple(
            QuotaRow(
                project=view.project,
                model=view.model,
                minute_used=view.minute_used,
                minute_reserved=view.minute_reserved,
                minute_limit=view.limits.rpm,
                tokens_used=view.tokens_used,
                tokens_limit=view.limits.tpm,
                day_used=view.day_used,
                day_limit=view.limits.rpd,
                day_resets_at=view.day_resets_at,
                resting_until=view.resting_until,
                note=view.note,
                limit_source=view.limits.source,
            )
            for view in self._ledger.views(now)
        )

    def account_rows(self, tails: dict[str, str], base_url: str, now: Now) -> tuple[AccountRow, ...]:
        """One row per account; `tails` are the last characters of keys that were looked up."""
        resting = {
            view.project: view
            for view in sorted(self._ledger.views(now), key=lambda v: v.resting_until or math.inf, reverse=True)
            if view.resting_until is not None
        }
        rows = []
        for account in self._pool.all():
            status = self._pool.status(account.name)
            health, note, until = status.health, status.note, None
            view = resting.get(account.project)
            if view is not None and health in (AccountHealth.OK, AccountHealth.UNCHECKED):
                health, note, until = AccountHealth.RESTING, f"{view.model}: {view.note}", view.resting_until
            rows.append(
                AccountRow(
                    name=account.name,
                    project=account.project,
                    key_tail=tails.get(account.name, ""),
                    key_ref=account.key,
                    tier=account.tier,
                    health=health,
                    note=note,
                    advice=status.advice,
                    until=until,
                    base_url=account.base_url or base_url,
                    in_flight=self._pool.in_flight(account.name),
                )
            )
        return tuple(rows)
