"""The typed operations the service works with. Nobody outside this package sees tables, documents or TinyDB."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from gsvr_tui.core.ids import id_text
from gsvr_tui.core.models import Batch, Job, RemoteFile, Segment
from gsvr_tui.store import codec
from gsvr_tui.store.answers import AnswerStore
from gsvr_tui.store.codec import UsageDay, number_of, segment_number
from gsvr_tui.store.errors import StoreError
from gsvr_tui.store.filesystem import FileSystem
from gsvr_tui.store.indexes import BATCHES, FILES, JOBS, META, SEGMENTS, USAGE, Indexes, text_field
from gsvr_tui.store.journal import Change, Delete, Put
from gsvr_tui.store.status import Durability, Recovery, StoreStatus
from gsvr_tui.store.storage import JournalDB
from gsvr_tui.store.ticket import Ticket


class Store:
    """The state folder, open. Methods may be called from any thread; reads never wait for the disk."""

    recovery: Recovery
    answers: AnswerStore

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        wall: Callable[[], float] = time.time,
        filesystem: FileSystem | None = None,
        on_status: Callable[[StoreStatus], None] | None = None,
        read_only: bool = False,
    ) -> Store:
        """Open or make a state folder.

        Raises StoreLocked (somebody else has it), StoreDamaged, StoreTooNew or StoreUnusable; all are StoreError with
        a message and advice, and leave everything as it was. `on_status` is called from the store's own threads.
        """
        return cls(JournalDB(folder, wall=wall, filesystem=filesystem, on_status=on_status, read_only=read_only))

    def __init__(self, database: JournalDB) -> None:
        storage = database.storage
        self._storage = storage
        self._engine = storage.engine
        self.recovery = storage.recovery
        self.answers = AnswerStore(
            storage.files.folder / "answers",
            storage.fs,
            lookup=self._request_for,
            known=self._answered_requests,
            on_status=storage.board.part("answers"),
            make_room=storage.writer.reserve.give_back if storage.writer is not None else lambda error: False,
            read_only=storage.read_only,
        )
        with self._engine.lock:
            self._indexes = Indexes(self._engine.tables, on_answer=self.answers.note)
            self._engine.watcher = self._indexes.watch

    # ------------------------------------------------------------ reading

    @property
    def folder(self) -> Path:
        """Where the state lies."""
        return self._storage.files.folder

    @property
    def read_only(self) -> bool:
        """True when changes are refused."""
        return self._storage.read_only

    @property
    def status(self) -> StoreStatus:
        """How the store stands now."""
        return self._storage.board.status

    @property
    def pending(self) -> int:
        """Records accepted but not on disk."""
        return self._engine.pending

    def batches(self) -> list[Batch]:
        """All batches, oldest first."""
        with self._engine.lock:
            documents = sorted(self._engine.tables.get(BATCHES, {}).items())
        return [codec.decode_batch(doc_id, doc) for doc_id, doc in documents]

    def batch(self, batch_id: str) -> Batch:
        """One batch. Raises KeyError."""
        doc_id = _known_number(batch_id)
        return codec.decode_batch(doc_id, self._get(BATCHES, doc_id, batch_id))

    def jobs(self) -> Iterator[Job]:
        """All jobs in the order of their ids, as they are when they are reached."""
        return self._jobs(self._job_numbers())

    def job(self, job_id: str) -> Job:
        """One job. Raises KeyError."""
        doc_id = _known_number(job_id)
        return codec.decode_job(doc_id, self._get(JOBS, doc_id, job_id))

    def job_ids(self) -> list[str]:
        """The ids of all jobs, ascending."""
        return [id_text(number) for number in self._job_numbers()]

    def job_count(self) -> int:
        """How many jobs there are."""
        return len(self._engine.tables.get(JOBS, {}))

    def jobs_of(self, batch_id: str) -> Iterator[Job]:
        """The jobs of a batch in the order of their ids."""
        with self._engine.lock:
            numbers = self._indexes.jobs_of(batch_id)
        return self._jobs(numbers)

    def segments(self, job_id: str) -> tuple[Segment, ...]:
        """A job's segments by index; none when there are none."""
        try:
            number = number_of(job_id)
        except ValueError:
            return ()
        with self._engine.lock:
            return self._segments(self._indexes.segments_of(number))

    def open_requests(self) -> list[Segment]:
        """The segments whose request is open, oldest intent first."""
        with self._engine.lock:
            return list(self._segments(self._indexes.open_segments()))

    def segment_by_work_key(self, work_key: str) -> Segment | None:
        """A segment that has an answer to the same work, or None."""
        if not work_key:
            return None
        with self._engine.lock:
            number = self._indexes.answered(work_key)
            doc = None if number is None else self._engine.get(SEGMENTS, number)
        segment = None if doc is None else codec.decode_segment(doc)
        return segment if segment is not None and segment.work_key == work_key else None

    def remote_file(self, project: str, content_hash: str) -> RemoteFile | None:
        """The file made from that content in that project, or None."""
        with self._engine.lock:
            doc = self._small(FILES, project, content_hash)
        return None if doc is None else codec.decode_remote_file(doc)

    def remote_files(self) -> list[RemoteFile]:
        """All files known to be in the Files API."""
        return [codec.decode_remote_file(doc) for doc in self._all(FILES)]

    def usage(self) -> list[UsageDay]:
        """What was used, by day, project, model and account."""
        days = [codec.decode_usage(doc) for doc in self._all(USAGE)]
        return sorted(days, key=lambda used: (used.day, used.project, used.model, used.account))

    def meta(self, key: str) -> dict[str, Any] | None:
        """A mapping kept under a name, or None."""
        with self._engine.lock:
            doc = self._small(META, key)
        if doc is None:
            return None
        value: dict[str, Any] = codec.from_text(doc)["value"]
        return value

    def meta_keys(self, prefix: str = "") -> list[str]:
        """The names that have a mapping and begin with `prefix`, sorted."""
        with self._engine.lock:
            keys = self._indexes.keys(META)
        return sorted(key for (key,) in keys if key.startswith(prefix))

    # ------------------------------------------------------------ changing

    def begin(self) -> Transaction:
        """A set of changes that become visible and durable together."""
        return Transaction(self)

    def close(self, timeout_s: float = 10.0, *, give_up: bool = False) -> None:
        """Put everything on disk and let others in.

        Raises StoreUnsaved after `timeout_s` seconds if the disk does not take it; the store then stays open, and a
        second call waits again or, with `give_up`, leaves without the last records.
        """
        self._storage.close(timeout_s, give_up=give_up)
        self.answers.close()

    # ------------------------------------------------------------ inside

    def _small(self, table: str, *key: str) -> bytes | None:
        number = self._indexes.find(table, *key)
        return None if number is None else self._engine.get(table, number)

    def _all(self, table: str) -> list[bytes]:
        with self._engine.lock:
            return list(self._engine.tables.get(table, {}).values())

    def _get(self, table: str, doc_id: int, name: str) -> bytes:
        doc = self._engine.get(table, doc_id)
        if doc is None:
            raise KeyError(name)
        return doc

    def _job_numbers(self) -> list[int]:
        with self._engine.lock:
            return sorted(self._engine.tables.get(JOBS, ()))

    def _jobs(self, numbers: Iterable[int]) -> Iterator[Job]:
        for number in numbers:
            doc = self._engine.get(JOBS, number)
            if doc is not None:
                yield codec.decode_job(number, doc)

    def _segments(self, numbers: Iterable[int]) -> tuple[Segment, ...]:
        documents = self._engine.tables.get(SEGMENTS, {})
        return tuple(codec.decode_segment(documents[number]) for number in numbers)

    def _request_for(self, work_key: str) -> str | None:
        segment = self.segment_by_work_key(work_key)
        return None if segment is None else segment.request_id

    def _answered_requests(self) -> set[str]:
        return {text_field(doc, b"request_id") for doc in self._all(SEGMENTS) if b'"answered"' in doc}

    def _commit(self, steps: list[Change | _AllSegments], level: Durability) -> Ticket:
        with self._engine.lock:
            changes: list[Change] = []
            for step in steps:
                if isinstance(step, _AllSegments):
                    changes += step.deletions(self._indexes, changes)
                else:
                    changes.append(step)
            return self._engine.commit(changes, level)


