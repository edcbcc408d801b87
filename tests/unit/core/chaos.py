"""A world in which anything happens, and the invariants that hold in it (balancing: what must never be broken)."""

from __future__ import annotations

import heapq
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

from gsvr_tui.core.board import Entry
from gsvr_tui.core.failure import Failure, FailureKind
from gsvr_tui.core.models import Account, JobState, Step
from gsvr_tui.core.pacific import pacific_day
from gsvr_tui.core.scheduling import (
    Event,
    Finished,
    Interrupted,
    MoveJob,
    Probed,
    ProbeJob,
    SendRequest,
    StepFailed,
    StopWork,
    Uploaded,
    UploadFile,
)
from tests.unit.core.world import World

MINUTE_S = 60.0
SOON_S = 300.0
"""An upload to a project that rests for longer may as well wait."""


class ChaosWorld(World):
    """World with faults in every step, interruptions, and checks after every round."""

    def __init__(
        self,
        accounts: Sequence[Account],
        *,
        upload_faults: Callable[[UploadFile], Failure | None] | None = None,
        probe_faults: Callable[[ProbeJob], Failure | None] | None = None,
        **more: object,
    ) -> None:
        super().__init__(accounts, **more)  # type: ignore[arg-type]
        self.upload_faults = upload_faults
        self.probe_faults = probe_faults
        self.charged: list[tuple[float, float, SendRequest]] = []  # may count against the day and cost money
        self.excuses: Counter[str] = Counter()  # job → failures of its own that may use up an attempt
        self.target: dict[str, str] = {}  # job → project it is uploaded to
        self._batches: dict[str, str] = {}

    def add(self, count: int, *, batch: str = "b", **more: object) -> list[str]:
        jobs = super().add(count, batch=batch, **more)  # type: ignore[arg-type]
        self._batches.update(dict.fromkeys(jobs, batch))
        return jobs

    def batch_of(self, job: str) -> str:
        return self._batches[job]

    # ---------------------------------------------------------------- carrying out

    def carry_out(self, action: object) -> None:
        if isinstance(action, UploadFile):
            self.target[action.job] = action.project
        if isinstance(action, UploadFile) and self.upload_faults is not None:
            failure = self.upload_faults(action)
            if failure is not None:
                self.later(0.05, StepFailed(action.job, Step.UPLOAD, failure))
                return
        if isinstance(action, ProbeJob) and self.probe_faults is not None:
            failure = self.probe_faults(action)
            if failure is not None:
                self.later(0.01, StepFailed(action.job, Step.PROBE, failure))
                return
        super().carry_out(action)
        if isinstance(action, StopWork):
            self._break_off(lambda event: getattr(event, "job", "") == action.job)

    def send(self, action: SendRequest) -> None:
        before = len(self.queue)
        super().send(action)
        assert len(self.queue) == before + 1
        outcome = next(e for _, _, e in self.queue if getattr(e, "request", "") == action.request)
        failure = outcome.failure if isinstance(outcome, StepFailed) else None
        if failure is None or failure.maybe_paid:
            self.charged.append((self.now.mono, self.now.wall, action))
        if failure is not None and failure.kind is FailureKind.ITEM_RETRY:
            self.excuses[action.job] += 1

    def interrupt_everything(self) -> None:
        """What a pause without waiting does."""
        for (job, segment), request in list(self.out.items()):
            self.cancelled_requests.add(request)
            del self.out[job, segment]
            self.feed(Interrupted(job, Step.GENERATE, request, sent=True))  # RequestSent was told
        self._break_off(lambda event: True)

    def _break_off(self, wanted: Callable[[Event], bool]) -> None:
        """Local steps and uploads under way come back as interrupted."""
        steps = {Uploaded: Step.UPLOAD, Probed: Step.PROBE, Finished: Step.CHECK}
        kept = []
        for item in self.queue:
            event = item[2]
            step = event.step if isinstance(event, StepFailed) and not event.request else steps.get(type(event))
            if step is None or not wanted(event):
                kept.append(item)
                continue
            if step is Step.UPLOAD:
                self.files[event.job].discard(self.target[event.job])  # type: ignore[union-attr]
            self.feed(Interrupted(event.job, step))  # type: ignore[union-attr]
        heapq.heapify(kept)
        self.queue = kept

    # ---------------------------------------------------------------- checking

    def looked(self) -> None:
        assert self.plan is not None
        idle = self.could_start()
        assert not idle, (idle, self.plan)
        if all(isinstance(action, MoveJob) for action in self.plan.actions):
            self.check_rest()

    def check_rest(self) -> None:
        """Nothing was started: then nothing could be, and it is said why if nothing is in flight."""
        assert self.plan is not None
        state = self.scheduler.state
        if state.pending and not state.in_flight and not self.queue:
            assert self.plan.stillness is not None, "it stands still and does not say why"
            assert self.plan.stillness.message
            assert self.plan.wake_at > self.now.mono
            if math.isinf(self.plan.wake_at):
                assert self.plan.stillness.kind in ("blocked", "paused", "stalled")
            else:
                assert self.plan.stillness.until is not None or self.plan.stillness.kind in ("paused", "stalled")

    def could_start(self) -> list[str]:
        """Jobs that could go now as far as everything known says, to be asked right after `next_actions`."""
        state = self.scheduler.state
        if state.paused or state.stalled:
            return []
        found = []
        for entry in state.board.entries.values():
            idle = not entry.state.final and not entry.held and entry.busy is None and entry.wait_until == -math.inf
            if not idle:
                continue
            if entry.step is Step.GENERATE and self._could_send(entry):
                found.append(f"send {entry.job}")
            elif entry.step is Step.UPLOAD and self._could_upload(entry):
                found.append(f"upload {entry.job}")
        return found

    def _could_send(self, entry: Entry) -> bool:
        state, now = self.scheduler.state, self.now
        need = entry.unsent()
        if need is None or len(state.flights) >= state.workers(now):
            return False
        if state.network.earliest(now.mono) > now.mono or not state.pool.project_usable(entry.project):
            return False
        if state.out_on[entry.project] >= state.ceiling():
            return False
        usd = 0.0 if state.is_free(entry.project) else need.usd
        if state.money.hit(entry.batch, usd, now, entry.project) is not None:
            return False
        model = entry.models[0]
        if model in state.dead_models or state.breaker(model).earliest(now.mono) > now.mono:
            return False
        return state.ledger.earliest(entry.project, model, need.tokens, now).at <= now.mono

    def _could_upload(self, entry: Entry) -> bool:
        """An upload may start: nobody else uploads, a project with room to spare holds nothing ready for its models."""
        state, now = self.scheduler.state, self.now
        need = entry.unsent()
        if need is None or state.busy[Step.UPLOAD] >= state.uploads(entry.size_bytes):
            return False
        if state.network.earliest(now.mono) > now.mono:
            return False
        for project in state.pool.projects():
            usd = 0.0 if state.is_free(project) else need.usd
            free = state.board.bound[project, entry.models] == 0
            affordable = state.money.hit(entry.batch, usd, now) is None
            slot = state.ledger.earliest(project, entry.models[0], need.tokens, now)
            soon = slot.at - now.mono <= SOON_S
            if free and affordable and soon and entry.models[0] not in state.dead_models:
                return True
        return False

    def check_quota(self, accounts: Sequence[Account]) -> None:
        """No minute and no Pacific day saw more than the stated limits."""
        stated = {(a.project, model): limits for a in accounts for model, limits in a.limits.items()}
        for (project, model), limits in stated.items():
            mine = [(at, s) for at, _, s in self.sends if (s.project, s.model) == (project, model)]
            if limits.rpm is not None:
                for start, _ in mine:
                    assert sum(1 for at, _ in mine if start <= at < start + MINUTE_S) <= limits.rpm
            if limits.tpm is not None:
                sizes = [
                    (at, self.tokens_of(s)) for at, _, s in self.charged if (s.project, s.model) == (project, model)
                ]
                for start, _ in sizes:
                    assert sum(size for at, size in sizes if start <= at < start + MINUTE_S) <= limits.tpm
            if limits.rpd is not None:
                days: dict[str, int] = defaultdict(int)
                for _, wall, s in self.charged:
                    if (s.project, s.model) == (project, model):
                        days[pacific_day(wall)] += 1
                assert max(days.values(), default=0) <= limits.rpd

    def tokens_of(self, action: SendRequest) -> int:
        """What the service counts for a request: here the estimate is exact."""
        return self.segments(action.job)[action.segment].tokens

    def check_end(self, jobs: Sequence[str]) -> None:
        """Every job has ended or waits for something that is said; nothing is left over in the books."""
        state = self.scheduler.state
        assert self.plan is not None
        left = [job for job in jobs if not self.moves[job].state.final]
        if left:
            assert self.plan.stillness is not None
            assert self.plan.stillness.kind == "blocked"
            assert self.plan.stillness.code in ("NO_ACCOUNT", "KEYS_DEAD", "CAP", "NO_MODEL")
        assert not state.flights
        assert not self.out
        assert sum(state.busy.values()) == 0
        assert not any(state.out_on.values())
        assert not any(state.pool.in_flight(a.name) for a in state.pool.all())
        assert state.money.run_reserved < 1e-9
        if not left:
            assert state.pending == 0
            assert not any(state.board.bound.values())
            assert not any(state.board.ahead.values())
        for job in jobs:
            move = self.moves[job]
            assert move.attempts <= self.excuses[job] + self.finishes[job]
            if move.state is JobState.DONE:
                assert {s.segment for _, _, s in self.sends if s.job == job} >= {0}
