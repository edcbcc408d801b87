"""Looks at everything that was paid for and written: is it there, and is it what the records say? Changes nothing."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field

from gsvr_tui.core.models import Job, JobState, RequestState, Segment
from gsvr_tui.store.errors import AnswerDamaged
from gsvr_tui.store.repository import Store

_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that is not as recorded. `name` is the video's, not sanitised; `path` the file in question.

    `code`: ANSWER_MISSING, ANSWER_DAMAGED, ANSWER_FOREIGN, REPORT_MISSING, REPORT_CHANGED, REPORT_UNREADABLE,
    NO_REPORT, NO_BATCH.
    """

    code: str
    job_id: str
    name: str
    path: str
    message: str
    advice: str


@dataclass(slots=True)
class Sums:
    """What was looked at."""

    jobs: int = 0
    answers: int = 0  # of jobs
    spare: int = 0  # whole answers that no job uses: of removed jobs, or replaced by a later one
    spare_damaged: int = 0
    reports: int = 0
    changed: int = 0  # reports that somebody changed: theirs to do
    used: set[str] = field(default_factory=set)


_ASK_AGAIN = "queue it again: gsvr-tui retry {job}, then gsvr-tui resume (it is asked, and paid, once more)"
_RENDER = "write it again at no cost: gsvr-tui render {job}"


def verify(store: Store, sums: Sums) -> Iterator[Trouble]:
    """Every trouble there is, job by job; `sums` is filled meanwhile. Reads every answer and report once."""
    batches = {batch.id for batch in store.batches()}
    for job in store.jobs():
        sums.jobs += 1
        if job.batch_id not in batches:
            yield _trouble(job, "NO_BATCH", "", "its batch is not in the records", "run: gsvr-tui repair")
        for segment in store.segments(job.id):
            if segment.request_state is RequestState.ANSWERED:
                sums.answers += segment.request_id not in sums.used
                sums.used.add(segment.request_id)
                yield from _answer(store, job, segment)
        yield from _reports(job, sums)
    _others(store, sums)


def _trouble(job: Job, code: str, path: str, message: str, advice: str) -> Trouble:
    return Trouble(code, job.id, job.name or job.path, path, message, advice.format(job=job.id))


def _answer(store: Store, job: Job, segment: Segment) -> Iterator[Trouble]:
    try:
        header = store.answers.read(segment.request_id).header
    except KeyError:
        yield _trouble(job, "ANSWER_MISSING", "", f"the answer {segment.request_id} is gone", _ASK_AGAIN)
        return
    except AnswerDamaged as damage:
        yield _trouble(job, "ANSWER_DAMAGED", "", damage.message, _ASK_AGAIN)
        return
    except OSError as error:
        words = f"the answer {segment.request_id} can't be read: {error.strerror or type(error).__name__}"
        yield _trouble(job, "ANSWER_DAMAGED", "", words, "check the disk")
        return
    if segment.work_key and header.work_key != segment.work_key:
        words = f"the answer {segment.request_id} belongs to other work"
        yield _trouble(job, "ANSWER_FOREIGN", "", words, _ASK_AGAIN)


def _reports(job: Job, sums: Sums) -> Iterator[Trouble]:
    if job.state not in (JobState.DONE, JobState.PARTIAL):
        return
    if not job.outputs:
        yield _trouble(job, "NO_REPORT", "", "it is done, but no report is recorded", _RENDER)
    recorded = job.output_hashes.split()
    for number, path in enumerate(job.outputs):
        sums.reports += 1
        try:
            found = _digest(path)
        except FileNotFoundError:
            yield _trouble(job, "REPORT_MISSING", path, "the report is not there any more", _RENDER)
            continue
        except OSError as error:
            words = f"the report can't be read: {error.strerror or type(error).__name__}"
            yield _trouble(job, "REPORT_UNREADABLE", path, words, "check its permissions and its drive")
            continue
        if number < len(recorded) and found != recorded[number]:
            sums.changed += 1
            advice = "nothing needs to be done: what you changed is never overwritten"
            yield _trouble(job, "REPORT_CHANGED", path, "the report was changed since it was written", advice)


def _others(store: Store, sums: Sums) -> None:
    """Answers that no job uses are kept, since they were paid for; a damaged one is only told."""
    for request_id in store.answers.request_ids():
        if request_id in sums.used:
            continue
        try:
            store.answers.read(request_id)
            sums.spare += 1
        except (KeyError, AnswerDamaged, OSError, ValueError):
            sums.spare_damaged += 1


def _digest(path: str) -> str:
    digest = hashlib.sha256()
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(descriptor, "rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()
