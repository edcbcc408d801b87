"""What the detail screen of one job shows: made for the watched job only, and only when something about it changed."""

from __future__ import annotations

import asyncio
from pathlib import Path

from gsvr_tui.core.messages import JobDetail
from gsvr_tui.core.models import Job, RequestState, Segment
from gsvr_tui.core.text import format_bytes, format_time
from gsvr_tui.gemini.answers import answer_from_raw
from gsvr_tui.report.document import DocumentProblem, report_from_json
from gsvr_tui.service.context import Context
from gsvr_tui.service.outbox import Outbox
from gsvr_tui.service.rows import job_row
from gsvr_tui.store.errors import StoreError

MOST_TEXT = 200_000
MOST_LIVE = 60_000


class DetailDesk:
    """Watches at most one job."""

    def __init__(self, context: Context, outbox: Outbox) -> None:
        self._context = context
        self._outbox = outbox
        self._watched = ""
        self._live: dict[str, str] = {}  # text of requests that are out
        self._making: asyncio.Task[None] | None = None

    def watch(self, job_id: str) -> None:
        """Follow this job; an empty id ends it."""
        self._watched = job_id
        if job_id:
            self._context.desk.changed.add(job_id)
            self.publish()

    def text(self, job_id: str, piece: str) -> None:
        """A piece of an answer arrived."""
        self._live[job_id] = (self._live.get(job_id, "") + piece)[-MOST_LIVE:]
        if job_id == self._watched:
            self._context.desk.changed.add(job_id)

    def text_ended(self, job_id: str) -> None:
        """The request is over; from now on the stored answer is shown."""
        self._live.pop(job_id, None)

    def publish(self) -> None:
        """Tell the watched job's detail if it changed since the last time."""
        changed = self._context.desk.changed
        wanted = self._watched in changed
        busy = self._making is not None and not self._making.done()
        if not wanted or busy:
            if not self._watched:
                changed.clear()
            return
        changed.clear()
        self._making = asyncio.create_task(self._make(self._watched))

    async def _make(self, job_id: str) -> None:
        desk = self._context.desk
        try:
            job = desk.store.job(job_id)
        except KeyError:
            return
        answer = self._live.get(job_id, "")
        if not answer:
            answer = await self._context.in_thread(self._answers, job)
        report, findings = await self._context.in_thread(_report_of, job)
        self._outbox.put(
            JobDetail(
                row=job_row(job, desk.progress_of(job_id)),
                path=job.path,
                facts=self._facts(job),
                timeline=desk.timeline(job_id),
                findings=findings,
                answer=answer,
                report=report,
                outputs=job.outputs,
                tokens_in=job.tokens_in,
                tokens_out=job.tokens_out,
            )
        )

    def _answers(self, job: Job) -> str:
        store = self._context.desk.store
        answered = [s for s in store.segments(job.id) if s.request_state is RequestState.ANSWERED]
        return "\n\n".join(map(self._answer, answered))[:MOST_TEXT]

    def _answer(self, segment: Segment) -> str:
        try:
            return answer_from_raw(self._context.desk.store.answers.read(segment.request_id).text).text
        except KeyError:
            return "(the stored answer is not there any more)"
        except (ValueError, StoreError):
            return "(the stored answer can't be read)"

    def _facts(self, job: Job) -> tuple[tuple[str, str], ...]:
        probe = job.probe
        facts = [("batch", self._context.desk.batch_of(job).name), ("size", format_bytes(job.size_bytes))]
        if probe is not None:
            facts += [
                ("length", format_time(probe.duration_s)),
                ("picture", f"{probe.width}×{probe.height} {probe.video_codec} {probe.fps:.3g} fps"),
                ("sound", probe.audio_codec or "none"),
            ]
        return tuple(facts)


def _report_of(job: Job) -> tuple[str, tuple[tuple[str, str, str], ...]]:
    """The Markdown report and the gate's findings, from the files that were written."""
    markdown = ""
    findings: tuple[tuple[str, str, str], ...] = ()
    for name in job.outputs:
        path = Path(name)
        try:
            if path.suffix == ".md" and not markdown:
                markdown = path.read_text("utf-8", "replace")[:MOST_TEXT]
            elif path.suffix == ".json" and not findings:
                report = report_from_json(path.read_text("utf-8", "replace"))
                findings = tuple((f.check, f.level, f.message) for f in report.gate.findings)
        except (OSError, DocumentProblem):
            continue
    return markdown, findings
