"""What was used per project × model × Pacific day: counted in memory, kept in the store."""

from __future__ import annotations

from dataclasses import replace

from gsvr_tui.core.models import Now
from gsvr_tui.core.pacific import pacific_day
from gsvr_tui.store.codec import UsageDay
from gsvr_tui.store.repository import Store


class UsageBook:
    """Absolute counts, so that writing a row twice changes nothing."""

    def __init__(self, store: Store) -> None:
        self._days = {(row.project, row.model, row.day): row for row in store.usage()}

    def rows(self) -> tuple[UsageDay, ...]:
        """All rows."""
        return tuple(self._days.values())

    def add(
        self,
        project: str,
        model: str,
        now: Now,
        *,
        requests: int = 0,
        tokens_in: int = 0,
        tokens_out: int = 0,
        cost_usd: float = 0.0,
        rejected: int = 0,
    ) -> UsageDay:
        """Count something and return the new row, to be put into the transaction that records it."""
        key = project, model, pacific_day(now.wall)
        row = self._days.get(key) or UsageDay(*key)
        row = replace(
            row,
            requests=row.requests + requests,
            tokens_in=row.tokens_in + tokens_in,
            tokens_out=row.tokens_out + tokens_out,
            cost_usd=row.cost_usd + cost_usd,
            rejected=row.rejected + rejected,
        )
        self._days[key] = row
        return row
