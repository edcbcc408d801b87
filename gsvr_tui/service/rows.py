"""From the service's state to what a screen shows: rows of jobs, batches and accounts, and QuotaMonitor's rows."""

from __future__ import annotations

import math

from gsvr_tui.core.ledger import QuotaView
from gsvr_tui.core.messages import AccountRow, BatchRow, JobRow, QuotaRow
from gsvr_tui.core.models import AccountHealth, Batch, Job, Now
from gsvr_tui.core.scheduler_state import SchedulerState
from gsvr_tui.core.why import why
from gsvr_tui.service.day_watch import DayWatch
from gsvr_tui.service.history import MinuteRates


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

    def __init__(self, state: SchedulerState, rates: MinuteRates, models: tuple[str, ...]) -> None:
        """`models`: the usual one and its fallbacks."""
        self._state = state
        self._ledger = state.ledger
        self._pool = state.pool
        self._rates = rates
        self._models = models
        self._days = DayWatch(state)
        self.shared: dict[str, str] = {}  # account → what its project turned out to share with another

    def warn(self, now: Now) -> None:
        """Log what should be known before a day is used up."""
        self._days.look(self._ledger.views(now), now)

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
                tokens_day_used=view.tokens_day,
                tokens_day_limit=view.limits.tpd,
                spent_10min_usd=self._state.money.spent_10min(view.project, now),
                spend_limit_usd=self._state.money.caps.spend.get(view.project),
                paced=view.limits.paced,
                learned_at=view.limits.learned_at,
                per_minute=self._rates.per_minute(view.project, view.model, now),
            )
            for view in self._ledger.views(now)
        )

    def account_rows(self, tails: dict[str, str], base_url: str, now: Now) -> tuple[AccountRow, ...]:
        """One row per account; `tails` are the last characters of keys that were looked up."""
        views = self._ledger.views(now)
        resting = {
            view.project: view
            for view in sorted(views, key=lambda v: v.resting_until or math.inf, reverse=True)
            if view.resting_until is not None
        }
        reasons = why(self._state, now, self._models[0])
        rows = []
        for account in self._pool.all():
            status = self._pool.status(account.name)
            health, note, advice, until = status.health, status.note, status.advice, None
            view = resting.get(account.project)
            if health in (AccountHealth.OK, AccountHealth.UNCHECKED):
                if self._no_access(account.project, views):
                    health, note = AccountHealth.NO_ACCESS, f"no access to {' or '.join(self._models)}"
                    advice = "choose another model, or a project that may use it; then check the account"
                elif view is not None:
                    health, note, until = AccountHealth.RESTING, f"{view.model}: {view.note}", view.resting_until
            shared = self.shared.get(account.name, "")
            rows.append(
                AccountRow(
                    name=account.name,
                    project=account.project,
                    key_tail=tails.get(account.name, ""),
                    key_ref=account.key,
                    tier=account.tier,
                    health=health,
                    note="; ".join(text for text in (note, shared) if text),
                    advice=advice,
                    until=until,
                    base_url=account.base_url or base_url,
                    in_flight=self._pool.in_flight(account.name),
                    why=reasons.get(account.name, ""),
                )
            )
        return tuple(rows)

    def _no_access(self, project: str, views: tuple[QuotaView, ...]) -> bool:
        """True when the project may use none of the usual models."""
        denied = {view.model for view in views if view.project == project and view.no_access}
        return denied.issuperset(self._models)
