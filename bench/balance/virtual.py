"""The policy alone: the real scheduler in virtual time against the emulator's own limiters and error bodies.

No HTTP, no disk, no CPU time that a fast clock would blow up: what is lost here is lost by a decision, and what is lost
over HTTP beyond it is lost by the machine. A run takes a second or less.
"""

from __future__ import annotations

import heapq
import json
import math
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from random import Random
from typing import Any

from bench.balance.figures import Figures
from bench.balance.scenes import MODEL, Project, Scene
from gsvr_tui.core.failure import ErrorFacts, Failure, classify
from gsvr_tui.core.forecast import ForecastJob, forecast
from gsvr_tui.core.ids import IdMaker
from gsvr_tui.core.models import Account, JobState, KeyRef, Limits, Now, Step, Verdict
from gsvr_tui.core.money import Caps
from gsvr_tui.core.scheduler import Scheduler
from gsvr_tui.core.scheduling import (
    AccountPut,
    Action,
    Answered,
    Event,
    Finished,
    FinishJob,
    ForgetFile,
    JobArrived,
    MoveJob,
    Probed,
    ProbeJob,
    RequestSent,
    SegmentNeed,
    SendRequest,
    StepFailed,
    Uploaded,
    UploadFile,
)
from gsvr_tui.emulator.errors import ApiError, key_error, quota_error
from gsvr_tui.emulator.limits import QuotaBook
from gsvr_tui.emulator.scenario import KeyState, Tier
from gsvr_tui.emulator.scenario import Limits as Served

POLICY = "gsvr-tui (policy alone)"
ONE_WAY_S = 0.05
PROBE_S = 0.02
UPLOAD_S = 0.2
FINISH_S = 0.02
SIZE_BYTES = 5_000
ESTIMATE = (1_500, 75)  # input tokens of the prompt, and of a second of a silent video, as the client plans them
COUNTED = (1_400, 70)  # … and as the emulator counts them
USD = 0.009
MOST_ROUNDS = 1_000_000


def _tokens(rates: tuple[int, int], seconds: float) -> int:
    return round(rates[0] + rates[1] * seconds)


def _accounts(scene: Scene) -> list[Account]:
    """One account for each key, told of the limits that the scene tells."""
    made = []
    for number, (project, _) in enumerate(scene.keys(), 1):
        told = scene.projects[int(project[1:]) - 1]
        limits = {MODEL: Limits(told.rpm, told.tpm, told.rpd, source="user")} if told.told else {}
        name = f"account-{number}"
        made.append(Account(name, project, KeyRef("memory", name), "tier1" if told.told else "unknown", limits))
    return made


def _needs(scene: Scene) -> list[SegmentNeed]:
    durations = [scene.durations[index % len(scene.durations)] for index in range(scene.jobs)]
    return [SegmentNeed(0, _tokens(ESTIMATE, seconds), USD) for seconds in durations]


def foretold_s(scene: Scene) -> float | None:
    """What the client's own forecast says of a scene; None where something happens that nobody can foretell."""
    steady = scene.overload is None and not scene.cap_binds
    if not steady or any(not p.told or p.changes or p.other_rpm or math.isfinite(p.dies_at) for p in scene.projects):
        return None
    ids = IdMaker(Random(1))
    jobs = [
        ForecastJob(ids.next(scene.start_at), "b", (MODEL,), (need,), SIZE_BYTES, scene.service_s)
        for need in _needs(scene)
    ]
    now = Now(1000.0, scene.start_at)
    found = forecast(
        jobs, _accounts(scene), now, caps=Caps(run=scene.cap_usd), bytes_per_s=SIZE_BYTES / (scene.upload_s + UPLOAD_S)
    )
    return None if found.ends_at is None else found.ends_at - scene.start_at


