"""What can be done to jobs, for the queue and the detail screen alike: which jobs, why not, and the undo."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gsvr_tui.core.messages import (
    CancelJobs,
    Command,
    CommandDone,
    HoldJobs,
    JobRow,
    ReleaseJobs,
    RetryJobs,
    SetPriority,
)
from gsvr_tui.core.models import JobState, Priority
from gsvr_tui.ui.link import Undo
from gsvr_tui.ui.words import plural

ASK_ABOVE = 20
"""Acts on more jobs than this ask first."""

_RETRYABLE = frozenset({JobState.FAILED, JobState.CANCELLED, JobState.PARTIAL})


@dataclass(frozen=True, slots=True)
class Act:
    """An act ready to be sent. `question` is not empty when it must be asked first."""

    command: Command
    done: Callable[[CommandDone], str]
    undo: Undo | None = None
    question: str = ""
    detail: str = ""


def _ids(rows: Sequence[JobRow]) -> tuple[str, ...]:
    return tuple(row.id for row in rows)


def _of(rows: Sequence[JobRow], what: str) -> str:
    return f"{what} {plural(len(rows), 'job')}"


def cancel(rows: Sequence[JobRow], new_id: Callable[[], str]) -> Act | str:
    """Cancel what is not finished; or why not."""
    open_rows = [row for row in rows if not row.state.final]
    if not open_rows:
        return "Only jobs that are not finished can be cancelled"
    ids = _ids(open_rows)
    text = _of(open_rows, "cancelled")
    return Act(
        CancelJobs(new_id(), ids),
        lambda _: f"{text.capitalize()}; u takes it back",
        Undo(text, lambda name: RetryJobs(name, ids)),
        f"Cancel {plural(len(ids), 'job')}?" if len(ids) > ASK_ABOVE else "",
        "Reports already written stay. u takes it back.",
    )


def retry(rows: Sequence[JobRow], new_id: Callable[[], str]) -> Act | str:
    """Queue failed, cancelled and partial jobs again; a done one only when it is the only one named."""
    again = [row for row in rows if row.state in _RETRYABLE]
    done = len(rows) == 1 and rows[0].state is JobState.DONE
    if done:
        again = list(rows)
    if not again:
        return "Only failed, cancelled or partial jobs can be tried again"
    ids = _ids(again)
    text = _of(again, "queued").capitalize() + " again"
    question = f"Try {plural(len(ids), 'job')} again?" if len(ids) > ASK_ABOVE else ""
    detail = "Each asks the service anew and may cost what it cost before. Finished jobs are not touched."
    if done:
        question, detail = (
            "Make this report anew?",
            "The job is done. A new request costs about what the first one did.",
        )
    return Act(RetryJobs(new_id(), ids), lambda _: text, None, question, detail)


def hold(rows: Sequence[JobRow], new_id: Callable[[], str]) -> Act | str:
    """Release when all that can be held are; else hold the others."""
    held = [row for row in rows if row.state is JobState.HELD]
    free = [row for row in rows if not row.state.final and row.state is not JobState.HELD]
    if not held and not free:
        return "Finished jobs can't be held"
    if not free:
        ids, text = _ids(held), _of(held, "released")
        return Act(
            ReleaseJobs(new_id(), ids), lambda _: text.capitalize(), Undo(text, lambda name: HoldJobs(name, ids))
        )
    ids, text = _ids(free), _of(free, "held")
    return Act(
        HoldJobs(new_id(), ids),
        lambda _: f"{text.capitalize()}; u takes it back",
        Undo(text, lambda name: ReleaseJobs(name, ids)),
        f"Hold {plural(len(ids), 'job')}?" if len(ids) > ASK_ABOVE else "",
        "What they have in flight finishes. The rest of the queue goes on.",
    )


def shift_priority(rows: Sequence[JobRow], by: int, new_id: Callable[[], str]) -> Act | str:
    """One class up or down from the first job's; all get the same."""
    open_rows = [row for row in rows if not row.state.final]
    if not open_rows:
        return "Finished jobs have no priority"
    before = open_rows[0].priority
    wanted = max(Priority.LOW, min(Priority.HIGH, before + by))
    if all(row.priority == wanted for row in open_rows):
        return f"The priority is {Priority(wanted).name.lower()} already"
    ids = _ids(open_rows)
    word = Priority(wanted).name.lower()
    text = f"{plural(len(ids), 'job')} now at {word} priority"
    mixed = len({row.priority for row in open_rows}) > 1
    undo = None if mixed else Undo(text, lambda name: SetPriority(name, ids, before))
    return Act(SetPriority(new_id(), ids, Priority(wanted)), lambda _: text, undo)
