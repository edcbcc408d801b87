"""A small world for the scheduler: virtual clock, a service that follows its own limits, faults on request."""

from __future__ import annotations

import heapq
import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from random import Random

from gsvr_tui.core.failure import Failure, FailureKind, QuotaViolation, Scope
from gsvr_tui.core.ids import IdMaker
from gsvr_tui.core.models import Account, JobState, KeyRef, Limits, Now, Step, Verdict
from gsvr_tui.core.money import Caps
from gsvr_tui.core.scheduler import Scheduler
from gsvr_tui.core.scheduling import (
    AccountPut,
    Answered,
    Event,
    Finished,
    FinishJob,
    ForgetAnswers,
    ForgetFile,
    Interrupted,
    JobArrived,
    MoveJob,
    Plan,
    Probed,
    ProbeJob,
    RequestSent,
    SegmentNeed,
    SendRequest,
    StepFailed,
    StopWork,
    Uploaded,
    UploadFile,
)

START = 1_795_500_000.0  # 2026-11-24, an ordinary Pacific day


def account(name: str, project: str = "", limits: dict[str, Limits] | None = None, tier: str = "tier1") -> Account:
    return Account(name, project or f"p-{name}", KeyRef("memory", name), tier=tier, limits=limits or {})


def quota_failure(dimension: str, limit: int, model: str = "m", retry: float | None = None) -> Failure:
    kind = FailureKind.REST_DAY if dimension == "rpd" else FailureKind.REST_MINUTE
    return Failure(
        kind,
        Scope.PROJECT_MODEL,
        "QUOTA",
        f"{dimension} used up",
        retry_after_s=retry,
        violations=(QuotaViolation(dimension, limit, model),),
        http_status=429,
    )


Verdicts = Callable[[str, int], Verdict]
Faults = Callable[[SendRequest, int, float], Failure | None]


