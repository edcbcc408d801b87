"""Jobs that wait for something on this machine: a video, a drive, a file still being written, a folder for reports.

None of it is the job's fault, so it costs no attempt: the job looks again at growing distances, and at once when the
user says so.
"""

from __future__ import annotations

import logging
import os
from collections import defaultdict
from collections.abc import Iterable

from gsvr_tui.core.failure import Failure, FailureKind, Scope
from gsvr_tui.core.models import Batch, Job
from gsvr_tui.core.text import clean_text

log = logging.getLogger("gsvr_tui.service")

FIRST_S = 5.0
LONGEST_S = 300.0
STILL_S = 3.0
"""A file that nobody has touched for so long counts as complete."""

SOURCE_MISSING, SOURCE_GROWING = "SOURCE_MISSING", "SOURCE_GROWING"
OUTPUT_WAITS = frozenset({"READ_ONLY", "DENIED", "FULL", "GONE", "FAILED"})
"""Troubles of an output folder that can pass; others need another name or another folder."""
LOOKS_WHOLE_TOO_SOON = frozenset({"mkv", "matroska", "webm", "mpegts", "ts", "mpeg", "flv", "avi", "ogg"})
"""Containers that can be read to their end while they are still being written."""


class Patience:
    """How often a job has looked, and what has been said of missing folders."""

    def __init__(self) -> None:
        self._looks: dict[str, int] = defaultdict(int)
        self._seen: dict[str, tuple[int, int]] = {}  # job → size and time of its file at the last look
        self._missing_roots: set[str] = set()
        self._said: set[str] = set()

    def say_once(self, words: str) -> None:
        """Tell something that holds for every job, the first time."""
        if words not in self._said:
            self._said.add(words)
            log.warning("%s", words)

    def forget(self, job_id: str) -> None:
        """The job goes on."""
        self._looks.pop(job_id, None)
        self._seen.pop(job_id, None)

    def wait(self, job_id: str, code: str, message: str, advice: str) -> Failure:
        """A failure that makes the job wait, each time twice as long."""
        looks = self._looks[job_id]
        self._looks[job_id] = looks + 1
        seconds = min(LONGEST_S, FIRST_S * 2.0 ** min(looks, 10))
        return Failure(FailureKind.WAIT_FILE, Scope.ITEM, code, message, advice, retry_after_s=seconds)

    def missing(self, job: Job, batch: Batch) -> Failure:
        """The video is not there. A whole folder that is gone is told once, not for every video in it."""
        root = _missing_root(job.path, batch.roots)
        if not root:
            return self.wait(job.id, SOURCE_MISSING, "the file is not there", "put it back; it is looked for by itself")
        shown = clean_text(root)
        if root not in self._missing_roots:
            self._missing_roots.add(root)
            log.warning("the folder %s is not there: its videos wait until it is back", shown)
        advice = "connect its drive or put it back; it is looked for by itself"
        return self.wait(job.id, SOURCE_MISSING, f"the folder {shown} is not there", advice)

    def found(self, job: Job, batch: Batch) -> None:
        """The video is there: so is its folder."""
        if not self._missing_roots:
            return
        for root in [root for root in batch.roots if root in self._missing_roots and job.path.startswith(root)]:
            self._missing_roots.discard(root)
            log.info("the folder %s is back", clean_text(root))

    def growing(self, job_id: str, path: str, wall: float) -> Failure | None:
        """Whether somebody is still writing the file; None when it has been still for long enough."""
        try:
            status = os.stat(path)  # noqa: PTH116 - names that are not UTF-8
        except OSError:
            return None
        identity = (status.st_size, status.st_mtime_ns)
        same = self._seen.get(job_id) == identity
        self._seen[job_id] = identity
        if same or not 0 <= wall - status.st_mtime < STILL_S:
            return None  # whatever the clocks say: at the second look it was the same
        return self.changing(job_id)

    def changing(self, job_id: str) -> Failure:
        """Somebody is writing the file."""
        failure = self.wait(job_id, SOURCE_GROWING, "the file is still being written", "it goes on when it is complete")
        seconds = max(STILL_S, (failure.retry_after_s or 0.0) - FIRST_S)
        return Failure(
            failure.kind, failure.scope, failure.code, failure.message, failure.advice, retry_after_s=seconds
        )


def _missing_root(path: str, roots: Iterable[str]) -> str:
    """The folder the user named that a video lies in, when that folder is gone."""
    for root in roots:
        if path != root and path.startswith(root.rstrip(os.sep) + os.sep) and not os.path.isdir(root):  # noqa: PTH112
            return root
    return ""
