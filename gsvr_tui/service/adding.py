"""Adding videos: find them, refuse what can't work before anything is spent, make the batch durable, queue its jobs."""

from __future__ import annotations

import logging
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gsvr_tui.core.catalogue import CatalogueError, UnknownModel
from gsvr_tui.core.ids import IdMaker
from gsvr_tui.core.messages import AddJobs, BatchAdded, CommandDone, CommandRefused
from gsvr_tui.core.models import Batch, Job
from gsvr_tui.core.text import clean_text
from gsvr_tui.media.files import Found, find_videos
from gsvr_tui.report.template_model import ParameterProblem, check_parameters
from gsvr_tui.report.templates import UnknownTemplate
from gsvr_tui.service.capability import model_problem
from gsvr_tui.service.rows import batch_row, job_row
from gsvr_tui.store.status import Durability

if TYPE_CHECKING:
    from gsvr_tui.service.engine import Engine

log = logging.getLogger("gsvr_tui.service.adding")

MOST_SKIPS_LOGGED = 200


class AddProblem(Exception):
    """A batch can't be made: what is wrong and what to do."""

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice


@dataclass(frozen=True, slots=True)
class Added:
    """What came of adding. `known`: videos that are in the queue already, and the batches they are in."""

    batch: Batch | None
    jobs: int
    skipped: int
    known: int
    known_batches: tuple[str, ...]
    words: str


