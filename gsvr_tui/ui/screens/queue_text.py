"""The lines around the list of jobs, as Content. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo

from textual.content import Content

from gsvr_tui.core.messages import JobRow, Status
from gsvr_tui.core.models import JobState
from gsvr_tui.ui import words
from gsvr_tui.ui.marks import Marks
from gsvr_tui.ui.queue_view import QueueView, Sort
from gsvr_tui.ui.safe import fit_end, join, styled
from gsvr_tui.ui.widgets.bars import Part, bar, spread

_TROUBLE = frozenset({JobState.FAILED, JobState.PARTIAL, JobState.WAITING})
_PERCENT = 6


def progress(counts: Mapping[JobState, int], width: int, marks: Marks) -> Content:
    """The bar: done, partial, failed, and what is left; cancelled jobs do not count."""
    total = sum(counts.values()) - counts.get(JobState.CANCELLED, 0)
    if not total:
        return Content("")
    parts = [
        Part(counts.get(state, 0), f"status-{marks.jobs[state].tone}")
        for state in (JobState.DONE, JobState.PARTIAL, JobState.FAILED)
    ]
    finished = sum(part.count for part in parts)
    percent = f"{int(100 * finished / total)} %".rjust(_PERCENT)
    return join(bar(parts, total, width - _PERCENT, marks), (percent, "$muted"))


def place(view: QueueView, filter_text: str, width: int) -> Content:
    """Marks, filter and order at the left; where the cursor is at the right."""
    left: list[Content] = []
    if view.marks:
        left.append(styled(f"{len(view.marks):,} marked", "bold $accent"))
    if filter_text:
        left.append(join(("filter ", "$muted"), (filter_text, "$foreground")))
    if view.query.problem:
        left.append(styled(view.query.problem, "$status-fail"))
    if view.sort is not Sort.QUEUE or view.reverse:
        left.append(styled(f"by {view.sort.value}{', reversed' if view.reverse else ''}", "$muted"))
    count = len(view)
    where = f"row {view.cursor + 1:,} of {count:,}" if count else "no job matches" if view.model.rows else ""
    return spread(Content("   ").join(left), styled(where, "$muted"), width)


def trouble(
    row: JobRow | None, status: Status, now: float, zone: tzinfo | None, marks: Marks, width: int
) -> tuple[Content, Content]:
    """What happened to the job under the cursor, and what can be done; else what the service wants of the user."""
    if row is not None and row.state in _TROUBLE and (row.note or row.advice):
        look = marks.jobs[row.state]
        name = row.name.rpartition("/")[2]
        doing = words.job_now(row, now, zone)
        what = join((f"{look.sign} ", f"$status-{look.tone}"), (name, "bold"), "  ", (doing, "$foreground"))
        advice = styled(fit_end(f"  {row.advice}", width, ascii_only=marks.ascii), "$muted")
        return what.truncate(width, ellipsis=not marks.ascii), advice
    wants = words.advice_line(status)
    return Content(""), styled(fit_end(wants, width, ascii_only=marks.ascii), "$status-rest") if wants else Content("")
