"""`gsvr-tui retry`, `pause` and `cancel`: changes to the queue while nobody works on it.

The service itself makes them, paused and with nothing to send, so that they mean exactly what they mean in the app.
"""

from __future__ import annotations

import queue
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from gsvr_tui.commands.guard import Complaint
from gsvr_tui.commands.say import out

if TYPE_CHECKING:
    from collections.abc import Callable

    from gsvr_tui.core.messages import Command
    from gsvr_tui.core.models import Job
    from gsvr_tui.store.repository import Store

ANSWER_S = 600.0
"""A hundred thousand jobs take half a minute on a slow machine."""


@click.command()
@click.argument("jobs", nargs=-1)
@click.option("--failed", is_flag=True, help="All that failed, were cancelled or are only partial.")
def retry(jobs: tuple[str, ...], failed: bool) -> None:
    """Queue JOBS again (ids, videos, or a batch); --failed takes all that did not get done.

    What was paid for and is good is not asked again. Starts nothing: gsvr-tui resume does.
    """
    from gsvr_tui.core.messages import RetryJobs
    from gsvr_tui.core.models import JobState

    wanted = {JobState.FAILED, JobState.CANCELLED, JobState.PARTIAL}
    chosen = _chosen(jobs, failed, "--failed", lambda job: job.state in wanted)
    named = [job for job in chosen if job.state.final] if jobs else chosen
    if not named:
        out("There is nothing to try again.")
        return
    said = _carry_out(RetryJobs("retry", tuple(job.id for job in named)))
    out(f"{said}. Start them with: gsvr-tui resume")


@click.command()
@click.argument("jobs", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All that are not finished.")
def pause(jobs: tuple[str, ...], everything: bool) -> None:
    """Hold JOBS (ids, videos, or a batch) until gsvr-tui resume --held.

    A run that is going on is paused where it runs: p in the app, Ctrl-C for gsvr-tui run.
    """
    from gsvr_tui.core.messages import HoldJobs
    from gsvr_tui.core.models import JobState

    chosen = _chosen(jobs, everything, "--all", lambda job: not job.state.final and job.state is not JobState.HELD)
    if not chosen:
        out("There is nothing to hold.")
        return
    said = _carry_out(HoldJobs("hold", tuple(job.id for job in chosen)))
    out(f"{said}. Release with: gsvr-tui resume --held")


@click.command()
@click.argument("jobs", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All that are not finished.")
def cancel(jobs: tuple[str, ...], everything: bool) -> None:
    """Cancel JOBS (ids, videos, or a batch). gsvr-tui retry takes it back."""
    from gsvr_tui.core.messages import CancelJobs

    chosen = _chosen(jobs, everything, "--all", lambda job: not job.state.final)
    if not chosen:
        out("There is nothing to cancel.")
        return
    said = _carry_out(CancelJobs("cancel", tuple(job.id for job in chosen)))
    out(f"{said}. Take it back with: gsvr-tui retry --failed")


def _chosen(said: tuple[str, ...], everything: bool, option: str, fits: Callable[[Job], bool]) -> list[Job]:
    from gsvr_tui.commands.batches import find_jobs, reading
    from gsvr_tui.commands.surroundings import surroundings

    if bool(said) == everything:
        raise click.UsageError(f"Name jobs, or give {option}.", click.get_current_context())
    here = surroundings()

    def look(store: Store) -> list[Job]:
        return find_jobs(store, said) if said else list(store.jobs())

    with reading(here.places) as store:
        return [job for job in look(store) if fits(job) or (said and option == "--failed")]


def _carry_out(command: Command) -> str:
    """What the service said. Raises Complaint when it refuses, or when another process has the state."""
    from gsvr_tui.commands.opening import opened
    from gsvr_tui.commands.surroundings import surroundings
    from gsvr_tui.core.messages import CommandDone, CommandRefused, ServiceStopped
    from gsvr_tui.service.assembly import settings_of

    here = surroundings()
    settings = replace(settings_of(here.config, here.places, here.env), accounts=(), start_paused=True)
    with opened(here.places, settings, here.env, log_level=here.config.log.level) as session:
        wakes: queue.SimpleQueue[None] = queue.SimpleQueue()
        session.service.set_wake(lambda: wakes.put(None))
        session.service.start()
        session.service.send(command)
        ends = time.monotonic() + ANSWER_S
        while (left := ends - time.monotonic()) > 0:
            try:
                wakes.get(timeout=left)
            except queue.Empty:
                break
            for event in session.service.take_events():
                if isinstance(event, CommandDone) and event.command_id == command.id:
                    return event.message
                if isinstance(event, CommandRefused) and event.command_id == command.id:
                    raise Complaint(event.message, event.advice)
                if isinstance(event, ServiceStopped):
                    raise Complaint(f"the service ended: {event.error}", "see: gsvr-tui doctor")
    raise Complaint("the service did not answer", "try again; see: gsvr-tui doctor")
