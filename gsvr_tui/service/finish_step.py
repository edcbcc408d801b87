"""From stored answers to a checked report on disk. Asks nobody anything, so it can be done again at no cost."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from gsvr_tui.core.failure import Failure, FailureKind, Scope
from gsvr_tui.core.models import Batch, Job, Reason, RequestState, Segment, Step, Usage, Verdict
from gsvr_tui.core.scheduling import Finished, StepFailed
from gsvr_tui.core.text import clean_text
from gsvr_tui.gemini.answers import answer_from_raw
from gsvr_tui.media.problem import MediaProblem
from gsvr_tui.report.assemble import PartAnswer, build_report, judge_parts
from gsvr_tui.report.document import Provenance, Report, SourceFile, iso_time
from gsvr_tui.report.findings import GateResult, Level
from gsvr_tui.report.formats.extras import Picture
from gsvr_tui.report.formats.pick import picture_times
from gsvr_tui.report.formats.table import FORMATS, without_suffix
from gsvr_tui.report.output import OutputPlan, OutputProblem, WrittenFiles, place_key, plan_outputs, write_outputs
from gsvr_tui.report.template_model import Template
from gsvr_tui.report.templates import UnknownTemplate
from gsvr_tui.service.context import Context
from gsvr_tui.service.prompts import prompt_for
from gsvr_tui.service.waiting import OUTPUT_WAITS
from gsvr_tui.store.errors import StoreError
from gsvr_tui.store.repository import Store
from gsvr_tui.store.status import Durability

log = logging.getLogger("gsvr_tui.service")


@dataclass(frozen=True, slots=True)
class Rendered:
    """A job's report on disk, or why there is none (`files` None)."""

    gate: GateResult
    files: WrittenFiles | None


def kept_outputs(job: Job, files: WrittenFiles) -> dict[str, object]:
    """Outputs of a job and their hashes as fields of it: those written now, then those of other formats or names."""
    before = dict(zip(job.outputs, job.output_hashes.split(), strict=False))
    known = files.hashes | {path: digest for path, digest in before.items() if path not in files.hashes}
    return {"outputs": tuple(known), "output_hashes": " ".join(known.values())}


