"""TinyDB over the journal: a Storage that writes changes only, and the Table that goes with it."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import time
from collections.abc import Callable, ItemsView, Iterable, Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import Any, cast

from tinydb import TinyDB
from tinydb.queries import QueryLike
from tinydb.storages import Storage
from tinydb.table import Document, Table

from gsvr_tui.store import migrations
from gsvr_tui.store.engine import Engine
from gsvr_tui.store.errors import StoreReadOnly, StoreUnusable
from gsvr_tui.store.filesystem import FileSystem
from gsvr_tui.store.journal import Change, Clear, Delete, Put, dump, load
from gsvr_tui.store.loading import Files, Loaded, load_state
from gsvr_tui.store.lock import FolderLock
from gsvr_tui.store.network import network_kind
from gsvr_tui.store.status import Durability, Recovery, StatusBoard, StoreStatus
from gsvr_tui.store.ticket import Ticket
from gsvr_tui.store.writer import COMPACT_BYTES, RETRY_S, Writer

Fields = Mapping[str, Any] | Callable[[MutableMapping[str, Any]], None]


class TableView(Mapping[str, dict[str, Any]]):
    """A table as TinyDB wants to read it. Every document it gives is a fresh copy."""

    def __init__(self, documents: dict[int, bytes]) -> None:
        self._documents = documents

    def __getitem__(self, key: str) -> dict[str, Any]:
        return load(self._documents[int(key)])

    def __iter__(self) -> Iterator[str]:
        return map(str, list(self._documents))

    def __len__(self) -> int:
        return len(self._documents)

    def items(self) -> ItemsView[str, dict[str, Any]]:
        return _Items(self)


class _Items(ItemsView[str, dict[str, Any]]):
    def __init__(self, view: TableView) -> None:
        super().__init__(view)
        self._documents = view._documents

    def __iter__(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for doc_id, doc in list(self._documents.items()):
            yield str(doc_id), load(doc)


class JournalStorage(Storage):
    """A state folder, opened. Raises StoreLocked, StoreDamaged, StoreTooNew or StoreUnusable.

    `read()` gives views, not copies of everything; `write()` exists only to satisfy TinyDB and raises.
    """

    def __init__(
        self,
        folder: Path,
        *,
        wall: Callable[[], float] = time.time,
        filesystem: FileSystem | None = None,
        on_status: Callable[[StoreStatus], None] | None = None,
        read_only: bool = False,
        retry_s: tuple[float, float] = RETRY_S,
        compact_bytes: int = COMPACT_BYTES,
    ) -> None:
        self.files = Files(folder)
        self.fs = filesystem or FileSystem()
        self.read_only = read_only
        self.board = StatusBoard(on_status)
        self._lock: FolderLock | None = None
        self.writer: Writer | None = None
        if not read_only:
            _make_private(folder, self.fs)
            self._lock = FolderLock(self.files.lock, wall())
        try:
            loaded = self._load()
            self.recovery = _with_notes(loaded.recovery, folder)
            self.engine = Engine(loaded.tables, loaded.seq, read_only=read_only)
            if not read_only:
                self.writer = Writer(
                    self.engine,
                    self.files,
                    self.fs,
                    loaded,
                    schema=migrations.SCHEMA,
                    on_status=self.board.part("journal"),
                    retry_s=retry_s,
                    compact_bytes=compact_bytes,
                )
        except OSError as error:
            self._unlock()
            raise StoreUnusable(
                f"Cannot open the state in {folder}: {error.strerror or error}.",
                "Check that the disk has room and that the folder may be written to.",
            ) from error
        except BaseException:
            self._unlock()
            raise
        if self.writer is not None:
            self.writer.start()

    def _load(self) -> Loaded:
        tries = 5 if self.read_only else 1
        while True:
            tries -= 1
            try:
                return load_state(
                    self.files,
                    self.fs,
                    schema=migrations.SCHEMA,
                    migrations=migrations.MIGRATIONS,
                    read_only=self.read_only,
                )
            except FileNotFoundError:
                # somebody else compacted while we read along: what we were looking for is in the new snapshot
                if tries <= 0:
                    raise

    def read(self) -> dict[str, Any]:
        """All tables, as views."""
        return {name: TableView(table) for name, table in dict(self.engine.tables).items()}

    def write(self, data: dict[str, Any]) -> None:
        """Not for this storage: the whole state is never written in place of a change."""
        raise NotImplementedError("JournalStorage writes changes, never everything")

    def commit(self, changes: list[Change], level: Durability = Durability.DURABLE) -> Ticket:
        """Apply changes together; see Engine.commit."""
        return self.engine.commit(changes, level)

    def close(self, timeout_s: float = 10.0, *, give_up: bool = False) -> None:
        """Write everything, let others in. Raises StoreUnsaved (and stays open) when the disk does not take it."""
        if self.writer is not None:
            ended = self.writer.close(timeout_s, give_up=give_up)
            self.writer = None
            if not ended:
                return  # the lock goes with the process
        self._unlock()

    def _unlock(self) -> None:
        if self._lock is not None:
            self._lock.release()
            self._lock = None


def _with_notes(recovery: Recovery, folder: Path) -> Recovery:
    kind = network_kind(folder)
    if not kind:
        return recovery
    note = f"The state folder {folder} is on a network drive ({kind}): use it from one machine at a time."
    return dataclasses.replace(recovery, notes=(*recovery.notes, note))


def _make_private(folder: Path, fs: FileSystem) -> None:
    try:
        missing = [path for path in (folder, *folder.parents) if not path.exists()]
        fs.mkdir(folder)
        for path in missing:  # else a power cut takes the folder with everything that is safe in it
            with contextlib.suppress(PermissionError):
                fs.fsync_dir(path.parent)
        if os.name != "nt" and folder.stat().st_mode & 0o077:
            folder.chmod(0o700)
    except OSError as error:
        raise StoreUnusable(
            f"Cannot use {folder} for the state: {error.strerror or error}.", "Choose a folder you may write to."
        ) from error


class JournalTable(Table):
    """TinyDB's table with every change O(change). A change is on disk when the method returns."""

    _storage: JournalStorage
    _free_id: int | None = None

    def _read_table(self) -> TableView:  # type: ignore[override] # read only by TinyDB, whatever it says
        return TableView(self._storage.engine.tables.get(self.name, {}))

    def _update_table(self, updater: Any) -> None:
        """Not used: a method of a newer TinyDB that would fall back to rewriting everything fails loudly here."""
        raise NotImplementedError("JournalTable does not rewrite whole tables")

    def insert(self, document: Mapping[str, Any]) -> int:
        """Add one document; returns its id."""
        return self.insert_multiple([document])[0]

    def insert_multiple(self, documents: Iterable[Mapping[str, Any]]) -> list[int]:
        """Add all or none; returns their ids."""
        with self._storage.engine.lock:
            ids = self._insert(documents)
        self._wait()
        return ids

    def _insert(self, documents: Iterable[Mapping[str, Any]]) -> list[int]:
        table = self._storage.engine.tables.get(self.name, {})
        free = self._free_id if self._free_id is not None else max(table, default=0) + 1
        puts: dict[int, Put] = {}
        for document in documents:
            if not isinstance(document, Mapping):
                raise ValueError("Document is not a Mapping")
            while free in table or free in puts:
                free += 1
            doc_id = document.doc_id if isinstance(document, Document) else free
            if doc_id in table or doc_id in puts:
                raise ValueError(f"Document with ID {doc_id} already exists")
            puts[doc_id] = Put(self.name, doc_id, dump(dict(document)))
        self._commit(list(puts.values()))
        self._free_id = max([free - 1, *puts]) + 1
        return list(puts)

    def update(self, fields: Fields, cond: QueryLike | None = None, doc_ids: Iterable[int] | None = None) -> list[int]:
        """Change the documents named or matching, all or none; returns their ids."""
        with self._storage.engine.lock:
            changed = self._matching(cond, doc_ids)
            for document in changed.values():
                _change(document, fields)
            self._put(changed)
        self._wait()
        return list(changed)

    def update_multiple(self, updates: Iterable[tuple[Fields, QueryLike]]) -> list[int]:
        """Several conditional updates in one step; returns the ids, once per update that matched."""
        pairs = list(updates)
        ids: list[int] = []
        with self._storage.engine.lock:
            changed: dict[int, dict[str, Any]] = {}
            for key, document in self._read_table().items():
                for fields, cond in pairs:
                    if cond(document):
                        ids.append(int(key))
                        _change(document, fields)
                        changed[int(key)] = document
            self._put(changed)
        self._wait()
        return ids

    def upsert(self, document: Mapping[str, Any], cond: QueryLike | None = None) -> list[int]:
        """Update what matches (or has the document's id), or insert it: one transaction."""
        with self._storage.engine.lock:
            if isinstance(document, Document):
                found = self._matching(None, [document.doc_id])
            elif cond is None:
                raise ValueError(
                    "If you don't specify a search query, you must specify a doc_id. Hint: use a table.Document object."
                )
            else:
                found = self._matching(cond, None)
            for existing in found.values():
                existing.update(document)
            self._put(found)
            ids = list(found) or self._insert([document])
        self._wait()
        return ids

    def remove(self, cond: QueryLike | None = None, doc_ids: Iterable[int] | None = None) -> list[int]:
        """Remove the documents named or matching; returns their ids."""
        if cond is None and doc_ids is None:
            raise RuntimeError("Use truncate() to remove all documents")
        with self._storage.engine.lock:
            ids = list(self._matching(cond, doc_ids))
            self._commit([Delete(self.name, doc_id) for doc_id in ids])
        self._wait()
        return ids

    def truncate(self) -> None:
        """Remove all documents."""
        with self._storage.engine.lock:
            self._commit([Clear(self.name)])
            self._free_id = None
        self._wait()

    def _matching(self, cond: QueryLike | None, doc_ids: Iterable[int] | None) -> dict[int, dict[str, Any]]:
        table = self._storage.engine.tables.get(self.name, {})
        if doc_ids is not None:
            return {doc_id: load(table[doc_id]) for doc_id in doc_ids if doc_id in table}
        found = ((doc_id, load(doc)) for doc_id, doc in table.items())
        return {doc_id: document for doc_id, document in found if cond is None or cond(document)}

    def _put(self, documents: Mapping[int, Mapping[str, Any]]) -> None:
        self._commit([Put(self.name, doc_id, dump(document)) for doc_id, document in documents.items()])

    def _commit(self, changes: list[Change]) -> None:
        self._ticket = self._storage.commit(changes)
        self.clear_cache()

    def _wait(self) -> None:
        self._ticket.wait()


def _change(document: dict[str, Any], fields: Fields) -> None:
    if callable(fields):
        fields(document)
    else:
        document.update(fields)


class JournalDB(TinyDB):
    """TinyDB whose tables are journaled."""

    table_class = JournalTable
    default_storage_class = JournalStorage  # type: ignore[assignment] # TinyDB means any Storage

    @property
    def storage(self) -> JournalStorage:
        """The open state folder."""
        return cast(JournalStorage, self._storage)

    def drop_table(self, name: str) -> None:
        """Remove all documents of a table."""
        self._check_open()
        self.table(name).truncate()

    def drop_tables(self) -> None:
        """Remove all documents of all tables, in one step."""
        self._check_open()
        changes: list[Change] = [Clear(name) for name in self.storage.engine.tables]
        self.storage.commit(changes).wait()
        self._tables.clear()

    def _check_open(self) -> None:
        if self.storage.read_only:
            raise StoreReadOnly