class AddingDesk:
    """See the module."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._ids = IdMaker(engine.parts.random)

    async def add(self, command: AddJobs) -> None:
        """The AddJobs command."""
        try:
            added = await self._add(command)
        except AddProblem as problem:
            self._engine.outbox.put(CommandRefused(command.id, problem.message, problem.advice))
            return
        batch_id = added.batch.id if added.batch else ",".join(added.known_batches)
        self._engine.outbox.put(CommandDone(command.id, added.words, added.jobs, batch_id))

    async def _add(self, command: AddJobs) -> Added:
        batch = self._batch(command)
        context = self._engine.context
        found = await context.in_thread(find_videos, [Path(path) for path in command.paths])
        self._log_skips(found)
        if not found.videos:
            raise AddProblem(*self._nothing(found))
        problem = await context.in_thread(output_problem, Path(batch.output_dir))
        if problem:
            raise AddProblem(problem, "choose another output folder: -o DIR, or output.directory in the config")
        known = await context.in_thread(self._known, batch)
        now = context.clock.now()
        jobs = []
        known_count = 0
        known_batches: dict[str, None] = {}
        for video in found.videos:
            path = str(video.path)
            if path in known:
                known_count += 1
                known_batches[known[path]] = None
                continue
            jobs.append(
                Job(
                    id=self._ids.next(now.wall),
                    batch_id=batch.id,
                    path=path,
                    created_at=now.wall,
                    name=video.name,
                    size_bytes=video.size_bytes,
                )
            )
        if not jobs:
            words = f"all {known_count} video(s) are in the queue already"
            self._adopt_batches(known_batches)
            return Added(None, 0, len(found.skipped), known_count, tuple(known_batches), words)
        await self._keep(batch, jobs)
        words = f"{len(jobs)} video(s) added"
        if known_count:
            words += f", {known_count} in the queue already"
            self._adopt_batches(known_batches)
        if found.skipped:
            words += f", {len(found.skipped)} left out ({_kinds(found)})"
        log.info("%s to batch %s", words, clean_text(batch.name))
        return Added(batch, len(jobs), len(found.skipped), known_count, tuple(known_batches), words)

    def _adopt_batches(self, batches: dict[str, None]) -> None:
        """Videos named again in a run of one batch: their unfinished jobs are part of this run."""
        engine = self._engine
        if engine.settings.only_batches is None:
            return
        for batch_id in batches:
            for job in engine.desk.store.jobs_of(batch_id):
                if not job.state.final and job.id not in engine.state.board.entries:
                    engine.feed(engine.restorer.arrival(job))

    def _batch(self, command: AddJobs) -> Batch:
        engine, settings = self._engine, self._engine.settings
        now = engine.clock.now()
        model = command.model or settings.model
        try:
            info = engine.parts.catalogue.resolve(model, now.wall)
        except (UnknownModel, CatalogueError) as error:
            raise AddProblem(str(error), "see gsvr-tui models, or add it to models.yaml") from None
        problem = model_problem(info, engine.parts.catalogue, now.wall)
        if problem is not None:
            raise AddProblem(*problem)
        warning = engine.parts.catalogue.warning(model, now.wall)
        if warning:
            log.warning("%s", warning)
        try:
            template = engine.parts.templates.get(command.template or settings.template)
            parameters = check_parameters(template, command.parameters)
        except (UnknownTemplate, ParameterProblem) as error:
            raise AddProblem(str(error), "see gsvr-tui templates list") from None
        paths = tuple(os.path.abspath(path) for path in command.paths)  # noqa: PTH100 - links stay as named
        if not paths:
            raise AddProblem("no file or folder was named")
        name = command.name or " + ".join(Path(path).name or path for path in paths[:3])
        output = command.output_dir or settings.output_dir
        cap = command.max_cost_usd
        batch_id = self._ids.next(now.wall)
        if cap is not None:
            engine.state.money.caps.batches[batch_id] = cap
        return Batch(
            id=batch_id,
            name=name,
            created_at=now.wall,
            template=template.id,
            template_version=template.version,
            model=info.id,
            output_dir=os.path.abspath(output),  # noqa: PTH100
            formats=command.formats or settings.formats,
            language=command.language or settings.language,
            parameters=parameters,
            fallback_models=tuple(m for m in settings.fallback_models if m != info.id),
            max_cost_usd=cap,
            roots=paths,
        )

    def _known(self, batch: Batch) -> dict[str, str]:
        """Paths that are in the queue for the same work → their batch."""
        store = self._engine.desk.store
        same = {
            other.id
            for other in store.batches()
            if (other.template, other.template_version, other.model, other.output_dir, other.language)
            == (batch.template, batch.template_version, batch.model, batch.output_dir, batch.language)
            and dict(other.parameters) == dict(batch.parameters)
        }
        return {job.path: job.batch_id for batch_id in same for job in store.jobs_of(batch_id)}

    async def _keep(self, batch: Batch, jobs: list[Job]) -> None:
        engine = self._engine
        transaction = engine.desk.store.begin()
        transaction.put_batch(batch)
        transaction.put_jobs(jobs)
        await transaction.commit(Durability.DURABLE)
        engine.outbox.put(BatchAdded(batch_row(batch)))
        for job in jobs:
            engine.desk.count(job)
            engine.feed(engine.restorer.arrival(job))
        engine.outbox.put_rows([job_row(job) for job in jobs])

    @staticmethod
    def _log_skips(found: Found) -> None:
        for item in found.skipped[:MOST_SKIPS_LOGGED]:
            log.warning("left out: %s: %s", clean_text(str(item.path)), item.message)
        more = len(found.skipped) - MOST_SKIPS_LOGGED
        if more > 0:
            log.warning("left out: %d more", more)

    @staticmethod
    def _nothing(found: Found) -> tuple[str, str]:
        if len(found.skipped) == 1:
            only = found.skipped[0]
            return f"{clean_text(str(only.path))}: {only.message}", "name a video file or a folder with videos in it"
        lines = "; ".join(f"{clean_text(str(s.path))}: {s.message}" for s in found.skipped[:5])
        return f"there is no video to work on ({lines})", "name video files or a folder with videos in it"


def _kinds(found: Found) -> str:
    counts = Counter(item.code.lower().replace("_", " ") for item in found.skipped)
    return ", ".join(f"{count} {kind}" for kind, count in counts.most_common(4))


def output_problem(folder: Path) -> str:
    """Why reports can't be written to a folder, or an empty string. Makes the folder and leaves nothing in it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        trial = folder / ".gsvr-write-test"
        descriptor = os.open(trial, os.O_CREAT | os.O_WRONLY, 0o600)
        os.close(descriptor)
        trial.unlink()
    except OSError as error:
        return f"reports can't be written to {clean_text(str(folder))}: {error.strerror or error}"
    return ""