class _AllSegments:
    """Deletes the segments a job has at the moment of the commit."""

    def __init__(self, job: int) -> None:
        self._job = job

    def deletions(self, indexes: Indexes, before: list[Change]) -> list[Change]:
        numbers = dict.fromkeys(indexes.segments_of(self._job))
        for change in before:
            if isinstance(change, Put) and change.table == SEGMENTS and self._owns(change.doc_id):
                numbers[change.doc_id] = None
        return [Delete(SEGMENTS, number) for number in numbers]

    def _owns(self, doc_id: int) -> bool:
        return doc_id >> codec.SEGMENT_BITS == self._job


class Transaction:
    """Changes in the order they are given; nothing is visible before `commit`. For one thread."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._steps: list[Change | _AllSegments] = []
        self._committed = False

    def put_batch(self, batch: Batch) -> None:
        """Add or replace a batch."""
        self._steps.append(Put(BATCHES, number_of(batch.id), codec.encode_batch(batch)))

    def put_job(self, job: Job) -> None:
        """Add a job, or change it: only the fields that differ are written. Raises DocumentRefused."""
        self._steps.append(Put(JOBS, number_of(job.id), codec.encode_job(job)))

    def put_jobs(self, jobs: Iterable[Job]) -> None:
        """Add or change many jobs."""
        for job in jobs:
            self.put_job(job)

    def put_segment(self, segment: Segment) -> None:
        """Add or change a segment."""
        number = segment_number(segment.job_id, segment.index)
        self._steps.append(Put(SEGMENTS, number, codec.encode_segment(segment)))

    def delete_segments(self, job_id: str) -> None:
        """Remove all segments of a job; the answers stay and are still found by their work key."""
        self._steps.append(_AllSegments(number_of(job_id)))

    def delete_job(self, job_id: str) -> None:
        """Remove a job and its segments; no error when it is not there."""
        self._steps.append(Delete(JOBS, number_of(job_id)))
        self.delete_segments(job_id)

    def delete_batch(self, batch_id: str) -> None:
        """Remove a batch, not its jobs; no error when it is not there."""
        self._steps.append(Delete(BATCHES, number_of(batch_id)))

    def put_remote_file(self, file: RemoteFile) -> None:
        """Add or replace the file of its project and content."""
        number = self._slot(FILES, file.project, file.content_hash)
        self._steps.append(Put(FILES, number, codec.encode_remote_file(file)))

    def forget_remote_file(self, project: str, content_hash: str) -> None:
        """Remove a file's record; no error when it is not there."""
        self._forget(FILES, project, content_hash)

    def put_usage(self, usage: UsageDay) -> None:
        """Set what an account of a project used of a model on a day."""
        number = self._slot(USAGE, usage.project, usage.model, usage.day, usage.account)
        self._steps.append(Put(USAGE, number, codec.encode_usage(usage)))

    def put_meta(self, key: str, value: Mapping[str, Any]) -> None:
        """Keep a mapping of JSON values under a name, in place of the one before."""
        document = {"key": key, "value": dict(value)}
        self._steps.append(Put(META, self._slot(META, key), codec.to_text(document)))

    def forget_meta(self, key: str) -> None:
        """Remove a mapping; no error when it is not there."""
        self._forget(META, key)

    def commit(self, level: Durability = Durability.DURABLE) -> Ticket:
        """Make all changes visible now and durable by `level`: `ticket.wait()` or `await ticket`.

        Raises StoreReadOnly or StoreClosed with nothing changed.
        """
        if self._committed:
            raise StoreError("This transaction has already been committed.")
        self._committed = True
        steps, self._steps = self._steps, []
        return self._store._commit(steps, level)

    def _forget(self, table: str, *key: str) -> None:
        with self._store._engine.lock:
            number = self._store._indexes.find(table, *key)
        if number is not None:
            self._steps.append(Delete(table, number))

    def _slot(self, table: str, *key: str) -> int:
        with self._store._engine.lock:
            return self._store._indexes.slot(table, *key)


def _known_number(text: str) -> int:
    try:
        return number_of(text)
    except ValueError:
        raise KeyError(text) from None
