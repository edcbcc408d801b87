"""The one status line: what the whole service does, how far it is, when it ends, what it costs."""

from __future__ import annotations

from gsvr_tui.core.messages import RunState, Status
from gsvr_tui.core.models import Now
from gsvr_tui.core.scheduler_state import SchedulerState
from gsvr_tui.core.scheduling import Plan, Stillness
from gsvr_tui.service.jobs import JobDesk
from gsvr_tui.service.live_outlook import LiveOutlook
from gsvr_tui.service.restore import Restored
from gsvr_tui.service.settings import ServiceSettings

FEWEST_FOR_A_RATE = 5
HOUR_S = 3600.0

_STILL = {
    "paused": RunState.PAUSED,
    "stalled": RunState.STALLED,
    "resting": RunState.RESTING,
    "blocked": RunState.BLOCKED,
}


class StatusMaker:
    """Makes Status values."""

    def __init__(self, state: SchedulerState, desk: JobDesk, settings: ServiceSettings, outlook: LiveOutlook) -> None:
        self._state = state
        self._desk = desk
        self._settings = settings
        self._outlook = outlook
        self._still: Stillness | None = None

    def make(self, now: Now, plan: Plan | None, *, stopping: bool, restored: Restored) -> Status:
        """The status at this moment; `plan` is the scheduler's latest."""
        if plan is not None:
            self._still = plan.stillness
        state = self._state
        run = self._run_state(plan, stopping)
        finished = self._desk.finished
        while finished and finished[0] < now.wall - HOUR_S:
            finished.popleft()
        outlook = self._outlook.latest if plan is not None and not stopping else None
        wide = outlook is not None and outlook.wide(now.wall)
        rate = None
        if len(finished) >= FEWEST_FOR_A_RATE and finished[-1] > finished[0]:
            rate = (len(finished) - 1) / (finished[-1] - finished[0]) * HOUR_S
        still = self._still
        return Status(
            state=run,
            reason=still.message if still else ("finishing what is in flight" if stopping else state.stalled),
            advice=still.advice if still else "",
            code=still.code if still else "",
            until=still.until if still else None,
            counts=dict(self._desk.counts),
            in_flight=len(state.flights),
            workers=state.workers(now),
            workers_auto=state.workers_auto,
            finished_last_hour=len(finished),
            rate_per_hour=rate,
            ends_at=outlook.ends_at if outlook is not None else None,
            ends_low=outlook.ends_low if outlook is not None and wide else None,
            ends_high=outlook.ends_high if outlook is not None and wide else None,
            limited_by=outlook.limited_by if outlook is not None else "",
            spent_usd=state.money.run_spent + restored.unknown_usd,
            cap_usd=self._cap(),
            tokens_in=self._desk.tokens_in,
            tokens_out=self._desk.tokens_out,
        )

    def _run_state(self, plan: Plan | None, stopping: bool) -> RunState:
        if stopping:
            return RunState.STOPPING
        if plan is None:
            return RunState.STARTING
        state = self._state
        if state.paused:
            return RunState.PAUSING if state.in_flight else RunState.PAUSED
        if not state.pending:
            return RunState.IDLE
        if plan.stillness is not None:
            return _STILL[plan.stillness.kind]
        return RunState.STALLED if state.stalled else RunState.RUNNING

    def _cap(self) -> float | None:
        caps = [c for c in (self._settings.caps.run, *self._state.money.caps.batches.values()) if c is not None]
        return min(caps) if caps else None
