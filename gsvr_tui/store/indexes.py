"""Own indexes over the documents, kept right with every change: TinyDB's full scans take 24 ms at 100,000 documents.

Values are read out of a document's text without decoding it: a `"` inside JSON text is always escaped, so
`"field":"` can only be the field itself.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable
from hashlib import blake2b

from gsvr_tui.store.codec import MAX_SEGMENTS, SEGMENT_BITS
from gsvr_tui.store.journal import Tables, load

BATCHES, JOBS, SEGMENTS, FILES, USAGE, META = "batches", "jobs", "segments", "uploads", "usage", "meta"

_KEYED = {FILES: ("project", "content_hash"), USAGE: ("project", "model", "day"), META: ("key",)}
OnAnswer = Callable[[str, str, bool], None]
"""Told under the lock that a segment knows an answer now (True) or no longer: work key, request id."""

_OPEN = b'"request_state":"open"'
_ANSWERED = b'"request_state":"answered"'


def text_field(doc: bytes, name: bytes) -> str:
    """A text field of a document, empty when it is not there."""
    mark = b'"%b":"' % name
    start = doc.find(mark)
    if start < 0:
        return ""
    start += len(mark)
    value = doc[start : doc.index(b'"', start)]
    return str(load(doc)[name.decode()]) if b"\\" in value else value.decode()


def _hash(*key: str) -> int:
    return int.from_bytes(blake2b("\0".join(key).encode("utf-8", "surrogatepass"), digest_size=7).digest(), "big")


class Indexes:
    """Not thread-safe by itself: used under the engine's lock."""

    def __init__(self, tables: Tables, *, on_answer: OnAnswer = lambda work_key, request_id, known: None) -> None:
        self._tables = tables
        self._on_answer: OnAnswer = lambda work_key, request_id, known: None  # not for what is there already
        self._by_batch: dict[str, array[int]] = {}
        self._open: dict[int, None] = {}  # ordered set of segments
        self._answered: dict[int, int] = {}  # hash of the work key → segment
        self._last_index: dict[int, int] = {}  # job → its highest segment index, when that is not 0
        self._slots: dict[tuple[str, ...], int] = {}  # (table, *key) → document
        for table, documents in list(tables.items()):
            if table in (JOBS, SEGMENTS) or table in _KEYED:
                for doc_id, doc in documents.items():
                    self.watch(table, doc_id, None, doc)
        self._on_answer = on_answer

    def watch(self, table: str, doc_id: int, old: bytes | None, new: bytes | None) -> None:
        """A document has changed from `old` to `new`."""
        if table == JOBS:
            self._job(doc_id, old, new)
        elif table == SEGMENTS:
            self._segment(doc_id, old, new)
        elif table in _KEYED and new is not None:
            document = load(new)
            self._slots[table, *[_key_text(document, name) for name in _KEYED[table]]] = doc_id

    # ------------------------------------------------------------ jobs

    def _job(self, doc_id: int, old: bytes | None, new: bytes | None) -> None:
        before = None if old is None else text_field(old, b"batch_id")
        after = None if new is None else text_field(new, b"batch_id")
        if before == after:
            return
        if before is not None:
            ids = self._by_batch[before]
            del ids[bisect_left(ids, doc_id)]
        if after is not None:
            ids = self._by_batch.setdefault(after, array("q"))
            if not ids or ids[-1] < doc_id:
                ids.append(doc_id)
            else:
                ids.insert(bisect_left(ids, doc_id), doc_id)

    def jobs_of(self, batch_id: str) -> Iterable[int]:
        """Document ids of a batch's jobs, ascending."""
        return list(self._by_batch.get(batch_id, ()))

    # ------------------------------------------------------------ segments

    def _segment(self, doc_id: int, old: bytes | None, new: bytes | None) -> None:
        job, index = doc_id >> SEGMENT_BITS, doc_id & (MAX_SEGMENTS - 1)
        if new is None:
            if self._last_index.get(job) == index:
                del self._last_index[job]
                if index > 1:
                    self._last_index[job] = index - 1
        elif index > self._last_index.get(job, 0):
            self._last_index[job] = index
        if new is not None and _OPEN in new:
            self._open[doc_id] = None
        else:
            self._open.pop(doc_id, None)
        if old is not None and _ANSWERED in old and (work_key := text_field(old, b"work_key")):
            slot = _hash(work_key)
            if self._answered.get(slot) == doc_id:
                del self._answered[slot]
                self._on_answer(work_key, text_field(old, b"request_id"), False)
        if new is not None and _ANSWERED in new and (work_key := text_field(new, b"work_key")):
            self._answered[_hash(work_key)] = doc_id
            self._on_answer(work_key, text_field(new, b"request_id"), True)

    def segments_of(self, job: int) -> list[int]:
        """Document ids of a job's segments, by index."""
        documents = self._tables.get(SEGMENTS, {})
        first = job << SEGMENT_BITS
        return [n for n in range(first, first + self._last_index.get(job, 0) + 1) if n in documents]

    def open_segments(self) -> list[int]:
        """Document ids of the segments whose request is open, oldest intent first."""
        return list(self._open)

    def answered(self, work_key: str) -> int | None:
        """A segment whose answer fits the key. The caller compares the key itself: this goes by a hash."""
        return self._answered.get(_hash(work_key))

    # ------------------------------------------------------------ the small tables

    def slot(self, table: str, *key: str) -> int:
        """The document id for a key: the one it has, or one that is free and now set aside for it."""
        found = self._slots.get((table, *key))
        if found is None:
            found = _hash(*key)
            taken = self._tables.get(table, {})
            reserved = {doc_id for (name, *_), doc_id in self._slots.items() if name == table}
            while found in taken or found in reserved:
                found += 1
            self._slots[table, *key] = found
        return found


def _key_text(document: dict[str, object], name: str) -> str:
    return str(document.get(name, ""))
