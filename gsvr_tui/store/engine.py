"""The state in memory and the queue to the journal: changes are serialised, numbered, applied, and handed on.

Documents are held as their JSON text: small, never shared with anybody, and a snapshot needs no encoding. Every commit
costs what it changes. The writer thread (`writer.py`) takes the lines from here and confirms them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from gsvr_tui.store.errors import DocumentRefused, StoreClosed, StoreReadOnly
from gsvr_tui.store.journal import (
    MAX_DOCUMENT_BYTES,
    Change,
    Clear,
    Delete,
    Put,
    Tables,
    clear_op,
    delete_op,
    patch_op,
    put_op,
    transaction_lines,
)
from gsvr_tui.store.status import Durability
from gsvr_tui.store.ticket import Progress, Ticket

Watcher = Callable[[str, int, bytes | None, bytes | None], None]
"""Told of each change under the lock: table, doc id, text before, text after (None: not there)."""

DELAY_S: Mapping[Durability, float] = {Durability.DURABLE: 0.0, Durability.SOON: 1.0, Durability.LOSSY: 5.0}


@dataclass(frozen=True, slots=True)
class Batch:
    """Lines to be written together, and the number of the last one."""

    data: bytes
    seq: int
    tables: Tables | None = None  # a consistent copy of the state at `seq`, when one was asked for


class Engine:
    """All methods may be called from any thread."""

    def __init__(self, tables: Tables, seq: int, *, read_only: bool = False) -> None:
        self.lock = threading.RLock()
        self.tables = tables
        self.progress = Progress(seq)
        self.watcher: Watcher | None = None
        self._read_only = read_only
        self._wake = threading.Condition(self.lock)
        self._lines: list[bytes] = []
        self._seq = seq
        self._due: float | None = None  # monotonic time at which the lines must be on their way
        self._lossy: dict[tuple[str, int], bytes | None] = {}  # text before the first unwritten lossy change
        self._closing = False
        self._ended = False  # the writer has taken the last lines there will be

    @property
    def seq(self) -> int:
        """Number of the last accepted line."""
        return self._seq

    @property
    def pending(self) -> int:
        """Lines accepted but not on disk."""
        return self._seq - self.progress.durable

    def get(self, table: str, doc_id: int) -> bytes | None:
        """The text of a document."""
        documents = self.tables.get(table)
        return None if documents is None else documents.get(doc_id)

    # ------------------------------------------------------------ changing

    def commit(self, changes: Sequence[Change], level: Durability = Durability.DURABLE) -> Ticket:
        """Apply all changes or none, visible at once, on disk by `level`.

        Raises DocumentRefused (state unchanged), StoreReadOnly or StoreClosed.
        """
        if self._read_only:
            raise StoreReadOnly
        for change in changes:
            _check(change)
        with self.lock:
            if self._closing:
                raise StoreClosed
            if level is Durability.LOSSY and self._keep_back(changes):
                return self._ticket(level)
            ops = self._ops(changes)
            if ops:
                lines = transaction_lines(self._seq + 1, ops)
                self._apply(changes)
                self._lines += lines
                self._seq += len(lines)
            return self._ticket(level)

    def _ticket(self, level: Durability) -> Ticket:
        seq = self._seq + 1 if level is Durability.LOSSY and self._lossy else self._seq
        if self._lines or self._lossy:
            due = time.monotonic() + DELAY_S[level]
            if self._due is None or due < self._due:
                self._due = due
                self._wake.notify_all()
        return Ticket(self.progress, seq)

    def _ops(self, changes: Sequence[Change]) -> list[bytes]:
        """What to write so that a replay ends where `_apply` will; nothing for what changes nothing."""
        ops: list[bytes] = []
        ahead: dict[tuple[str, int], bytes | None] = {}  # documents this very transaction has touched
        cleared: set[str] = set()
        for change in changes:
            if isinstance(change, Clear):
                ops.append(clear_op(change.table))
                cleared.add(change.table)
                ahead = {key: doc for key, doc in ahead.items() if key[0] != change.table}
                self._forget_lossy(change.table)
                continue
            key = (change.table, change.doc_id)
            if key in ahead:
                old = ahead[key]
            elif change.table in cleared:
                old = None
            else:
                # a lossy change is in memory, not in the journal: the patch starts from what the journal knows
                old = self._lossy.pop(key) if key in self._lossy else self.get(*key)
            new = change.doc if isinstance(change, Put) else None
            ahead[key] = new
            if old == new:
                continue
            if new is None:
                ops.append(delete_op(*key))
            elif old is None:
                ops.append(put_op(change.table, change.doc_id, new))
            else:
                ops.append(patch_op(change.table, change.doc_id, old, new))
        return ops

    def _apply(self, changes: Sequence[Change]) -> None:
        watcher = self.watcher
        for change in changes:
            if isinstance(change, Clear):
                gone = self.tables.get(change.table, {})
                self.tables[change.table] = {}
                if watcher is not None:
                    for doc_id, doc in gone.items():
                        watcher(change.table, doc_id, doc, None)
                continue
            table = self.tables.setdefault(change.table, {})
            old = table.get(change.doc_id)
            new = change.doc if isinstance(change, Put) else None
            if new is not None:
                table[change.doc_id] = new
            elif old is not None:
                del table[change.doc_id]
            if watcher is not None and old != new:
                watcher(change.table, change.doc_id, old, new)

    # ------------------------------------------------------------ lossy changes

    def _keep_back(self, changes: Sequence[Change]) -> bool:
        """Apply puts of existing documents in memory only; the writer turns the last state of each into one op."""
        if not all(isinstance(change, Put) and self.get(change.table, change.doc_id) for change in changes):
            return False
        for change in changes:
            if isinstance(change, Put):
                key = (change.table, change.doc_id)
                self._lossy.setdefault(key, self.get(*key))
        self._apply(changes)
        return True

    def _forget_lossy(self, table: str) -> None:
        for key in [key for key in self._lossy if key[0] == table]:
            del self._lossy[key]

    def _write_lossy(self) -> None:
        held, self._lossy = self._lossy, {}
        ops = [
            patch_op(*key, old, new)
            for key, old in held.items()
            if old is not None and (new := self.get(*key)) is not None and new != old
        ]
        if held:  # also with no ops: somebody may hold a ticket for the next number
            lines = transaction_lines(self._seq + 1, ops)
            self._lines += lines
            self._seq += len(lines)

    # ------------------------------------------------------------ for the writer

    def take(self, *, copy: bool = False) -> Batch | None:
        """Wait for lines that are due; None when the engine is closing and nothing is left. One caller only.

        Once the engine is closing everything is due. With `copy` the batch comes at once and carries the state.
        """
        with self.lock:
            while not (copy or self._closing):
                wait_s = None if self._due is None else self._due - time.monotonic()
                if wait_s is not None and wait_s <= 0:
                    break
                self._wake.wait(wait_s)
            self._write_lossy()
            lines, self._lines, self._due = self._lines, [], None
            if not lines and not copy and self._closing:
                self._ended = True
                return None
            tables = {name: dict(table) for name, table in self.tables.items()} if copy else None
            return Batch(b"".join(lines), self._seq, tables)

    @property
    def closing(self) -> bool:
        """True when no more changes are accepted."""
        return self._closing

    def stop(self) -> None:
        """Accept no more changes and let the writer finish."""
        with self.lock:
            self._closing = True
            self._wake.notify_all()

    def resume(self) -> bool:
        """Accept changes again: the close was called off. False when everything has been written meanwhile."""
        with self.lock:
            if not self._ended:
                self._closing = False
            return not self._ended


def _check(change: Change) -> None:
    if not change.table.isidentifier():
        raise DocumentRefused(f"{change.table!r} cannot be the name of a table.")
    if isinstance(change, Put) and len(change.doc) > MAX_DOCUMENT_BYTES:
        raise DocumentRefused(f"A document of {len(change.doc)} bytes is too big for the state.")
    if isinstance(change, Put | Delete) and change.doc_id < 0:
        raise DocumentRefused(f"{change.doc_id} cannot be the id of a document.")
