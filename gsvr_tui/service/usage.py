"""What was used per account × project × model × Pacific day: counted in memory, kept in the store."""

from __future__ import annotations

from dataclasses import replace

from gsvr_tui.core.models import Now
from gsvr_tui.core.pacific import pacific_day
from gsvr_tui.service.history import Latency, MinuteRates
from gsvr_tui.store.codec import UsageDay
from gsvr_tui.store.repository import Store


class UsageBook:
    """Absolute counts, so that writing a row twice changes nothing."""

    def __init__(self, store: Store) -> None:
        self._days = {(row.account, row.project, row.model, row.day): row for row in store.usage()}
        self.rates = MinuteRates()

    def history(self) -> tuple[UsageDay, ...]:
        """Every row: accounts kept apart."""
        return tuple(self._days.values())

    def rows(self) -> tuple[UsageDay, ...]:
        """What each project used, its accounts taken together: quota is the project's."""
        sums: dict[tuple[str, str, str], UsageDay] = {}
        for row in self._days.values():
            key = row.project, row.model, row.day
            before = sums.get(key, UsageDay(*key))
            sums[key] = replace(
                before,
                requests=before.requests + row.requests,
                tokens_in=before.tokens_in + row.tokens_in,
                tokens_out=before.tokens_out + row.tokens_out,
                cost_usd=before.cost_usd + row.cost_usd,
                rejected=before.rejected + row.rejected,
                answered=before.answered + row.answered,
                failed=before.failed + row.failed,
            )
        return tuple(sums.values())

    def add(
        self,
        project: str,
        model: str,
        now: Now,
        *,
        account: str = "",
        requests: int = 0,
        tokens_in: int = 0,
        tokens_out: int = 0,
        cost_usd: float = 0.0,
        rejected: int = 0,
        answered: int = 0,
        failed: int = 0,
        seconds: float | None = None,
    ) -> UsageDay:
        """Count something and return the new row, to be put into the transaction that records it.

        `seconds`: from send to answer, of the one that is counted as answered.
        """
        key = account, project, model, pacific_day(now.wall)
        row = self._days.get(key) or UsageDay(project, model, key[3], account=account)
        row = replace(
            row,
            requests=row.requests + requests,
            tokens_in=row.tokens_in + tokens_in,
            tokens_out=row.tokens_out + tokens_out,
            cost_usd=row.cost_usd + cost_usd,
            rejected=row.rejected + rejected,
            answered=row.answered + answered,
            failed=row.failed + failed,
            latency=row.latency if seconds is None else Latency.parse(row.latency).add(seconds).text(),
        )
        self._days[key] = row
        if seconds is not None:
            self.rates.answered(project, model, now)
        return row
