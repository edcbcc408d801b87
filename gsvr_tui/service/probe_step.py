"""Look into a job's file, hash it, and plan its requests. Work that was paid for already is recognised here."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from gsvr_tui.core.failure import Failure, FailureKind, Scope
from gsvr_tui.core.models import Job, ProbeFacts, RequestState, Segment, Step
from gsvr_tui.core.planner import estimate, plan_job
from gsvr_tui.core.scheduling import Probed, SegmentNeed, StepFailed
from gsvr_tui.media.hashing import content_hash
from gsvr_tui.media.problem import MediaProblem
from gsvr_tui.service.capability import model_problem
from gsvr_tui.service.context import Context
from gsvr_tui.service.prompts import prompt_for, work_key
from gsvr_tui.service.spare_answers import adopt_spare
from gsvr_tui.service.waiting import LOOKS_WHOLE_TOO_SOON
from gsvr_tui.store.status import Durability


class ProbeStep:
    """See the module."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def run(self, job_id: str) -> Probed | StepFailed:
        """The step for one job."""
        context = self._context
        job = context.desk.store.job(job_id)
        path = Path(job.path)
        try:
            facts = await context.in_thread(context.media.probe, path)
            growing = facts.container in LOOKS_WHOLE_TOO_SOON and self._growing(job)
            if growing:
                return StepFailed(job_id, Step.PROBE, growing)
            digest = job.content_hash
            if not digest or not _same_file(job.probe, facts):
                digest = await context.in_thread(content_hash, path)
        except MediaProblem as problem:
            return self._failed(job, problem)
        context.patience.found(job, context.desk.batch_of(job))
        context.patience.forget(job_id)
        model = context.desk.batch_of(job).model
        wall = context.clock.now().wall
        job = replace(job, probe=facts, content_hash=digest, size_bytes=facts.size_bytes)
        listed = context.catalogue.get(model) is not None
        unable = model_problem(context.catalogue.resolve(model, wall), context.catalogue, wall) if listed else None
        if unable is not None:  # it may have been shut down since the batch was made
            return StepFailed(job_id, Step.PROBE, Failure(FailureKind.ITEM, Scope.MODEL, "MODEL_UNFIT", *unable))
        planned = plan_job(facts, model, context.catalogue, wall, tokens_per_minute=context.tokens_per_minute(model))
        if isinstance(planned, Failure):
            return StepFailed(job_id, Step.PROBE, planned)
        count = len(planned.ranges)
        segments = []
        for item in planned.ranges:
            segment = Segment(job_id, item.index, item.start_s, item.end_s, whole=count == 1)
            segment = self._recognise(job, segment, model, count)
            if segment.request_state is not RequestState.ANSWERED:
                segment = await context.in_thread(adopt_spare, context.desk.store, segment)
            segments.append(segment)
        transaction = context.desk.store.begin()
        context.desk.patch(job_id, transaction, probe=facts, content_hash=digest, size_bytes=facts.size_bytes)
        transaction.delete_segments(job_id)
        for segment in segments:
            transaction.put_segment(segment)
        transaction.commit(Durability.SOON)  # not waited for: what is lost is looked up again
        context.desk.note(job_id, f"looked into: {facts.duration_s:.0f} s, {count} request(s)")
        return Probed(
            job_id,
            facts.size_bytes,
            needs_of(context, job, tuple(segments)),
            file_projects(context, digest),
        )

    def _recognise(self, job: Job, segment: Segment, model: str, count: int) -> Segment:
        """Take over the answer of the same work, if there is one."""
        context = self._context
        batch = context.desk.batch_of(job)
        _, prompt = prompt_for(context.templates, batch, job, segment.start_s, segment.end_s, segment.index, count)
        return adopt(context, replace(segment, work_key=work_key(job, segment, model, prompt)))

    def _growing(self, job: Job) -> Failure | None:
        return self._context.patience.growing(job.id, job.path, time.time())  # by the clock that files are stamped with

    def _failed(self, job: Job, problem: MediaProblem) -> StepFailed:
        """What can pass is waited for; what can't fails the job."""
        patience = self._context.patience
        failure: Failure | None = None
        if problem.code == "MISSING":
            failure = patience.missing(job, self._context.desk.batch_of(job))
        elif problem.code == "SOURCE_CHANGED":
            failure = patience.changing(job.id)
        elif problem.code in ("TRUNCATED", "EMPTY", "NOT_A_VIDEO"):
            failure = self._growing(job)
        elif problem.code == "NO_HELPER":
            patience.say_once(f"{problem.message}. {problem.advice}")
            failure = Failure(FailureKind.RETRY, Scope.ITEM, problem.code, problem.message, problem.advice)
        if failure is None:
            failure = Failure(FailureKind.ITEM, Scope.ITEM, problem.code, problem.message, problem.advice)
        return StepFailed(job.id, Step.PROBE, failure)


def adopt(context: Context, segment: Segment) -> Segment:
    """The segment with the stored answer of the same work, or unchanged. Costs nothing: it was paid for then."""
    same = context.desk.store.segment_by_work_key(segment.work_key)
    if same is None or not context.desk.store.answers.has(same.request_id):
        return segment
    return replace(
        segment,
        request_id=same.request_id,
        request_state=RequestState.ANSWERED,
        account=same.account,
        project=same.project,
        model=same.model,
        usage=same.usage,
        cost_usd=0.0,
        sent_at=same.sent_at,
    )


def needs_of(context: Context, job: Job, segments: tuple[Segment, ...]) -> tuple[SegmentNeed, ...]:
    """What the scheduler must know of a job's segments."""
    if job.probe is None:
        return ()
    model = context.desk.batch_of(job).model
    wall = context.clock.now().wall
    needs = []
    for segment in segments:
        item = estimate(job.probe, segment.index, segment.start_s, segment.end_s, model, context.catalogue, wall)
        answered = segment.request_state is RequestState.ANSWERED
        needs.append(SegmentNeed(segment.index, item.tokens_in, item.usd, answered))
    return tuple(needs)


def file_projects(context: Context, content_hash: str) -> frozenset[str]:
    """Projects that hold an ACTIVE copy of a file that will last for a while."""
    return context.files.projects(content_hash)


def _same_file(before: ProbeFacts | None, after: ProbeFacts) -> bool:
    return before is not None and (before.size_bytes, before.mtime_ns, before.inode) == (
        after.size_bytes,
        after.mtime_ns,
        after.inode,
    )
