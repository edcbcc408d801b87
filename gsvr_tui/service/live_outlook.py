"""The live "ends about": worked out anew when facts change, beside the loop, and seldom enough to cost little."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from gsvr_tui.core.board import Entry
from gsvr_tui.core.forecast import ForecastJob
from gsvr_tui.core.models import JobState, Step
from gsvr_tui.core.scheduling import SegmentNeed
from gsvr_tui.service.forecasting import Foresight, Outlook, Work
from gsvr_tui.service.history import days_back
from gsvr_tui.service.service_times import HISTORY_DAYS, ServiceTimes
from gsvr_tui.service.standing import Standing, standing_of

if TYPE_CHECKING:
    from gsvr_tui.service.engine import Engine

log = logging.getLogger("gsvr_tui.service")

MOST_PLAYED = 600
SOONEST_S = 3.0
LOAD = 20.0
"""After a play that took t seconds the next comes t × this later at the soonest: at most 5 % of one processor."""
BYTES_A_SECOND = 250_000.0
TOKENS_A_SECOND = 100.0
"""Of a video nobody has looked into while no other is known: its size says about how long it is."""


class LiveOutlook:
    """Belongs to the engine's loop; only the plays run in a thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.latest: Outlook | None = None
        self._facts: object = None
        self._busy = False
        self._not_before = 0.0  # by time.monotonic: this is about the machine's time, not the service's

    def look(self) -> None:
        """Call whenever something may have changed."""
        state = self._engine.state
        if not state.pending or state.paused or self._engine.stopping:
            self.latest, self._facts = None, None
            return
        if self._busy or time.monotonic() < self._not_before:
            return
        facts = self._known()
        if facts == self._facts:
            return
        self._facts, self._busy = facts, True
        self._engine.errand(self._play())

    def _known(self) -> object:
        """What the outlook depends on. The minute's use is left out: it passes by itself."""
        state, engine = self._engine.state, self._engine
        now = engine.clock.now()
        quota = tuple((v.project, v.model, v.limits, v.no_access, v.resting_until) for v in state.ledger.views(now))
        accounts = tuple((a.name, a.project, state.pool.status(a.name).health) for a in state.pool.all())
        return state.pending, tuple(engine.desk.counts.items()), accounts, quota, state.workers_set, bool(state.stalled)

    def times(self) -> ServiceTimes:
        """Service times of the last days, this run included."""
        engine = self._engine
        first = days_back(HISTORY_DAYS, engine.clock.now().wall)
        return ServiceTimes(engine.context.usage.history(), engine.parts.catalogue, first)

    def standing(self, times: ServiceTimes) -> Standing:
        """How quota, accounts and money stand now."""
        engine = self._engine
        limits = {account.name: engine.tier_limits(account) for account in engine.state.pool.all()}
        return standing_of(engine.state, engine.context.usage.rows(), limits, engine.clock.now(), times.means())

    async def _play(self) -> None:
        engine = self._engine
        started = time.monotonic()
        try:
            times = self.times()
            foresight = Foresight(
                self.standing(times), times, engine.parts.catalogue, engine.clock.now(), most=MOST_PLAYED
            )
            works = self.works(MOST_PLAYED, times)
            total = max(len(works), len(engine.state.board.entries) - engine.desk.counts[JobState.HELD])
            seen = await engine.context.in_thread(foresight.outlook, works, total=total)
            self.latest = self._with_what_is_out(seen, times)
        finally:
            self._busy = False
            self._not_before = time.monotonic() + max(SOONEST_S, LOAD * (time.monotonic() - started))
        engine.look_again()

    def _with_what_is_out(self, seen: Outlook, times: ServiceTimes) -> Outlook:
        """Requests in flight count as answered in the play; their answers are still to come."""
        flights = self._engine.state.flights.values()
        if not flights or seen.ends_at is None:
            return seen
        wall = self._engine.clock.now().wall
        soonest = wall + max(times.seconds(flight.model, 0) for flight in flights)
        ends = max(seen.ends_at, soonest)
        return replace(seen, ends_at=ends, ends_high=max(ends, seen.ends_high or ends))

    # ---------------------------------------------------------------- what is left

    def works(self, most: int, times: ServiceTimes) -> list[Work]:
        """The first jobs that are not finished, in the order they came."""
        entries = [e for e in islice(self._engine.state.board.entries.values(), 2 * most) if not e.held]
        known = [entry for entry in entries if entry.segments]
        size = sum(entry.size_bytes for entry in known)
        needs = [need for entry in known for need in entry.segments]
        a_byte = sum(need.tokens for need in needs) / size if size else TOKENS_A_SECOND / BYTES_A_SECOND
        usd_a_byte = sum(need.usd for need in needs) / size if size else 0.0
        return [self._work(entry, a_byte, usd_a_byte, times) for entry in entries[:most]]

    @staticmethod
    def _work(entry: Entry, tokens_a_byte: float, usd_a_byte: float, times: ServiceTimes) -> Work:
        needs = entry.segments
        if not needs:
            needs = (SegmentNeed(0, round(entry.size_bytes * tokens_a_byte), entry.size_bytes * usd_a_byte),)
        tokens = sum(need.tokens for need in needs) // len(needs)
        out = tuple(replace(need, answered=need.answered or need.index in entry.flights) for need in needs)
        there = {entry.project} if entry.project and entry.step is Step.GENERATE else set()
        return Work(
            ForecastJob(
                job=entry.job,
                batch=entry.batch,
                models=entry.models,
                needs=out,
                size_bytes=entry.size_bytes,
                service_s=times.seconds(entry.models[0], tokens),
                priority=entry.priority,
            ),
            entry.file_projects | there,
            entry.wait_until_wall,
        )