def _failure(problem: ApiError) -> Failure:
    """As the client would read the body."""
    body = problem.body()
    error: dict[str, Any] = json.loads(body).get("error", {})
    return classify(
        ErrorFacts(
            http_status=problem.code,
            status=str(error.get("status", "")),
            message=str(error.get("message", "")),
            details=tuple(error.get("details", ())),
        ),
        model=MODEL,
    )


@dataclass
class _Served:
    """A project as the service sees it."""

    name: str
    project: Project
    book: QuotaBook
    first_key: str
    changes: list[tuple[float, int]] = field(default_factory=list)


class Policy:
    """One run of the scheduler in a scene. `moves` and `sends` tell what it did."""

    def __init__(self, scene: Scene, seed: int, workers: int = 0) -> None:
        self.scene = scene
        self.random = Random(seed)
        self.now = Now(1000.0, scene.start_at)
        self.scheduler = Scheduler(random=Random(seed), caps=Caps(run=scene.cap_usd), workers=workers)
        self.keys = {f"account-{n}": pair for n, pair in enumerate(scene.keys(), 1)}
        first = dict(reversed(scene.keys()))
        self.served = {
            f"p{n}": _Served(f"p{n}", project, self._book(project), first[f"p{n}"], sorted(project.changes))
            for n, project in enumerate(scene.projects, 1)
        }
        self.queue: list[tuple[float, int, Event | SendRequest]] = []
        self.sequence = 0
        self.sends: list[tuple[float, SendRequest, str]] = []  # arrival, what, outcome
        self.states: dict[str, JobState] = {}
        self.uploads = 0
        self.uploaded: set[str] = set()
        self.spent = 0.0
        self.last = self.now.mono
        self.needs: dict[str, SegmentNeed] = {}
        self.counted: dict[str, int] = {}  # input tokens of a job, as the service counts them
        self._add()

    def _book(self, project: Project) -> QuotaBook:
        return QuotaBook(
            Served(project.rpm, project.tpm, project.rpd),
            count_rejected=self.scene.count_rejected,
            other_traffic_rpm=project.other_rpm,
        )

    def _add(self) -> None:
        for account in _accounts(self.scene):
            self.scheduler.feed(AccountPut(account, {}), self.now)
        ids = IdMaker(Random(1))
        for index, need in enumerate(_needs(self.scene)):
            job = ids.next(self.now.wall)
            self.needs[job] = need
            self.counted[job] = _tokens(COUNTED, self.scene.durations[index % len(self.scene.durations)])
            self.scheduler.feed(JobArrived(job, "b", (MODEL,), announce=True), self.now)

    # ---------------------------------------------------------------- time

    def later(self, seconds: float, event: Event | SendRequest) -> None:
        """Let something happen."""
        self.sequence += 1
        heapq.heappush(self.queue, (self.now.mono + seconds, self.sequence, event))

    def play(self) -> None:
        """Until nothing moves any more."""
        for _ in range(MOST_ROUNDS):
            plan = self.scheduler.next_actions(self.now)
            for action in plan.actions:
                self._carry_out(action)
            if any(not isinstance(action, MoveJob) for action in plan.actions):
                continue
            at = min(self.queue[0][0] if self.queue else math.inf, plan.wake_at)
            if math.isinf(at):
                return
            at = max(at, self.now.mono)
            self.now = Now(at, self.scene.start_at + at - 1000.0)
            while self.queue and self.queue[0][0] <= at:
                event = heapq.heappop(self.queue)[2]
                if isinstance(event, SendRequest):
                    self._arrives(event)
                else:
                    self.scheduler.feed(event, self.now)
        raise RuntimeError("it does not come to rest")

    def _carry_out(self, action: Action) -> None:
        match action:
            case SendRequest():
                self.scheduler.feed(RequestSent(action.request), self.now)
                self.later(ONE_WAY_S, action)
            case UploadFile(job):
                self.uploads += 1
                self.uploaded.add(job)
                seconds = self.scene.upload_s + UPLOAD_S
                self.later(seconds, Uploaded(job, seconds))
            case ProbeJob(job):
                self.later(PROBE_S, Probed(job, SIZE_BYTES, (self.needs[job],)))
            case FinishJob(job):
                self.later(FINISH_S, Finished(job, Verdict.OK))
            case MoveJob():
                self.states[action.job] = action.state
                if action.state.final:
                    self.last = self.now.mono
            case ForgetFile():
                pass

    # ---------------------------------------------------------------- the service

    @property
    def since(self) -> float:
        """Seconds since the start."""
        return self.now.mono - 1000.0

    def _arrives(self, action: SendRequest) -> None:
        """The service decides over a request."""
        problem, outcome = self._refusal(action)
        self.sends.append((self.since, action, outcome))
        if problem is not None:
            self.later(ONE_WAY_S, StepFailed(action.job, Step.GENERATE, _failure(problem), action.request))
            return
        seconds = self.scene.service_s * (1 + self.scene.spread * (2 * self.random.random() - 1))
        self.spent += USD
        self.later(seconds, Answered(action.job, action.request, self.counted[action.job], USD, seconds))

    def _refusal(self, action: SendRequest) -> tuple[ApiError | None, str]:
        served = self.served[action.project]
        _, key = self.keys[action.account]
        if key == served.first_key and self.since >= served.project.dies_at:
            return key_error(KeyState.INVALID, 1), "dead"
        while served.changes and self.since >= served.changes[0][0]:
            _, rpm = served.changes.pop(0)
            served.book.change(Served(rpm, served.project.tpm, served.project.rpd), self.now.wall)
        breaches = served.book.admit(self.now.wall, self.counted[action.job])
        if breaches:
            problem = quota_error(
                breaches,
                model=MODEL,
                tier=Tier.PAID,
                jitter=self.random.random(),
                quota_value=self.scene.quota_value,
                retry_info=True,
            )
            return problem, "429 " + "+".join(breach.dimension for breach in breaches)
        overload = self.scene.overload
        if overload is not None and overload[0] <= self.since < overload[1]:
            return ApiError(503, "UNAVAILABLE", "The model is overloaded. Please try again later."), "503"
        return None, "ok"

    # ---------------------------------------------------------------- what came of it

    def figures(self) -> Figures:
        """As of any other run."""
        by_job = Counter(action.job for _, action, _ in self.sends)
        rejected = [(action.project, outcome) for _, action, outcome in self.sends if outcome.startswith("429")]
        done = sum(state in (JobState.DONE, JobState.PARTIAL) for state in self.states.values())
        return Figures(
            scene=self.scene.name,
            contestant=POLICY,
            jobs=self.scene.jobs,
            bound_s=self.scene.bound(list(self.counted.values())),
            service_s=self.scene.shortest_service_s,
            seconds=self.last - 1000.0,
            done=done,
            rejected=len(rejected),
            rejected_most=max(Counter(rejected).values(), default=0),
            failed=sum(outcome in ("dead", "503") for _, _, outcome in self.sends),
            exceptions=sum(state is JobState.FAILED for state in self.states.values()),
            attempted_again=sum(count > 1 for count in by_job.values()),
            answered_again=0,
            uploads_again=max(0, self.uploads - len(self.uploaded)),
            cpu_s=0.0,
            spent_usd=self.spent,
            cap_usd=self.scene.cap_usd,
            factor=math.inf,
        )

    def timeline(self) -> dict[str, list[str]]:
        """Arrivals at each project, for people who look for the reason."""
        lines: dict[str, list[str]] = defaultdict(list)
        for at, action, outcome in self.sends:
            lines[action.project].append(f"{at:.1f}" + ("" if outcome == "ok" else f"!{outcome}"))
        return dict(lines)


def run_policy(scene: Scene, seed: int, workers: int = 0) -> Policy:
    """One run."""
    policy = Policy(scene, seed, workers)
    policy.play()
    return policy
