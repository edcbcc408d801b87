"""`gsvr-tui status`: the queue as it is on disk; works while another process is at it."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from gsvr_tui.commands.plain_show import without_keys
from gsvr_tui.commands.say import json_line, out, plural, table
from gsvr_tui.core.text import clean_text, format_usd, middle_cut

if TYPE_CHECKING:
    from gsvr_tui.core.models import Batch, Job, JobState

MOST_FAILURES = 10


@click.command()
@click.argument("batch", required=False, default="")
@click.option("--jobs", "with_jobs", is_flag=True, help="Also every job.")
@click.option("--json", "as_json", is_flag=True, help="JSON Lines: batches (and jobs), the sums last.")
def status(batch: str, with_jobs: bool, as_json: bool) -> None:
    """Show the queue: batches, how far they are, what failed and why."""
    from gsvr_tui.commands.batches import find_batch, holder, reading
    from gsvr_tui.commands.surroundings import surroundings

    here = surroundings()
    with reading(here.places) as store:
        batches = [find_batch(store, batch)] if batch else store.batches()
        jobs = {item.id: list(store.jobs_of(item.id)) for item in batches}
        notes = store.recovery.notes
    busy = holder(here.places)
    if as_json:
        _as_json(batches, jobs, busy, with_jobs)
    else:
        _as_text(batches, jobs, busy, with_jobs)
        for text in notes:
            out(f"! {text}")


def _counts(jobs: list[Job]) -> Counter[JobState]:
    return Counter(job.state for job in jobs)


def _as_text(batches: list[Batch], jobs: dict[str, list[Job]], busy: str, with_jobs: bool) -> None:
    from gsvr_tui.core.models import JobState

    out(f"At work: {busy}" if busy else "Nobody is at work.")
    if not batches:
        out("The queue is empty. Start with: gsvr-tui run FOLDER")
        return
    rows = [("batch", "name", "added", "done", "partial", "failed", "to go", "cost", "template", "model")]
    for item in batches:
        counts = _counts(jobs[item.id])
        left = sum(count for state, count in counts.items() if not state.final)
        rows.append(
            (
                item.id,
                middle_cut(clean_text(item.name), 32),
                time.strftime("%Y-%m-%d %H:%M", time.localtime(item.created_at)),
                str(counts[JobState.DONE]),
                str(counts[JobState.PARTIAL]),
                str(counts[JobState.FAILED]),
                str(left),
                format_usd(sum(job.cost_usd for job in jobs[item.id])),
                item.template,
                item.model,
            )
        )
    out(table(rows, right=frozenset({3, 4, 5, 6, 7})))
    everything = [job for item in batches for job in jobs[item.id]]
    if with_jobs:
        out()
        lines = [("job", "state", "step", "video", "")]
        lines += [(j.id, _state(j, busy), str(j.step), middle_cut(clean_text(j.name), 48), _why(j)) for j in everything]
        out(table(lines))
    else:
        _failures([job for job in everything if job.state in (JobState.FAILED, JobState.PARTIAL)])
    left = sum(not job.state.final for job in everything)
    if left and not busy:
        out(f"\n{plural(left, 'job')} to go: gsvr-tui resume")


def _failures(failed: list[Job]) -> None:
    if not failed:
        return
    out("\nWhat went wrong:")
    for job in failed[:MOST_FAILURES]:
        out(f"  {clean_text(job.name)}: {_why(job)}")
    if len(failed) > MOST_FAILURES:
        out(f"  … and {len(failed) - MOST_FAILURES:,} more: gsvr-tui status --jobs")
    out("Again: gsvr-tui retry --failed, then gsvr-tui resume")


def _state(job: Job, busy: str) -> str:
    from gsvr_tui.core.models import JobState

    return "interrupted" if job.state is JobState.RUNNING and not busy else str(job.state)


def _why(job: Job) -> str:
    if job.reason is None:
        return ""
    said = (job.reason.message, without_keys(job.reason.advice))
    return ". ".join(clean_text(part).rstrip(".") for part in said if part)


def _as_json(batches: list[Batch], jobs: dict[str, list[Job]], busy: str, with_jobs: bool) -> None:
    totals: Counter[JobState] = Counter()
    cost = 0.0
    for item in batches:
        counts = _counts(jobs[item.id])
        totals += counts
        usd = sum(job.cost_usd for job in jobs[item.id])
        cost += usd
        json_line(
            {
                "event": "batch",
                "id": item.id,
                "name": item.name,
                "created_at": item.created_at,
                "template": item.template,
                "model": item.model,
                "output_dir": item.output_dir,
                "counts": {str(state): count for state, count in counts.items()},
                "cost_usd": usd,
            }
        )
        if with_jobs:
            for job in jobs[item.id]:
                json_line(_job(job))
    json_line(
        {
            "event": "summary",
            "at_work": busy or None,
            "batches": len(batches),
            "counts": {str(state): count for state, count in totals.items()},
            "left": sum(count for state, count in totals.items() if not state.final),
            "cost_usd": cost,
        }
    )


def _job(job: Job) -> dict[str, Any]:
    return {
        "event": "job",
        "id": job.id,
        "batch": job.batch_id,
        "path": job.path,
        "name": job.name,
        "state": str(job.state),
        "step": str(job.step),
        "verdict": str(job.verdict) if job.verdict is not None else None,
        "reason": job.reason.message if job.reason else "",
        "advice": job.reason.advice if job.reason else "",
        "cost_usd": job.cost_usd,
        "outputs": list(job.outputs),
    }
