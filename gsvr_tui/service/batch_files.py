"""Files over a batch (tables, an index page): made from the stored answers when its last job has ended, and by render.

Every report is judged once and laid by in a temporary file; the formats then read it as often as they like, so that a
batch of a hundred thousand videos needs no more memory than one of ten.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from gsvr_tui.core.models import Batch, Job, RequestState
from gsvr_tui.core.text import clean_text
from gsvr_tui.report.document import iso_time, report_from_dict
from gsvr_tui.report.formats.extras import BatchEntry, BatchView
from gsvr_tui.report.formats.table import FORMATS, Format, Scope, UnknownFormat, expand, file_suffix, without_suffix
from gsvr_tui.report.output import BatchPlace, WrittenFile, write_batch_file
from gsvr_tui.report.render_markdown import quote_path
from gsvr_tui.report.templates import UnknownTemplate
from gsvr_tui.service.context import Context
from gsvr_tui.service.finish_step import FinishStep
from gsvr_tui.store.errors import StoreError
from gsvr_tui.store.status import Durability

META = "batch_files/"


def batch_formats(formats: Sequence[str]) -> tuple[Format, ...]:
    """Those of the formats that are over a batch; none when a name is not known."""
    try:
        return tuple(found for found in expand(formats) if found.scope is Scope.BATCH)
    except UnknownFormat:
        return ()


class BatchFiles:
    """Writes the files over a batch; blocking."""

    def __init__(self, context: Context, finish: FinishStep) -> None:
        self._context = context
        self._finish = finish

    def write(
        self,
        batch: Batch,
        formats: Sequence[str] = (),
        *,
        output_dir: str = "",
        outputs: Mapping[str, Sequence[str]] | None = None,
        keep: bool = True,
        create_root: bool = True,
    ) -> tuple[WrittenFile, ...]:
        """Write the batch's formats, or those given. Written again from the same answers they stay as they are.

        `outputs`: job → its files, instead of those in the store. `keep=False`: what was written is not remembered
        (the store is open for reading only). `create_root=False`: a folder that is gone is not made. Raises
        OutputProblem.
        """
        wanted = batch_formats(formats or batch.formats)
        if not wanted:
            return ()
        place = self._place(batch, output_dir, keep=keep, create_root=create_root)
        with tempfile.TemporaryFile("w+", encoding="ascii", prefix="gsvr-") as spool:
            view = self._spooled(batch, place.root, spool, outputs)
            return tuple(
                write_batch_file(found.id, place, lambda out, made=found: made.write(view, out))  # type: ignore[misc]
                for found in wanted
            )

    def _place(self, batch: Batch, output_dir: str, *, keep: bool, create_root: bool) -> BatchPlace:
        store = self._context.desk.store
        kept = store.meta(META + batch.id) or {}
        known = {path: tuple(hashes) for path, hashes in kept.items()}

        def remember(now: Mapping[str, tuple[str, ...]]) -> None:
            if keep:
                transaction = store.begin()
                transaction.put_meta(META + batch.id, {path: list(hashes) for path, hashes in now.items()})
                transaction.commit(Durability.DURABLE).wait()

        return BatchPlace(Path(output_dir or batch.output_dir), batch.name, batch.id, known, remember, create_root)

    def _spooled(
        self, batch: Batch, root: Path, spool: IO[str], outputs: Mapping[str, Sequence[str]] | None
    ) -> BatchView:
        language = batch.language
        for job in self._context.desk.store.jobs_of(batch.id):
            files = job.outputs if outputs is None else outputs.get(job.id, ())
            line = self._line(job, batch, links_from(root, files, batch.formats))
            language = language or (line["report"] or {}).get("language", "")
            json.dump(line, spool)
            spool.write("\n")

        def entries() -> Iterator[BatchEntry]:
            spool.seek(0)
            for text in spool:
                line = json.loads(text)
                report = report_from_dict(line["report"]) if line["report"] else None
                yield BatchEntry(line["id"], line["name"], line["state"], line["reason"], report, line["links"])

        return BatchView(
            id=batch.id,
            name=batch.name,
            language=language,
            template=batch.template,
            model=batch.model,
            created_at=iso_time(batch.created_at),
            entries=entries,
        )

    def _line(self, job: Job, batch: Batch, links: dict[str, str]) -> dict[str, Any]:
        report = None
        reason = job.reason.message if job.reason is not None else ""
        if job.probe is not None and self._answered(job):
            try:
                _, report = self._finish.document(job, batch)
            except (UnknownTemplate, StoreError) as problem:
                reason = reason or str(problem)
        return {
            "id": job.id,
            "name": job.name or job.path,
            "state": str(job.state),
            "reason": clean_text(reason),
            "report": report.to_dict() if report is not None else None,
            "links": links,
        }

    def _answered(self, job: Job) -> bool:
        segments = self._context.desk.store.segments(job.id)
        return any(segment.request_state is RequestState.ANSWERED for segment in segments)


def links_from(root: Path, files: Sequence[str], formats: Sequence[str]) -> dict[str, str]:
    """Format → link from the folder to a job's file, for those that lie in it or below."""
    links: dict[str, str] = {}
    for name in files:
        path = Path(name)
        if path.is_relative_to(root):
            suffix = path.name[len(without_suffix(path.name)) :]
            fmt = next((f for f in FORMATS if suffix in (file_suffix(f, (*formats, f)), FORMATS[f].suffix)), "")
            if fmt:  # what was written last comes first
                links.setdefault(fmt, quote_path("./" + os.path.relpath(path, root).replace(os.sep, "/")))
    return {fmt: links[fmt] for fmt in FORMATS if fmt in links}