class World:
    """Drives a Scheduler like the service does and keeps the history that invariants are checked on."""

    def __init__(
        self,
        accounts: Sequence[Account],
        *,
        workers: int = 64,
        caps: Caps | None = None,
        seed: int = 1,
        service_s: float = 3.0,
        upload_s: float = 0.1,
        real_rpm: dict[str, int] | None = None,
        faults: Faults | None = None,
        verdicts: Verdicts | None = None,
        segments: Callable[[str], tuple[SegmentNeed, ...]] | None = None,
        fallback_after_s: float | None = None,
    ) -> None:
        self.random = Random(seed)
        self.scheduler = Scheduler(random=Random(seed), caps=caps, workers=workers, fallback_after_s=fallback_after_s)
        self.now = Now(1000.0, START)
        self.service_s = service_s
        self.upload_s = upload_s
        self.real_rpm = real_rpm or {}
        self.faults = faults
        self.verdicts = verdicts
        self.segments = segments or (lambda job: (SegmentNeed(0, 1000, 0.01),))
        self.ids = IdMaker(Random(seed + 1))
        self.queue: list[tuple[float, int, Event]] = []
        self.sequence = 0
        self.sends: list[tuple[float, float, SendRequest]] = []  # mono, wall
        self.served: dict[tuple[str, str], list[float]] = defaultdict(list)
        self.rejected = 0
        self.files: dict[str, set[str]] = defaultdict(set)  # job → projects
        self.moves: dict[str, MoveJob] = {}
        self.states: dict[str, list[JobState]] = defaultdict(list)
        self.out: dict[tuple[str, int], str] = {}
        self.cancelled_requests: set[str] = set()
        self.plan: Plan | None = None
        self.finishes: dict[str, int] = defaultdict(int)
        for item in accounts:
            self.feed(AccountPut(item, {}))

    def feed(self, event: Event) -> None:
        self.scheduler.feed(event, self.now)

    def add(self, count: int, *, batch: str = "b", models: tuple[str, ...] = ("m",), size: int = 1000) -> list[str]:
        jobs = [self.ids.next(self.now.wall) for _ in range(count)]
        for job in jobs:
            self.feed(JobArrived(job, batch, models, size_bytes=size, announce=True))
        return jobs

    def later(self, seconds: float, event: Event) -> None:
        self.sequence += 1
        heapq.heappush(self.queue, (self.now.mono + seconds, self.sequence, event))

    def looked(self) -> None:
        """Called after every decision, before anything is carried out."""

    def step(self) -> bool:
        """One round: actions carried out, time moved to the next thing. False when nothing will ever happen."""
        self.plan = self.scheduler.next_actions(self.now)
        self.looked()
        for action in self.plan.actions:
            self.carry_out(action)
        if any(not isinstance(action, MoveJob) for action in self.plan.actions):
            return True
        at = min(self.queue[0][0] if self.queue else math.inf, self.plan.wake_at)
        if math.isinf(at):
            return False
        at = max(at, self.now.mono)
        self.now = Now(at, START + at - 1000.0)
        while self.queue and self.queue[0][0] <= at:
            event = heapq.heappop(self.queue)[2]
            if isinstance(event, Answered | StepFailed) and event.request in self.cancelled_requests:
                continue
            if isinstance(event, Answered):
                self.out.pop(next(k for k, v in self.out.items() if v == event.request))
            if isinstance(event, StepFailed) and event.request:
                self.out.pop(next(k for k, v in self.out.items() if v == event.request))
            self.feed(event)
        return True

    def run(self, rounds: int = 200_000, until: Callable[[], bool] | None = None) -> None:
        for _ in range(rounds):
            if until is not None and until():
                return
            if not self.step():
                return
        raise AssertionError("the world does not come to rest")

    def carry_out(self, action: object) -> None:
        if isinstance(action, SendRequest):
            self.send(action)
        elif isinstance(action, UploadFile):
            self.files[action.job].add(action.project)
            self.later(self.upload_s, Uploaded(action.job, self.upload_s))
        elif isinstance(action, ProbeJob):
            self.later(0.01, Probed(action.job, 1000, self.segments(action.job)))
        elif isinstance(action, FinishJob):
            self.finishes[action.job] += 1
            verdict = self.verdicts(action.job, self.finishes[action.job]) if self.verdicts else Verdict.OK
            self.later(0.01, Finished(action.job, verdict))
        elif isinstance(action, ForgetFile):
            self.files[action.job].discard(action.project)
        elif isinstance(action, StopWork):
            for (job, segment), request in list(self.out.items()):
                if job == action.job:
                    self.cancelled_requests.add(request)
                    del self.out[job, segment]
                    self.feed(Interrupted(job, Step.GENERATE, request, sent=True))
        elif isinstance(action, MoveJob):
            self.moves[action.job] = action
            self.states[action.job].append(action.state)
        elif not isinstance(action, ForgetAnswers):
            raise TypeError(f"unknown action {action}")

    def send(self, action: SendRequest) -> None:
        assert action.project in self.files[action.job], "a request went to a project that lacks the file"
        assert (action.job, action.segment) not in self.out, "two requests for one segment in flight"
        self.out[action.job, action.segment] = action.request
        self.sends.append((self.now.mono, self.now.wall, action))
        self.feed(RequestSent(action.request))
        failure = self.faults(action, len(self.sends), self.now.mono) if self.faults else None
        real = self.real_rpm.get(action.project)
        served = self.served[action.project, action.model]
        if failure is None and real is not None:
            recent = [at for at in served if at > self.now.mono - 60.0]
            if len(recent) >= real:
                failure = quota_failure("rpm", real, action.model, retry=recent[0] + 60.0 - self.now.mono)
        if failure is not None:
            self.rejected += failure.http_status == 429
            self.later(0.05, StepFailed(action.job, Step.GENERATE, failure, action.request))
            return
        served.append(self.now.mono)
        self.later(
            self.service_s,
            Answered(
                action.job, action.request, self.segments(action.job)[action.segment].tokens, action.usd, self.service_s
            ),
        )

    def start_offset(self, seconds: float) -> None:
        """Nothing happened for a while."""
        self.queue = [(at + seconds, number, event) for at, number, event in self.queue]

    def finals(self) -> dict[JobState, int]:
        counts: dict[JobState, int] = defaultdict(int)
        for move in self.moves.values():
            counts[move.state] += 1
        return dict(counts)

    def most_in_a_minute(self, project: str, model: str = "m") -> int:
        times = [at for at, _, s in self.sends if s.project == project and s.model == model]
        return max((sum(1 for t in times if at <= t < at + 60.0) for at in times), default=0)
