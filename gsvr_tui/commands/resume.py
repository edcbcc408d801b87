"""`gsvr-tui resume`: go on with what an earlier run left."""

from __future__ import annotations

from dataclasses import replace

import click

from gsvr_tui.commands.exit_codes import Exit
from gsvr_tui.commands.run_options import farewell, show_for, tell_workers, working_options
from gsvr_tui.commands.say import json_line, note, out


@click.command()
@click.argument("batch", required=False, default="")
@click.option("--held", is_flag=True, help="Also release jobs that are held.")
@working_options
def resume(
    batch: str,
    held: bool,
    workers: int | None,
    max_cost: float | None,
    no_wait: bool,
    as_json: bool,
) -> int:
    """Go on with everything unfinished, or with BATCH only (its id, the start of it, or its name).

    Nothing that was answered is asked again; at most the requests that were in flight when a run was killed are.
    """
    from gsvr_tui.commands.batches import find_batch, reading
    from gsvr_tui.commands.headless import Headless
    from gsvr_tui.commands.opening import opened
    from gsvr_tui.commands.surroundings import check_base_url, need_account, surroundings
    from gsvr_tui.core.messages import ReleaseJobs
    from gsvr_tui.core.models import JobState
    from gsvr_tui.service.assembly import settings_of

    here = surroundings()
    tell_workers(workers)
    with reading(here.places) as store:
        chosen = frozenset({find_batch(store, batch).id}) if batch else frozenset()
        jobs = list(store.jobs_of(next(iter(chosen))) if chosen else store.jobs())
    waiting = [job for job in jobs if not job.state.final]
    if not waiting:
        return _nothing(sum(job.state is JobState.FAILED for job in jobs), as_json)
    need_account(here)
    settings = settings_of(here.config, here.places, here.env)
    caps = settings.caps if max_cost is None else replace(settings.caps, run=max_cost)
    settings = replace(
        settings,
        workers=settings.workers if workers is None else workers,
        caps=caps,
        only_batches=chosen or None,
    )
    base_url = check_base_url(settings)
    holding = tuple(job.id for job in waiting if job.state is JobState.HELD)
    release = (ReleaseJobs("release", holding),) if held and holding else ()
    with opened(here.places, settings, here.env, log_level=here.config.log.level) as session:
        if base_url:
            note(f"requests go to {base_url} (GOOGLE_GEMINI_BASE_URL), not to Google")
        show = show_for(as_json)
        summary = Headless(session, show, commands=release, resume=chosen, take_all=True, no_wait=no_wait).run()
    return farewell(summary)


def _nothing(failed: int, as_json: bool) -> int:
    hint = f"; {failed:,} failed: gsvr-tui retry --failed queues them again" if failed else ""
    if as_json:
        json_line({"event": "summary", "exit_code": 0, "counts": {}, "left": 0, "reason": "nothing to go on with"})
    else:
        out(f"There is nothing to go on with{hint}.")
    return Exit.DONE
