"""What the store's tests share: a file system that fails on command, makers of values, a look into all documents."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any, BinaryIO

import pytest

from gsvr_tui.core.ids import IdMaker
from gsvr_tui.core.models import Batch, Job, JobState, RequestState, Segment
from gsvr_tui.store import FileSystem, Store
from gsvr_tui.store.storage import JournalDB


class FaultyFileSystem(FileSystem):
    """Counts its calls; from call `first` on, `count` of them raise `number`. A failing write writes half."""

    def __init__(self, first: int = 0, number: int = errno.ENOSPC, count: int = 1) -> None:
        self._lock = threading.Lock()
        self.calls = 0
        self.failed = 0
        self.first, self.number, self.left = first, number, count
        self.kinds: set[str] | None = None  # None: all of them

    def break_now(self, number: int, *kinds: str) -> None:
        """Every call (of these kinds) fails from now on."""
        with self._lock:
            self.kinds = set(kinds) or None
            self.first, self.number, self.left = self.calls + 1, number, 1 << 60

    def cure(self) -> None:
        """No more faults."""
        with self._lock:
            self.left = 0

    def _fails(self, kind: str) -> OSError | None:
        with self._lock:
            self.calls += 1
            if not self.first or self.calls < self.first or self.left <= 0:
                return None
            if self.kinds is not None and kind not in self.kinds:
                return None
            self.left -= 1
            self.failed += 1
            return OSError(self.number, os.strerror(self.number))

    def _check(self, kind: str) -> None:
        error = self._fails(kind)
        if error is not None:
            raise error

    def open(self, path: Path, flags: int = os.O_RDWR | os.O_CREAT) -> int:
        self._check("open")
        return super().open(path, flags)

    def reader(self, path: Path) -> BinaryIO:
        self._check("reader")
        return super().reader(path)

    def write(self, fd: int, data: bytes | memoryview) -> int:
        error = self._fails("write")
        if error is not None:
            super().write(fd, bytes(data)[: len(data) // 2])
            raise error
        return super().write(fd, data)

    def fsync(self, fd: int) -> None:
        self._check("fsync")  # and no real one: what is tested here is what we do, not what the disk does

    def close(self, fd: int) -> None:
        error = self._fails("close")
        super().close(fd)  # the descriptor is gone either way, as on Linux
        if error is not None:
            raise error

    def rename(self, source: Path, target: Path) -> None:
        self._check("rename")
        super().rename(source, target)

    def link(self, source: Path, target: Path) -> None:
        self._check("link")
        super().link(source, target)

    def unlink(self, path: Path) -> None:
        self._check("unlink")
        super().unlink(path)

    def truncate(self, fd: int, length: int) -> None:
        self._check("truncate")
        super().truncate(fd, length)

    def fsync_dir(self, folder: Path) -> None:
        self._check("fsync_dir")

    def free_bytes(self, folder: Path) -> int:
        self._check("free_bytes")
        return super().free_bytes(folder)

    def mkdir(self, folder: Path) -> None:
        self._check("mkdir")
        super().mkdir(folder)


class Maker:
    """Values with ids that are the same in every run."""

    def __init__(self) -> None:
        self._ids = IdMaker(Random(7))
        self._wall = 1_800_000_000.0
        self.first_batch = self.batch()

    def id(self) -> str:
        self._wall += 0.01
        return self._ids.next(self._wall)

    def batch(self, **fields: Any) -> Batch:
        values: dict[str, Any] = {
            "id": self.id(),
            "name": "第一批",
            "created_at": self._wall,
            "template": "lecture",
            "template_version": "3",
            "model": "gemini-3-flash",
            "output_dir": "/out",
        }
        return Batch(**(values | fields))

    def job(self, **fields: Any) -> Job:
        job_id = self.id()
        values: dict[str, Any] = {
            "id": job_id,
            "batch_id": self.first_batch.id,
            "path": f"/videos/课程/{job_id}.mp4",
            "created_at": self._wall,
        }
        return Job(**(values | fields))

    def jobs(self, count: int, **fields: Any) -> list[Job]:
        return [self.job(**fields) for _ in range(count)]

    def segment(self, job: Job, index: int = 0, **fields: Any) -> Segment:
        return Segment(job_id=job.id, index=index, start_s=0.0, end_s=60.0, **fields)


def everything(store: Store | JournalDB) -> dict[str, dict[int, Any]]:
    """All documents, decoded; tables without documents left out."""
    tables = (store._engine if isinstance(store, Store) else store.storage.engine).tables
    return {name: {doc_id: json.loads(doc) for doc_id, doc in table.items()} for name, table in tables.items() if table}


def steps(store: Store, make: Maker) -> Iterator[Callable[[], Any]]:
    """Twelve transactions of every kind of op, to be run one after the other; each gives its ticket."""
    jobs = make.jobs(4)
    segments = [make.segment(job, request_id=make.id(), request_state=RequestState.OPEN) for job in jobs]

    def put(*values: Any, **meta: Any) -> Callable[[], Any]:
        def run() -> Any:
            transaction = store.begin()
            for value in values:
                if isinstance(value, Batch):
                    transaction.put_batch(value)
                elif isinstance(value, Job):
                    transaction.put_job(value)
                else:
                    transaction.put_segment(value)
            for key, number in meta.items():
                transaction.put_meta(key, {"number": number})
            return transaction.commit()

        return run

    def delete(job: Job) -> Callable[[], Any]:
        def run() -> Any:
            transaction = store.begin()
            transaction.delete_job(job.id)
            return transaction.commit()

        return run

    yield put(make.first_batch, *jobs)
    for number, (job, segment) in enumerate(zip(jobs, segments, strict=True)):
        yield put(dataclasses.replace(job, state=JobState.RUNNING, project="p"), segment, count=number)
        answered = dataclasses.replace(segment, request_state=RequestState.ANSWERED, work_key=f"k{number}")
        yield put(dataclasses.replace(job, state=JobState.DONE, outputs=("/out/课.md",)), answered, count=number + 10)
    yield delete(jobs[1])
    yield put(dataclasses.replace(jobs[2], size_bytes=5))
    yield put(*make.jobs(2), last=1)


@pytest.fixture
def make() -> Maker:
    return Maker()


@pytest.fixture
def faulty() -> type[FaultyFileSystem]:
    return FaultyFileSystem


@pytest.fixture(name="everything")
def _everything() -> Callable[[Store | JournalDB], dict[str, dict[int, Any]]]:
    return everything


@pytest.fixture(name="steps")
def _steps() -> Callable[[Store, Maker], Iterator[Callable[[], Any]]]:
    return steps


@pytest.fixture
def quick_store(tmp_path: Path) -> Iterator[Callable[..., Store]]:
    """Opens stores that retry at once and compact early; closes what is still open at the end."""
    opened: list[Store] = []

    def build(folder: Path = tmp_path / "state", **options: Any) -> Store:
        options.setdefault("retry_s", (0.001, 0.002))
        options.setdefault("filesystem", FaultyFileSystem())
        store = Store(JournalDB(folder, **options))
        opened.append(store)
        return store

    yield build
    for store in opened:
        store.close(5.0, give_up=True)
