"""`gsvr-tui render`: reports again from the stored answers. Sends nothing, costs nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gsvr_tui.commands.exit_codes import Exit
from gsvr_tui.commands.guard import Complaint
from gsvr_tui.commands.say import json_line, note, out, problem

if TYPE_CHECKING:
    from gsvr_tui.commands.surroundings import Surroundings
    from gsvr_tui.core.models import Job
    from gsvr_tui.service.rendering import Renderer
    from gsvr_tui.store.repository import Store


@click.command()
@click.argument("which", nargs=-1)
@click.option("-o", "--output", default="", metavar="DIR", help="Another folder than the batch's; works at any time.")
@click.option(
    "--format",
    "formats",
    multiple=True,
    metavar="F",
    help="Such as html, docx, srt or xlsx; may be given again. All: docs/formats.md.",
)
@click.option("--json", "as_json", is_flag=True, help="JSON Lines: one per report, the sums last.")
def render(which: tuple[str, ...], output: str, formats: tuple[str, ...], as_json: bool) -> int:
    """Write the reports of WHICH (batches, jobs, videos; all when none is named) again from the stored answers."""
    from gsvr_tui.commands.surroundings import surroundings
    from gsvr_tui.report.formats.table import Scope, UnknownFormat, expand
    from gsvr_tui.report.output import OutputProblem
    from gsvr_tui.report.templates import UnknownTemplate
    from gsvr_tui.store.errors import StoreError

    try:
        scopes = {found.scope for found in expand(formats)} or set(Scope)
    except UnknownFormat as error:
        raise Complaint(str(error), "choose one of them; docs/formats.md says what each is") from None
    here = surroundings()
    folder = str(Path(output).expanduser().absolute()) if output else ""
    written = failed = 0
    with _renderer(here, read_only=bool(folder)) as (renderer, store):
        jobs = _with_answers(store, which)
        outputs: dict[str, list[str]] = {}
        for job in jobs if Scope.JOB in scopes else ():
            try:
                rendered = renderer.render(job, output_dir=folder, formats=formats)
            except (OutputProblem, UnknownTemplate, StoreError) as error:
                failed += 1
                said = getattr(error, "message", str(error)), getattr(error, "advice", "")
                problem(f"{job.name}: {said[0]}", said[1])
                continue
            if rendered.files is None:
                failed += 1
                problem(f"{job.name}: the answer does not pass the checks", "ask again: gsvr-tui retry, then resume")
                continue
            written += 1
            for note_line in rendered.files.notes:
                note(f"{job.name}: {note_line}")
            paths = [str(item.path) for item in rendered.files.files]
            outputs[job.id] = paths
            if as_json:
                json_line(
                    {
                        "event": "report",
                        "job": job.id,
                        "name": job.name,
                        "verdict": str(rendered.gate.verdict),
                        "outputs": paths,
                    }
                )
            else:
                for path in paths:
                    out(path)
        for batch_id in dict.fromkeys(job.batch_id for job in jobs) if Scope.BATCH in scopes else ():
            failed += not _render_batch(renderer, batch_id, folder, formats, outputs, as_json=as_json)
    if as_json:
        json_line({"event": "summary", "written": written, "failed": failed})
    elif not jobs:
        out("No job has an answer yet.")
    return Exit.SOME_FAILED if failed else Exit.DONE


def _render_batch(
    renderer: Renderer,
    batch_id: str,
    folder: str,
    formats: tuple[str, ...],
    outputs: dict[str, list[str]],
    *,
    as_json: bool,
) -> bool:
    """The files over a batch; says what was written, or why not."""
    from gsvr_tui.report.output import OutputProblem
    from gsvr_tui.store.errors import StoreError

    try:
        files = renderer.render_batch(batch_id, output_dir=folder, formats=formats, outputs=outputs)
    except (OutputProblem, StoreError) as error:
        problem(f"batch {batch_id}: {getattr(error, 'message', str(error))}", getattr(error, "advice", ""))
        return False
    for file in files:
        if file.note:
            note(file.note)
    paths = [str(file.path) for file in files]
    if as_json and paths:
        json_line({"event": "batch", "batch": batch_id, "outputs": paths})
    elif not as_json:
        for path in paths:
            out(path)
    return True


@contextmanager
def _renderer(here: Surroundings, *, read_only: bool) -> Iterator[tuple[Renderer, Store]]:
    from gsvr_tui.commands.opening import locked
    from gsvr_tui.config.models_file import load_catalogue
    from gsvr_tui.report.templates import load_templates
    from gsvr_tui.secrets.keystore import KeyStore
    from gsvr_tui.secrets.redact import Redactor
    from gsvr_tui.service.rendering import Renderer
    from gsvr_tui.service.settings import Parts
    from gsvr_tui.store.errors import StoreLocked
    from gsvr_tui.store.repository import Store

    catalogue = load_catalogue(here.places.models_file)
    templates = load_templates(here.places.templates)
    try:
        store = Store.open(here.places.state, read_only=read_only)
    except StoreLocked as error:
        raise locked(error) from None
    try:
        parts = Parts(here.places, store, catalogue, templates, KeyStore(here.places, here.env), Redactor())
        renderer = Renderer(parts)
        try:
            yield renderer, store
        finally:
            renderer.close()
    finally:
        store.close()


def _with_answers(store: Store, which: tuple[str, ...]) -> list[Job]:
    from gsvr_tui.commands.batches import find_jobs
    from gsvr_tui.core.models import RequestState

    jobs = find_jobs(store, which) if which else list(store.jobs())
    return [
        job
        for job in jobs
        if job.probe is not None
        and any(segment.request_state is RequestState.ANSWERED for segment in store.segments(job.id))
    ]
