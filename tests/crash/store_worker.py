"""Writes to a state folder until it is killed; every acknowledged round is printed. Started by test_store_kill.py.

usage: store_worker.py FOLDER [KIND N]: dies by its own hand (SIGKILL) in the middle of the N-th call of that kind.

One round is one transaction over three tables that must never be seen half: the number in a job, in its segment and in
`meta`; plus an answer, which is on disk before the round says so.
"""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
import threading
from pathlib import Path
from random import Random
from typing import Any

from gsvr_tui.core.ids import IdMaker
from gsvr_tui.core.models import Job, RequestState, Segment
from gsvr_tui.store import AnswerHeader, FileSystem, Store
from gsvr_tui.store.storage import JournalDB

COMPACT_BYTES = 6_000
JOBS = 40


class DeadlyFileSystem(FileSystem):
    """Kills the process in the N-th call of a kind: a write half done, everything else before or after it is done."""

    def __init__(self, kind: str, number: int) -> None:
        self._kind, self._left = kind, number
        self._lock = threading.Lock()

    def _hit(self, kind: str) -> bool:
        if kind != self._kind:
            return False
        with self._lock:
            self._left -= 1
            return self._left == 0

    def _wrap(self, kind: str, call: Any, *arguments: Any) -> Any:
        if not self._hit(kind):
            return call(*arguments)
        if kind == "write":
            call(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
        elif self._left % 2 == 0:
            call(*arguments)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("still alive")

    def write(self, fd: int, data: bytes | memoryview) -> int:
        written: int = self._wrap("write", super().write, fd, data)
        return written

    def fsync(self, fd: int) -> None:
        self._wrap("fsync", super().fsync, fd)

    def rename(self, source: Path, target: Path) -> None:
        self._wrap("rename", super().rename, source, target)

    def link(self, source: Path, target: Path) -> None:
        self._wrap("link", super().link, source, target)

    def truncate(self, fd: int, length: int) -> None:
        self._wrap("truncate", super().truncate, fd, length)

    def fsync_dir(self, folder: Path) -> None:
        self._wrap("fsync_dir", super().fsync_dir, folder)

    def unlink(self, path: Path) -> None:
        self._wrap("unlink", super().unlink, path)


def main(arguments: list[str]) -> None:
    folder = Path(arguments[0])
    fs = DeadlyFileSystem(arguments[1], int(arguments[2])) if len(arguments) > 1 else FileSystem()
    store = Store(JournalDB(folder, filesystem=fs, compact_bytes=COMPACT_BYTES))
    known = store.meta("rounds")
    jobs = list(store.jobs())
    if not jobs:
        ids = IdMaker(Random(1))
        batch = ids.next(1.8e9)
        jobs = [Job(ids.next(1.8e9 + n), batch, f"/v/{n}.mp4", 1.8e9) for n in range(JOBS)]
        transaction = store.begin()
        transaction.put_jobs(jobs)
        transaction.commit().wait()
    number = known["number"] if known else 0
    while True:
        number += 1
        job = jobs[number % JOBS]
        request = f"r{number}"
        if number % 3 == 0:
            store.answers.write(AnswerHeader(request, job.id, 0, request, "m", "p", "a", 1.0, 2.0), f"answer {number}")
        transaction = store.begin()
        transaction.put_job(dataclasses.replace(job, attempts=number, name="x" * (number % 200)))
        transaction.put_segment(
            Segment(job.id, 0, 0.0, float(number), request_id=request, request_state=RequestState.OPEN)
        )
        transaction.put_meta("rounds", {"number": number, "job": job.id})
        transaction.commit().wait()
        os.write(1, b"%d\n" % number)


if __name__ == "__main__":
    main(sys.argv[1:])
