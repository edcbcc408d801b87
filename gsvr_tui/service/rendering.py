"""Reports written again from the stored answers: no account, no request, no service running."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from gsvr_tui.core.models import Job
from gsvr_tui.report.output import WrittenFile
from gsvr_tui.service.batch_files import BatchFiles
from gsvr_tui.service.context import Context
from gsvr_tui.service.files import RemoteFiles
from gsvr_tui.service.finish_step import FinishStep, Rendered, kept_outputs
from gsvr_tui.service.gateways import Gateways
from gsvr_tui.service.jobs import JobDesk
from gsvr_tui.service.outbox import Outbox
from gsvr_tui.service.settings import Clock, Parts, ServiceSettings
from gsvr_tui.service.usage import UsageBook
from gsvr_tui.store.status import Durability


class Renderer:
    """Renders jobs of a store; blocking. A store open for reading is enough when reports go to another folder."""

    def __init__(self, parts: Parts) -> None:
        clock = Clock()
        executor = ThreadPoolExecutor(1)  # starts no thread until it is used, and here it is not
        self._desk = JobDesk(parts.store, Outbox(), clock)
        settings = ServiceSettings(accounts=(), output_dir="")
        self._context = Context(
            desk=self._desk,
            gateways=Gateways(parts, settings, executor, lambda date: None),
            usage=UsageBook(parts.store),
            catalogue=parts.catalogue,
            templates=parts.templates,
            clock=clock,
            executor=executor,
            scratch=parts.places.state / "scratch",
            files=RemoteFiles(parts.store, clock),
            on_text=lambda job, text: None,
            feed=lambda event: None,
            on_upload=lambda account, file: None,
            tokens_per_minute=lambda model: None,
        )
        self._finish = FinishStep(self._context)
        self._batches = BatchFiles(self._context, self._finish)

    def render(self, job: Job, *, output_dir: str = "", formats: Sequence[str] = ()) -> Rendered:
        """Judge and write one report. In its own place, where it was written to is kept in the store.

        Raises OutputProblem, UnknownTemplate and StoreError.
        """
        rendered = self._finish.render(job, self._desk.batch_of(job), output_dir=output_dir, formats=formats)
        if rendered.files is not None and not output_dir:
            transaction = self._desk.store.begin()
            self._desk.patch(job.id, transaction, **kept_outputs(job, rendered.files))
            transaction.commit(Durability.DURABLE).wait()
        return rendered

    def render_batch(
        self,
        batch_id: str,
        *,
        output_dir: str = "",
        formats: Sequence[str] = (),
        outputs: Mapping[str, Sequence[str]] | None = None,
    ) -> tuple[WrittenFile, ...]:
        """Write the files over a batch. `outputs`: where this render put the jobs' files, when that is another folder.

        Raises OutputProblem and StoreError.
        """
        return self._batches.write(
            self._desk.store.batch(batch_id),
            formats,
            output_dir=output_dir,
            outputs=outputs if output_dir else None,
            keep=not output_dir,
        )

    def close(self) -> None:
        """End the helper that opens videos, if one was needed."""
        self._context.media.close()


__all__ = ["Renderer"]
