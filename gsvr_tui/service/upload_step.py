"""Bring a job's file to a project and wait until it is ACTIVE. One upload per file and project, however many jobs."""

from __future__ import annotations

import asyncio
import os
from collections import defaultdict
from dataclasses import replace
from functools import partial
from pathlib import Path

from gsvr_tui.core.failure import Failure, FailureKind, Scope
from gsvr_tui.core.models import Account, Job, RemoteFile, Step
from gsvr_tui.core.scheduling import StepFailed, Uploaded
from gsvr_tui.gemini.errors import GeminiFailure
from gsvr_tui.media.problem import MediaProblem
from gsvr_tui.service.context import Context
from gsvr_tui.service.upload_sessions import UploadSessions
from gsvr_tui.service.waiting import SOURCE_MISSING

MOST_PROCESSING_S = 900.0


class UploadStep:
    """See the module."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._locks: dict[tuple[str, str], asyncio.Lock] = defaultdict(asyncio.Lock)
        self._sessions = UploadSessions(context.desk.store, context.clock)

    async def run(self, job_id: str, account: Account) -> Uploaded | StepFailed:
        """The step for one job on one account."""
        context = self._context
        job = context.desk.store.job(job_id)
        try:
            async with self._locks[account.project, job.content_hash]:
                known = context.files.known(account.project, job.content_hash)
                if known is not None and known.active:
                    return Uploaded(job_id)
                started = context.clock.now().mono
                file = known or await self._upload(job, account)
                await self._wait_active(job, account, file)
                return Uploaded(job_id, context.clock.now().mono - started if known is None else 0.0)
        except GeminiFailure as problem:
            if problem.failure.code == SOURCE_MISSING:
                return self._waits(job)
            context.desk.note(job_id, f"upload: {problem.failure.message}", "warning")
            return StepFailed(job_id, Step.UPLOAD, problem.failure)
        except MediaProblem as problem:
            if problem.code == "MISSING":
                return self._waits(job)
            return StepFailed(
                job_id,
                Step.UPLOAD,
                Failure(FailureKind.ITEM, Scope.ITEM, problem.code, problem.message, problem.advice),
            )

    def _waits(self, job: Job) -> StepFailed:
        """For its video to come back."""
        context = self._context
        return StepFailed(job.id, Step.UPLOAD, context.patience.missing(job, context.desk.batch_of(job)))

    async def _upload(self, job: Job, account: Account) -> RemoteFile:
        context = self._context
        if job.probe is None:
            raise AssertionError(f"upload before probe: {job.id}")
        path = Path(job.path)
        self._check_unchanged(job, path)
        source, made = path, None
        if job.probe.needs_remux:
            context.desk.note(job.id, f"copying the streams from {job.probe.container} into mp4")
            made = context.scratch / f"{job.content_hash[:32]}.mp4"
            await context.in_thread(context.media.remux, path, made)
            source = made
        context.patience.found(job, context.desk.batch_of(job))
        context.patience.forget(job.id)
        # a file that is made anew for every upload may differ: only the original's own bytes are gone on with
        begun = self._sessions.find(account.project, job) if made is None else ""
        again = " (an earlier upload is gone on with)" if begun else ""
        context.desk.note(job.id, f"upload to project {account.project}{again}")
        loop = asyncio.get_running_loop()

        def progress(done: int, total: int) -> None:
            share = done / total if total else 1.0
            loop.call_soon_threadsafe(context.desk.progress, job.id, share)

        try:
            async with context.gateways.use(account) as gateway:
                file = await gateway.upload(
                    source,
                    mime_type=job.probe.mime_type,
                    display_name=job.id,
                    content_hash=job.content_hash,
                    progress=progress,
                    resume=begun,
                    on_session=None if made is not None else partial(self._sessions.keep, account.project, job),
                )
        finally:
            if made is not None:
                await context.in_thread(_remove, made)
        await context.files.put(file)
        self._sessions.forget(account.project, job.content_hash)
        context.on_upload(account, file)
        return file

    @staticmethod
    def _check_unchanged(job: Job, path: Path) -> None:
        try:
            status = os.stat(path)  # noqa: PTH116 - names that are not UTF-8
        except OSError as error:
            raise MediaProblem("MISSING", "the file is not there any more", "put it back, then retry") from error
        if job.probe and (status.st_size, status.st_mtime_ns) != (job.probe.size_bytes, job.probe.mtime_ns):
            raise MediaProblem("SOURCE_CHANGED", "the file changed after it was looked into", "retry the job")

    async def _wait_active(self, job: Job, account: Account, file: RemoteFile) -> None:
        context = self._context
        if not file.active:
            context.desk.patch(job.id, step=Step.PROCESS)
            async with context.gateways.use(account) as gateway:
                file = await gateway.wait_active(file, deadline_s=MOST_PROCESSING_S)
        await context.files.put(replace(file, active=True))


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
