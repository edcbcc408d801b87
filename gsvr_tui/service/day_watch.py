"""Warnings before a project's day is used up: once at 80 % and once at 95 % of its requests, with what happens then."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from gsvr_tui.core.ledger import QuotaView
from gsvr_tui.core.models import Now
from gsvr_tui.core.pacific import pacific_day
from gsvr_tui.core.scheduler_state import SchedulerState
from gsvr_tui.core.text import clean_text, format_duration

log = logging.getLogger("gsvr_tui.service.quota")

LEVELS = (95, 80)
"""Per cent of a day's requests."""


class DayWatch:
    """Remembers what was said, so that each level of a project × model and day is said once in a run."""

    def __init__(self, state: SchedulerState) -> None:
        self._state = state
        self._told: dict[tuple[str, str], tuple[str, int]] = {}

    def look(self, views: Iterable[QuotaView], now: Now) -> None:
        """Log what is new."""
        today = pacific_day(now.wall)
        views = list(views)
        for view in views:
            limit = view.limits.rpd
            if not limit:
                continue
            reached = next((level for level in LEVELS if view.day_used * 100 >= level * limit), 0)
            day, told = self._told.get((view.project, view.model), (today, 0))
            if reached > (told if day == today else 0):
                self._told[view.project, view.model] = today, reached
                log.warning(
                    "project %s has used %d %% of today's requests to %s (%d of %d); %s",
                    clean_text(view.project),
                    view.day_used * 100 // limit,
                    view.model,
                    view.day_used,
                    limit,
                    self._then(view, views, now),
                )

    def _then(self, full: QuotaView, views: list[QuotaView], now: Now) -> str:
        """What happens when the rest is used, too."""
        used_up = {view.project for view in views if view.model == full.model and (view.no_access or _spent(view))} | {
            full.project
        }
        others = [clean_text(project) for project in self._state.pool.projects() if project not in used_up]
        if others:
            return f"when they are used up its work goes on with {', '.join(others)}"
        left = format_duration(max(60.0, full.day_resets_at - now.wall))
        return f"when they are used up its work waits for midnight Pacific, in {left}"


def _spent(view: QuotaView) -> bool:
    return view.limits.rpd is not None and view.day_used >= view.limits.rpd
