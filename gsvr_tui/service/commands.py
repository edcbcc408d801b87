"""Carries out commands: jobs here, adding videos in `adding`, keys and accounts in `account_desk`."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gsvr_tui.core.messages import (
    AddAccount,
    AddJobs,
    CancelJobs,
    CheckAccount,
    CheckKey,
    Command,
    CommandDone,
    CommandRefused,
    EnableAccount,
    HoldJobs,
    Pause,
    PlanJobs,
    ReleaseJobs,
    RemoveAccount,
    ReplaceKey,
    Resume,
    RetryJobs,
    SetPriority,
    SetWorkers,
    WatchJob,
)
from gsvr_tui.core.models import Job, JobState, RequestState
from gsvr_tui.core.scheduling import (
    Event,
    JobsCancelled,
    JobsHeld,
    JobsReleased,
    PauseSet,
    PrioritySet,
    WorkersSet,
)
from gsvr_tui.service.account_desk import AccountDesk
from gsvr_tui.service.adding import AddingDesk
from gsvr_tui.service.plan_desk import PlanDesk

if TYPE_CHECKING:
    from gsvr_tui.service.engine import Engine

log = logging.getLogger("gsvr_tui.service")

ASK_AGAIN = frozenset({"REJECTED"})
"""Failures that a retry answers by asking the model anew, although an answer is stored."""


class CommandDesk:
    """One handler per command. Quick ones are done at once; slow ones become errands."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._accounts = AccountDesk(engine)
        self._adding = AddingDesk(engine)
        self._handlers: dict[type[object], Callable[[Any], None]] = {
            AddJobs: lambda c: engine.errand(self._adding.add(c), c.id),
            Pause: self._pause,
            Resume: self._resume,
            HoldJobs: self._hold,
            ReleaseJobs: self._release,
            CancelJobs: self._cancel,
            RetryJobs: self._retry,
            SetPriority: self._priority,
            SetWorkers: self._workers,
            CheckKey: lambda c: engine.errand(self._accounts.check_key(c), c.id),
            AddAccount: lambda c: engine.errand(self._accounts.add(c), c.id),
            ReplaceKey: lambda c: engine.errand(self._accounts.replace(c), c.id),
            RemoveAccount: lambda c: engine.errand(self._accounts.remove(c), c.id),
            EnableAccount: lambda c: engine.errand(self._accounts.enable(c), c.id),
            PlanJobs: lambda c: engine.errand(PlanDesk(engine).plan(c), c.id),
            CheckAccount: lambda c: engine.errand(self._accounts.check(c), c.id),
            WatchJob: self._watch,
        }

    def handle(self, command: Command) -> None:
        """Carry a command out; the answer goes to the outbox."""
        if self._engine.stopping:
            self._engine.outbox.put(CommandRefused(command.id, "the service is stopping"))
            return
        try:
            self._handlers[type(command)](command)
        except Exception:  # the boundary of a command: a fault of ours must not end the service
            log.exception("command %s failed", type(command).__name__)
            self._engine.outbox.put(CommandRefused(command.id, "a fault inside gsvr-tui", "the log has the details"))

    def _done(self, command_id: str, message: str, count: int = 0) -> None:
        self._engine.outbox.put(CommandDone(command_id, message, count))

    def _jobs(self, ids: Iterable[str], wanted: Callable[[Job], bool]) -> list[Job]:
        store = self._engine.desk.store
        found = []
        for job_id in ids:
            try:
                job = store.job(job_id)
            except KeyError:
                continue
            if wanted(job):
                found.append(job)
        return found

    def _apply(self, command_id: str, jobs: list[Job], event: Event, verb: str) -> None:
        if not jobs:
            self._engine.outbox.put(CommandRefused(command_id, f"none of these jobs can be {verb} now"))
            return
        self._engine.feed(event)
        self._done(command_id, f"{len(jobs)} {verb}", len(jobs))

    # ---------------------------------------------------------------- the whole queue

    def _pause(self, command: Pause) -> None:
        self._engine.feed(PauseSet(True))
        if command.now:
            self._engine.cut_requests()
        self._done(command.id, "paused" if command.now else "pausing")

    def _resume(self, command: Resume) -> None:
        self._engine.feed(PauseSet(False))
        self._done(command.id, "resumed")

    def _workers(self, command: SetWorkers) -> None:
        self._engine.feed(WorkersSet(command.workers))
        self._done(command.id, f"workers: {command.workers or 'auto'}")

    # ---------------------------------------------------------------- jobs

    def _hold(self, command: HoldJobs) -> None:
        jobs = self._jobs(command.jobs, lambda j: not j.state.final and j.state is not JobState.HELD)
        self._apply(command.id, jobs, JobsHeld(tuple(j.id for j in jobs)), "held")

    def _release(self, command: ReleaseJobs) -> None:
        jobs = self._jobs(command.jobs, lambda j: j.state is JobState.HELD or not j.state.final)
        self._apply(command.id, jobs, JobsReleased(tuple(j.id for j in jobs)), "released")

    def _cancel(self, command: CancelJobs) -> None:
        jobs = self._jobs(command.jobs, lambda j: not j.state.final)
        self._apply(command.id, jobs, JobsCancelled(tuple(j.id for j in jobs)), "cancelled")

    def _priority(self, command: SetPriority) -> None:
        jobs = self._jobs(command.jobs, lambda j: not j.state.final)
        self._apply(command.id, jobs, PrioritySet(tuple(j.id for j in jobs), command.priority), "moved")

    def _retry(self, command: RetryJobs) -> None:
        engine = self._engine
        waiting = self._jobs(command.jobs, lambda j: j.state is JobState.WAITING and not engine.is_ending(j.id))
        for job in waiting:  # it was to look again later by itself
            engine.context.patience.forget(job.id)
            engine.feed(engine.restorer.arrival(replace(job, state=JobState.QUEUED, reason=None), announce=True))
        jobs = self._jobs(command.jobs, lambda j: j.state.final and not engine.is_ending(j.id))
        if waiting and not jobs:
            self._done(command.id, f"{len(waiting)} looked at again", len(waiting))
            return
        if not jobs:
            engine.outbox.put(CommandRefused(command.id, "none of these jobs has ended, so none can be retried"))
            return
        for job in jobs:
            self.retry(job)
        self._done(command.id, f"{len(jobs)} queued again", len(jobs))

    def retry(self, job: Job) -> None:
        """Queue a job that has ended. What is paid for and good is not asked again."""
        engine = self._engine
        answered = job.reason is not None and job.reason.code in ASK_AGAIN
        redo = job.state in (JobState.DONE, JobState.PARTIAL)
        if answered or redo:
            engine.forget_answers(job.id)
        if job.reason is not None and job.reason.code == "SOURCE_CHANGED":
            job = engine.desk.patch(job.id, probe=None, content_hash="")
        segments = engine.desk.store.segments(job.id)
        if job.probe is not None and not any(s.request_state is RequestState.ANSWERED for s in segments):
            job = engine.desk.patch(job.id, probe=None)  # look into it again: limits, model or file may differ
        job = engine.desk.patch(job.id, attempts=0, reason=None)
        engine.feed(engine.restorer.arrival(job, announce=True))

    def _watch(self, command: WatchJob) -> None:
        self._engine.detail.watch(command.job)
        self._done(command.id, "")