class Places:
    """Which job has which place in an output folder. Thread-safe; learned from the store when first asked."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._owners: dict[tuple[str, str], str] | None = None

    def claim(self, job: Job, output_dir: str, formats: Sequence[str], beside: Sequence[str] = ()) -> OutputPlan:
        """The plan of a job's files; their place is the job's from now on."""
        with self._lock:
            if self._owners is None:
                self._owners = self._learn()
            owners = self._owners

            def taken(key: str) -> bool:
                return owners.get((output_dir, key), job.id) != job.id

            plan = plan_outputs(Path(output_dir), job.name or Path(job.path).name, job.id, formats, taken, beside)
            owners[output_dir, plan.key] = job.id
            return plan

    def _learn(self) -> dict[tuple[str, str], str]:
        roots = {batch.id: batch.output_dir for batch in self._store.batches()}
        owners = {}
        for job in self._store.jobs():
            root = roots.get(job.batch_id)
            for output in job.outputs:
                if root is not None and Path(output).is_relative_to(root):
                    below = PurePosixPath(Path(output).relative_to(root).as_posix())
                    owners[root, place_key(below.parent, without_suffix(below.name))] = job.id
        return owners


class FinishStep:
    """See the module."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._places = Places(context.desk.store)

    async def run(self, job_id: str) -> Finished | StepFailed:
        """The step for one job."""
        context = self._context
        job = context.desk.store.job(job_id)
        batch = context.desk.batch_of(job)
        try:
            # the folder was made with the batch: if it is gone, so may be its drive; nothing is put in its place
            rendered = await context.in_thread(self.render, job, batch, create_root=False)
        except OutputProblem as problem:
            code = f"OUTPUT_{problem.code}"
            if problem.code in OUTPUT_WAITS:
                message = f"report not written: {problem.message}"
                advice = f"{problem.advice} The answer is kept, and it is tried again by itself."
                return StepFailed(job_id, Step.CHECK, context.patience.wait(job_id, code, message, advice))
            return self._failed(job_id, code, problem.message, f"{problem.advice} The answer is kept; r writes it.")
        except (UnknownTemplate, StoreError) as problem:
            advice = problem.advice if isinstance(problem, StoreError) else "put the template back, then retry"
            return self._failed(job_id, "NO_REPORT", str(problem), advice)
        context.patience.forget(job_id)
        gate = rendered.gate
        if rendered.files is None:
            context.desk.note(job_id, f"report rejected: {_worst(gate)}", "warning")
            advice = "r asks again; a shorter video, another template or model may do better"
            return Finished(job_id, Verdict.REJECTED, Reason("REJECTED", _worst(gate), advice))
        transaction = context.desk.store.begin()
        context.desk.patch(
            job_id,
            transaction,
            **kept_outputs(job, rendered.files),
        )
        await transaction.commit(Durability.DURABLE)
        for note in rendered.files.notes:
            context.desk.note(job_id, note, "warning")
        context.desk.note(job_id, f"report written: {gate.verdict}")
        reason = Reason("PARTIAL", _worst(gate), "r asks again") if gate.verdict is Verdict.PARTIAL else None
        return Finished(job_id, gate.verdict, reason)

    @staticmethod
    def _failed(job_id: str, code: str, message: str, advice: str) -> StepFailed:
        return StepFailed(job_id, Step.CHECK, Failure(FailureKind.ITEM, Scope.ITEM, code, message, advice))

    def render(
        self,
        job: Job,
        batch: Batch,
        *,
        output_dir: str = "",
        formats: Sequence[str] = (),
        create_root: bool = True,
    ) -> Rendered:
        """Judge the stored answers of a job and write its report; blocking. Raises OutputProblem, UnknownTemplate.

        `output_dir` and `formats` replace the batch's own.
        """
        gate, report = self.document(job, batch)
        if report is None:
            return Rendered(gate, None)
        beside = () if output_dir else batch.formats
        plan = self._places.claim(job, output_dir or batch.output_dir, formats or batch.formats, beside)
        plan = self._where_it_was(job, plan) if not output_dir else plan
        known = dict(zip(job.outputs, job.output_hashes.split(), strict=False))
        pictures = self._pictures(job, report) if any(FORMATS[fmt].pictures for fmt in plan.formats) else {}
        return Rendered(gate, write_outputs(report, plan, known, create_root=create_root, pictures=pictures))

    def document(self, job: Job, batch: Batch) -> tuple[GateResult, Report | None]:
        """The gate's word on the stored answers, and the report of them; None when they are rejected. Blocking.

        Raises UnknownTemplate.
        """
        context = self._context
        if job.probe is None:
            raise AssertionError(f"report before probe: {job.id}")
        template = context.templates.get(batch.template)
        segments = context.desk.store.segments(job.id)
        parts, answered_at, version = self._parts(job, segments)
        judged = judge_parts(parts, template, job.probe.duration_s, batch.language, has_audio=job.probe.has_audio)
        gate = judged.gate
        if gate.verdict is Verdict.REJECTED or gate.cleaned is None:
            return gate, None
        report = build_report(
            job.id,
            gate,
            template,
            self._source(job),
            self._provenance(job, batch, template, segments, answered_at, version),
            batch.language,
        )
        return gate, report

    def _pictures(self, job: Job, report: Report) -> dict[str, Picture]:
        """Key frames for the entries of a report; fewer or none when the video is gone or damaged."""
        wanted = picture_times(report)
        if not wanted:
            return {}
        try:
            frames = self._context.media.frames(Path(job.path), tuple(wanted.values()))
        except MediaProblem as problem:
            if problem.code == "CANCELLED":  # a page without its pictures must not be left by a stop on the way
                raise OutputProblem("FAILED", "the service is stopping") from None
            log.info("no pictures of %s: %s", clean_text(job.name), problem.message)
            return {}
        taken = {frame.asked_s: Picture(frame.at_s, frame.data, frame.width, frame.height) for frame in frames}
        return {item: taken[at] for item, at in wanted.items() if at in taken}

    @staticmethod
    def _where_it_was(job: Job, plan: OutputPlan) -> OutputPlan:
        """A report that was written keeps its name, whatever other jobs have come since."""
        for output in job.outputs:
            path = Path(output)
            same_folder = path.parent == plan.root.joinpath(*plan.folder.parts)
            stem = without_suffix(path.name)
            if same_folder and stem != path.name and not stem.endswith(")"):
                return replace(plan, stem=stem)
        return plan

    def _parts(self, job: Job, segments: tuple[Segment, ...]) -> tuple[list[PartAnswer], float, str]:
        """The raw answers, when the last of them came, and the version of the model that gave it."""
        context = self._context
        parts = []
        latest, version = 0.0, ""
        for segment in segments:
            end = None if segment.whole else segment.end_s
            if segment.request_state is not RequestState.ANSWERED:
                parts.append(PartAnswer(None, segment.start_s, end))
                continue
            try:
                stored = context.desk.store.answers.read(segment.request_id)
                answer = answer_from_raw(stored.text)
            except (KeyError, ValueError, StoreError):
                parts.append(PartAnswer(None, segment.start_s, end))
                continue
            if stored.header.answered_at >= latest:
                latest, version = stored.header.answered_at, answer.model_version
            parts.append(
                PartAnswer(
                    answer.text,
                    segment.start_s,
                    end,
                    finish_reason=answer.finish_reason,
                    block_reason=answer.block_reason,
                    usage=answer.usage if answer.usage_known else None,
                    planned_video_tokens=self._planned(segment),
                )
            )
        return parts, latest, version

    def _planned(self, segment: Segment) -> int | None:
        if self._context.catalogue.get(segment.model) is None:
            return None
        seconds = segment.end_s - segment.start_s
        return self._context.catalogue.video_tokens(segment.model, seconds, has_audio=False)

    @staticmethod
    def _source(job: Job) -> SourceFile:
        probe = job.probe
        return SourceFile(
            name=job.name or job.path,
            path=job.path,
            duration_s=probe.duration_s if probe else 0.0,
            size_bytes=job.size_bytes,
            sha256=job.content_hash,
            video_codec=probe.video_codec if probe else "",
            audio_codec=probe.audio_codec if probe else "",
        )

    def _provenance(
        self,
        job: Job,
        batch: Batch,
        template: Template,
        segments: tuple[Segment, ...],
        answered_at: float,
        version: str,
    ) -> Provenance:
        first = segments[0]
        _, prompt = prompt_for(
            self._context.templates, batch, job, first.start_s, first.end_s, first.index, len(segments)
        )
        usages = [segment.usage or Usage() for segment in segments]
        return Provenance(
            model=next((segment.model for segment in segments if segment.model), batch.model),
            model_version=version,
            prompt_hash=prompt.hash,
            requests=len(segments),
            tokens_in=sum(usage.total_in for usage in usages),
            tokens_out=sum(usage.total_out for usage in usages),
            cost_usd=round(sum(segment.cost_usd for segment in segments), 6),
            project=next((segment.project for segment in segments if segment.project), ""),
            created_at=iso_time(answered_at),
        )


def _worst(gate: GateResult) -> str:
    """The first thing that is wrong, in words."""
    failed = [finding for finding in gate.findings if finding.level is Level.FAIL]
    if not failed:
        return "the report did not pass its checks"
    more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
    return f"{failed[0].check}: {failed[0].message}{more}"
