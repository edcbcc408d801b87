"""When it will be done and what it will cost: the scheduler itself, run on virtual time."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from gsvr_tui.core.models import Account, JobState, Limits, Now, Priority, Step, Verdict
from gsvr_tui.core.money import Caps
from gsvr_tui.core.scheduler import Scheduler
from gsvr_tui.core.scheduling import (
    AccountPut,
    Answered,
    Event,
    Finished,
    FinishJob,
    JobArrived,
    MoveJob,
    ProbeJob,
    RequestSent,
    SegmentNeed,
    SendRequest,
    Stillness,
    Uploaded,
    UploadFile,
)


@dataclass(frozen=True, slots=True)
class ForecastJob:
    """A job as the forecast needs it: its requests, seconds each takes, and bytes to upload."""

    job: str
    batch: str
    models: tuple[str, ...]
    needs: tuple[SegmentNeed, ...]
    size_bytes: int
    service_s: float
    priority: Priority = Priority.NORMAL


@dataclass(frozen=True, slots=True)
class Forecast:
    """The end of the run in wall time (None: it never ends as things are, see `stopped`), and what it takes."""

    ends_at: float | None
    done: int
    requests: int
    tokens_in: int
    cost_usd: float
    by_project: Mapping[str, int]
    limited_by: str  # rpm, tpm, rpd, workers or uploads
    stopped: Stillness | None = None


def forecast(
    jobs: Sequence[ForecastJob],
    accounts: Iterable[Account],
    now: Now,
    *,
    tier_limits: Mapping[str, Mapping[str, Limits]] | None = None,
    caps: Caps | None = None,
    workers: int = 0,
    bytes_per_s: float = 2_000_000.0,
    seed: int = 0,
) -> Forecast:
    """Run `jobs` over `accounts` in virtual time. `tier_limits` maps an account's name to limits by model."""
    scheduler = Scheduler(random=Random(seed), caps=caps, workers=workers)  # noqa: S311 - jitter, not secrets
    scheduler.state.board.ends_only = True
    for account in accounts:
        scheduler.feed(AccountPut(account, dict((tier_limits or {}).get(account.name, {}))), now)
    by_id = {job.job: job for job in jobs}
    for job in jobs:
        scheduler.feed(
            JobArrived(
                job.job, job.batch, job.models, JobState.QUEUED, job.priority, 0, None, job.size_bytes, job.needs
            ),
            now,
        )
    return VirtualRun(scheduler, by_id, now, bytes_per_s).play()


class VirtualRun:
    """Plays a scheduler, as it stands, against known service times. Jobs are named by `jobs`."""

    def __init__(self, scheduler: Scheduler, jobs: Mapping[str, ForecastJob], now: Now, bytes_per_s: float) -> None:
        self._scheduler = scheduler
        self._jobs = jobs
        self._now = now
        self._start = now
        self._bytes_per_s = bytes_per_s
        self._queue: list[tuple[float, int, Event]] = []
        self._sequence = 0
        self._done = 0
        self._requests = 0
        self._tokens = 0
        self._cost = 0.0
        self._by_project: dict[str, int] = {}
        self._last_done = now.mono

    def _later(self, seconds: float, event: Event) -> None:
        self._sequence += 1
        heapq.heappush(self._queue, (self._now.mono + seconds, self._sequence, event))

    def play(self) -> Forecast:
        """Until nothing is left or nothing moves any more."""
        while True:
            plan = self._scheduler.next_actions(self._now)
            for action in plan.actions:
                self._carry_out(action)
            upcoming = self._queue[0][0] if self._queue else math.inf
            at = min(upcoming, plan.wake_at)
            if math.isinf(at):
                return self._result(plan.stillness)
            at = max(at, self._now.mono)
            self._now = Now(at, self._start.wall + at - self._start.mono)
            while self._queue and self._queue[0][0] <= at:
                self._scheduler.feed(heapq.heappop(self._queue)[2], self._now)

    def _carry_out(self, action: object) -> None:
        if isinstance(action, MoveJob):  # by far the most
            if action.state.final:
                self._last_done = self._now.mono
                self._done += action.state is JobState.DONE
        elif isinstance(action, SendRequest):
            job = self._jobs[action.job]
            need = job.needs[action.segment]
            self._scheduler.feed(RequestSent(action.request), self._now)
            self._requests += 1
            self._tokens += need.tokens
            self._cost += action.usd
            self._by_project[action.project] = self._by_project.get(action.project, 0) + 1
            answer = Answered(action.job, action.request, need.tokens, action.usd, job.service_s)
            self._later(job.service_s, answer)
        elif isinstance(action, UploadFile):
            seconds = self._jobs[action.job].size_bytes / self._bytes_per_s
            self._later(seconds, Uploaded(action.job, seconds))
        elif isinstance(action, FinishJob):
            self._later(0.0, Finished(action.job, Verdict.OK))
        elif isinstance(action, ProbeJob):
            raise AssertionError(f"a forecast job is probed already: {action.job} ({Step.PROBE})")

    def _result(self, stillness: Stillness | None) -> Forecast:
        state = self._scheduler.state
        waits = state.waits.most_common(1)
        finished = not state.pending
        return Forecast(
            ends_at=self._start.wall + self._last_done - self._start.mono if finished else None,
            done=self._done,
            requests=self._requests,
            tokens_in=self._tokens,
            cost_usd=self._cost,
            by_project=dict(self._by_project),
            limited_by=waits[0][0] if waits else "workers",
            stopped=None if finished else stillness,
        )
