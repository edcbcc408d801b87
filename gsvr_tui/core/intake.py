"""What happened, taken into the scheduler's state: one handler per event."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from gsvr_tui.core.board import Entry
from gsvr_tui.core.failure_policy import FailurePolicy
from gsvr_tui.core.models import FINAL_STATES, JobState, Now, Reason, Step, Verdict
from gsvr_tui.core.money import TIER_SPEND_USD
from gsvr_tui.core.scheduler_state import SchedulerState
from gsvr_tui.core.scheduling import (
    AccountGone,
    AccountPut,
    AccountRefused,
    AccountSwitched,
    AccountVerified,
    Answered,
    Event,
    Finished,
    Interrupted,
    JobArrived,
    JobsCancelled,
    JobsHeld,
    JobsReleased,
    PauseSet,
    PrioritySet,
    Probed,
    RequestSent,
    SegmentNeed,
    StallSet,
    StepFailed,
    StopWork,
    Uploaded,
    WorkersSet,
)


class Intake:
    """See the module."""

    def __init__(self, state: SchedulerState, policy: FailurePolicy) -> None:
        self._state = state
        self._policy = policy
        self._handlers: Mapping[type[object], Callable[..., None]] = {
            JobArrived: self._on_arrived,
            Probed: self._on_probed,
            Uploaded: self._on_uploaded,
            RequestSent: self._on_sent,
            Answered: self._on_answered,
            StepFailed: self._on_failed,
            Interrupted: self._on_interrupted,
            Finished: self._on_finished,
            PauseSet: self._on_pause,
            StallSet: self._on_stall,
            JobsHeld: self._on_held,
            JobsReleased: self._on_released,
            JobsCancelled: self._on_cancelled,
            PrioritySet: self._on_priority,
            WorkersSet: self._on_workers,
            AccountPut: self._on_account_put,
            AccountGone: self._on_account_gone,
            AccountSwitched: self._on_account_switched,
            AccountVerified: self._on_account_verified,
            AccountRefused: self._on_account_refused,
        }

    def feed(self, event: Event, now: Now) -> None:
        """Take in what happened. Events about jobs that are gone only settle what they had reserved."""
        self._handlers[type(event)](event, now)

    def _on_arrived(self, event: JobArrived, now: Now) -> None:
        entry = Entry(event.job, event.batch, event.models)
        entry.priority, entry.attempts, entry.size_bytes = event.priority, event.attempts, event.size_bytes
        entry.segments, entry.file_projects, entry.reason = event.segments, event.file_projects, event.reason
        if event.state in FINAL_STATES:
            raise ValueError(f"a finished job does not arrive: {event.job}")
        entry.held = event.state is JobState.HELD
        entry.state = JobState.HELD if entry.held else JobState.QUEUED
        if event.state is JobState.WAITING and event.not_before is not None and event.not_before > now.wall:
            entry.wait_until = now.mono + event.not_before - now.wall
            entry.wait_until_wall, entry.state = event.not_before, JobState.WAITING
        if entry.segments:
            entry.step = Step.CHECK if entry.all_answered else Step.UPLOAD
        self._state.fair.join(entry.batch)
        self._state.board.add(entry, announce=event.announce)

    def _on_probed(self, event: Probed, now: Now) -> None:
        entry = self._state.ended(event.job, Step.PROBE)
        if entry is None:
            return
        entry.segments, entry.size_bytes, entry.file_projects = event.segments, event.size_bytes, event.file_projects
        entry.step = Step.CHECK if entry.all_answered else Step.UPLOAD
        self._state.board.touch(entry)

    def _on_uploaded(self, event: Uploaded, now: Now) -> None:
        entry = self._state.board.entries.get(event.job)
        if entry is not None:
            self._state.pool.ended(entry.uploader)
        if event.seconds:
            self._state.network.succeed()
        else:
            self._state.network.forget(event.job)  # the file was there: nothing went over the line
        entry = self._state.ended(event.job, Step.UPLOAD)
        if entry is None:
            return
        if event.seconds:
            self._state.balancer.learn_upload(entry.size_bytes, event.seconds)
        entry.file_projects |= {entry.project}
        entry.step = Step.GENERATE
        self._state.board.touch(entry)

    def _on_sent(self, event: RequestSent, now: Now) -> None:
        self._state.ledger.mark_sent(event.request, now)

    def _on_answered(self, event: Answered, now: Now) -> None:
        flight = self._state.landed(event.request)
        if flight is None:
            return
        self._state.money.settle(event.request, event.cost_usd)
        if event.reused:
            self._state.ledger.release(event.request, now)
            self._state.forget_probe(event.request, flight.model)
        else:
            self._state.ledger.settle(event.request, event.tokens_in, now)
            self._state.breaker(flight.model).succeed()
            self._state.network.succeed()
            self._state.pool.works(flight.account)
            self._state.balancer.learn_service(flight.model, event.seconds)
        entry = self._state.board.entries.get(event.job)
        if entry is None or entry.state.final:
            return
        entry.segments = tuple(
            SegmentNeed(n.index, n.tokens, n.usd, n.answered or n.index == flight.segment) for n in entry.segments
        )
        entry.model, entry.account, entry.trouble = flight.model, flight.account, 0
        entry.alone = 0
        if entry.all_answered:
            entry.step = Step.CHECK
        self._state.board.touch(entry)

    def _on_failed(self, event: StepFailed, now: Now) -> None:
        self._policy.failed(event, now)

    def _on_interrupted(self, event: Interrupted, now: Now) -> None:
        if event.step is Step.GENERATE:
            flight = self._state.landed(event.request)
            if flight is not None and event.sent:
                self._state.ledger.settle(event.request, None, now)
                self._state.money.settle(event.request, None)
            elif flight is not None:
                self._state.ledger.release(event.request, now)
                self._state.money.settle(event.request, 0.0)
            if flight is not None:
                self._state.forget_probe(event.request, flight.model)
            entry = self._state.board.entries.get(event.job)
        else:
            entry = self._state.board.entries.get(event.job)
            if entry is not None and event.step is Step.UPLOAD:
                self._state.pool.ended(entry.uploader)
                entry.project = ""
            self._state.forget_probe(event.job)
            entry = self._state.ended(event.job, event.step)
        if entry is not None:
            self._state.board.touch(entry)

    def _on_finished(self, event: Finished, now: Now) -> None:
        entry = self._state.ended(event.job, Step.CHECK)
        if entry is None:
            return
        entry.verdict = event.verdict
        if event.verdict is Verdict.REJECTED:
            self._policy.rejected(entry, event.reason, now)
            return
        partial = event.verdict is Verdict.PARTIAL
        self._state.board.end(entry, JobState.PARTIAL if partial else JobState.DONE, event.reason)

    def _on_pause(self, event: PauseSet, now: Now) -> None:
        self._state.paused = event.paused

    def _on_stall(self, event: StallSet, now: Now) -> None:
        self._state.stalled = event.reason

    def _on_held(self, event: JobsHeld, now: Now) -> None:
        for entry in self._named(event.jobs):
            entry.held = True
            self._state.board.touch(entry)

    def _on_released(self, event: JobsReleased, now: Now) -> None:
        for entry in self._named(event.jobs):
            if entry.held:
                entry.held = False
                self._state.board.touch(entry)

    def _on_cancelled(self, event: JobsCancelled, now: Now) -> None:
        for entry in self._named(event.jobs):
            if entry.in_flight:
                self._state.extra.append(StopWork(entry.job))
            self._state.board.end(entry, JobState.CANCELLED, Reason("CANCELLED", "cancelled", "r queues it again"))

    def _on_priority(self, event: PrioritySet, now: Now) -> None:
        for entry in self._named(event.jobs):
            entry.priority = event.priority
            self._state.board.touch(entry)

    def _on_workers(self, event: WorkersSet, now: Now) -> None:
        self._state.workers_set = max(0, event.workers)

    def _on_account_put(self, event: AccountPut, now: Now) -> None:
        account = event.account
        self._state.pool.put(account)
        self._state.ledger.end_rest(account.project, now)
        for model, limits in {**event.tier_limits, **account.limits}.items():
            self._state.ledger.set_limits(account.project, model, limits, now)
        if account.tier in TIER_SPEND_USD:
            self._state.money.caps.spend[account.project] = TIER_SPEND_USD[account.tier]
        self._state.dead_models.clear()

    def _on_account_gone(self, event: AccountGone, now: Now) -> None:
        self._state.pool.remove(event.name)

    def _on_account_switched(self, event: AccountSwitched, now: Now) -> None:
        if self._state.pool.get(event.name) is not None:
            self._state.pool.enable(event.name, event.enabled)

    def _on_account_verified(self, event: AccountVerified, now: Now) -> None:
        account = self._state.pool.get(event.name)
        if account is not None:
            self._state.pool.revive(event.name)
            self._state.ledger.end_rest(account.project, now)
            self._state.dead_models.clear()

    def _on_account_refused(self, event: AccountRefused, now: Now) -> None:
        self._policy.account_refused(event.name, event.failure)

    def _named(self, jobs: Iterable[str]) -> list[Entry]:
        found = (self._state.board.entries.get(job) for job in jobs)
        return [entry for entry in found if entry is not None and not entry.state.final]
