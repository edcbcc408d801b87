"""`gsvr-tui run`: videos to reports, with no screen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gsvr_tui.commands.guard import Complaint
from gsvr_tui.commands.run_options import (
    Setting,
    farewell,
    show_for,
    tell_workers,
    working_options,
)
from gsvr_tui.commands.say import note
from gsvr_tui.core.text import clean_text

if TYPE_CHECKING:
    from gsvr_tui.commands.surroundings import Surroundings
    from gsvr_tui.media.files import Found
    from gsvr_tui.service.assembly import Session
    from gsvr_tui.service.settings import ServiceSettings

SAMPLE = 200
"""So many videos are looked into for the price before a run; of more, an even sample."""
HARMLESS = frozenset({"HIDDEN", "DUPLICATE", "LINK_LOOP", "LINK_OUT"})
"""Reasons to leave a file out that are no failure."""
MOST_SKIPS_SHOWN = 20


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-o", "--output", default="", metavar="DIR", help="Folder for the reports (default: the config's).")
@click.option("-t", "--template", default="", help="Kind of report; see: gsvr-tui templates list.")
@click.option("-m", "--model", default="", help="Model; see: gsvr-tui models.")
@click.option("-p", "--set", "parameters", multiple=True, type=Setting(), help="A parameter of the template.")
@click.option("--language", default="", metavar="L", help="Language of the reports, such as en or zh.")
@click.option("--format", "formats", multiple=True, metavar="F", help="Such as markdown or json; may be given again.")
@working_options
@click.option("--yes", is_flag=True, help="Do not ask before spending.")
def run(
    paths: tuple[Path, ...],
    output: str,
    template: str,
    model: str,
    parameters: tuple[tuple[str, str], ...],
    language: str,
    formats: tuple[str, ...],
    workers: int | None,
    max_cost: float | None,
    no_wait: bool,
    as_json: bool,
    yes: bool,
) -> int:
    """Turn the videos in PATHS (files or folders) into reports.

    What was interrupted goes on with `gsvr-tui resume`; naming the same videos again goes on with them, too, and never
    pays for an answer twice.
    """
    from gsvr_tui.commands.headless import Headless
    from gsvr_tui.commands.opening import opened
    from gsvr_tui.commands.plan import nothing_found
    from gsvr_tui.commands.surroundings import check_base_url, need_account, surroundings
    from gsvr_tui.core.messages import AddJobs
    from gsvr_tui.media.files import find_videos
    from gsvr_tui.service.assembly import settings_of

    here = surroundings()
    found = find_videos(paths)
    if not found.videos:
        raise Complaint(*nothing_found(found))
    need_account(here)
    tell_workers(workers)
    settings = settings_of(here.config, here.places, here.env)
    settings = replace(
        settings,
        workers=settings.workers if workers is None else workers,
        only_batches=frozenset(),
    )
    command = AddJobs(
        id="add",
        paths=tuple(map(str, paths)),
        output_dir=str(Path(output).expanduser()) if output else "",
        template=template,
        model=model,
        language=language,
        formats=formats,
        parameters=dict(parameters),
        max_cost_usd=max_cost,
    )
    base_url = check_base_url(settings)
    with opened(here.places, settings, here.env, log_level=here.config.log.level) as session:
        check_command(session, command, settings)
        left_out = tell_left_out(found)
        if base_url:
            note(f"requests go to {base_url} (GOOGLE_GEMINI_BASE_URL), not to Google")
        if not yes:
            _agree(here, session, found, command, settings)
        show = show_for(as_json)
        summary = Headless(session, show, commands=(command,), no_wait=no_wait, left_out=left_out).run()
    return farewell(summary)


def check_command(session: Session, command: object, settings: ServiceSettings) -> None:
    """Everything about a batch that can be wrong before it is made. Raises what the guard explains."""
    import time

    from gsvr_tui.core.messages import AddJobs
    from gsvr_tui.report.render import UnknownFormat, suffix_of
    from gsvr_tui.report.template_model import check_parameters, is_language
    from gsvr_tui.service.adding import output_problem

    assert isinstance(command, AddJobs)  # noqa: S101 - the type is imported late
    session.parts.catalogue.find(command.model or settings.model)
    warning = session.parts.catalogue.warning(command.model or settings.model, time.time())
    if warning:
        note(f"warning: {warning}")
    check_parameters(session.parts.templates.get(command.template or settings.template), command.parameters)
    if command.language and not is_language(command.language):
        raise Complaint(f"{command.language!r} is not the code of a language", "write for example en, zh or zh-Hant")
    for name in command.formats:
        try:
            suffix_of(name)
        except UnknownFormat as error:
            raise Complaint(str(error), "choose one of them") from None
    problem = output_problem(Path(command.output_dir or settings.output_dir))
    if problem:
        raise Complaint(problem, "choose another output folder: -o DIR, or output.directory in the config")


def tell_left_out(found: Found) -> int:
    """Say what is left out and why; how many of them somebody will miss."""
    for item in found.skipped[:MOST_SKIPS_SHOWN]:
        note(f"left out: {clean_text(str(item.path))}: {item.message}")
    if len(found.skipped) > MOST_SKIPS_SHOWN:
        note(f"left out: {len(found.skipped) - MOST_SKIPS_SHOWN:,} more")
    return sum(item.code not in HARMLESS for item in found.skipped)


def _agree(here: Surroundings, session: Session, found: Found, command: object, settings: ServiceSettings) -> None:
    import time

    from gsvr_tui.commands.spending import agree
    from gsvr_tui.core.messages import AddJobs
    from gsvr_tui.service.planning import estimate_videos

    assert isinstance(command, AddJobs)  # noqa: S101 - the type is imported late
    model, catalogue = command.model or settings.model, session.parts.catalogue
    estimate = estimate_videos(found.videos, model, catalogue, here.accounts, time.time(), sample=SAMPLE)
    caps = [cap for cap in (command.max_cost_usd, settings.caps.run, settings.caps.day) if cap is not None]
    agree(estimate, cap=min(caps, default=None), output=command.output_dir or settings.output_dir)
