"""Opening: snapshot + journals → the state, telling a torn tail (normal) from damage (refused)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gsvr_tui.store.errors import StoreDamaged
from gsvr_tui.store.filesystem import FileSystem, discard, write_atomic, write_whole
from gsvr_tui.store.journal import Document, Tables, dump, header_line, load, read_journal
from gsvr_tui.store.migrations import Migration, migrate
from gsvr_tui.store.snapshot import HEADER_TABLE, Header, encode_snapshot, read_header, read_snapshot
from gsvr_tui.store.status import Recovery

SNAPSHOT = "state.json"
_JOURNAL = re.compile(r"state\.json\.journal\.(\d+)\Z")
_OPEN_DOCUMENTS = 4_000  # decoded at a time during a replay


@dataclass(frozen=True, slots=True)
class Files:
    """The names in a state folder."""

    folder: Path

    @property
    def snapshot(self) -> Path:
        """The state as of a generation."""
        return self.folder / SNAPSHOT

    @property
    def backup(self) -> Path:
        """The snapshot before."""
        return self.folder / (SNAPSHOT + ".bak")

    @property
    def lock(self) -> Path:
        """Locked by the one writer."""
        return self.folder / (SNAPSHOT + ".lock")

    @property
    def reserve(self) -> Path:
        """Space that is given back when the disk is full."""
        return self.folder / (SNAPSHOT + ".reserve")

    def journal(self, generation: int) -> Path:
        """Transactions since the snapshot of that generation."""
        return self.folder / f"{SNAPSHOT}.journal.{generation}"

    def journals(self) -> list[int]:
        """Generations of the journals there are, ascending."""
        if not self.folder.is_dir():
            return []
        return sorted(int(match[1]) for path in self.folder.iterdir() if (match := _JOURNAL.match(path.name)))


@dataclass(slots=True)
class Loaded:
    """The state as found, and where to go on writing."""

    tables: Tables
    seq: int
    generation: int  # of the snapshot
    journal: int  # generation of the journal to append to
    journal_length: int  # its good bytes
    journal_bytes: int  # of all journals behind the snapshot
    snapshot_bytes: int
    recovery: Recovery


class Replayer:
    """Applies journal ops to tables. A document that is patched often is decoded once and encoded once."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._open: dict[tuple[str, int], Document] = {}

    def apply(self, ops: list[Any]) -> None:
        """Apply one transaction. Raises KeyError or ValueError for what does not fit."""
        for op in ops:
            kind = op[0]
            if kind == "u":
                self._patch(op[1], op[2], op[3], op[4])
            elif kind == "p":
                self._open.pop((op[1], op[2]), None)
                self._tables.setdefault(op[1], {})[int(op[2])] = dump(op[3])
            elif kind == "d":
                self._open.pop((op[1], op[2]), None)
                del self._tables[op[1]][op[2]]
            elif kind == "c":
                self.settle()
                self._tables.setdefault(op[1], {}).clear()
            else:
                raise ValueError(f"unknown op {kind!r}")

    def _patch(self, table: str, doc_id: int, changed: Document, removed: list[str]) -> None:
        document = self._open.get((table, doc_id))
        if document is None:
            if len(self._open) >= _OPEN_DOCUMENTS:
                self.settle()
            document = self._open[table, doc_id] = load(self._tables[table][doc_id])
        document.update(changed)
        for key in removed:
            del document[key]

    def settle(self) -> None:
        """Write what is decoded back into the tables."""
        for (table, doc_id), document in self._open.items():
            self._tables[table][doc_id] = dump(document)
        self._open.clear()


def load_state(
    files: Files, fs: FileSystem, *, schema: int, migrations: Mapping[int, Migration], read_only: bool
) -> Loaded:
    """Read the folder; unless `read_only`, cut a torn tail (kept in `*.torn`), migrate, and make what is missing.

    Raises StoreDamaged or StoreTooNew with nothing changed, OSError when a file cannot be read or written.
    """
    journals = files.journals()
    if not files.snapshot.exists():
        if any(fs_size(files.journal(number)) for number in journals) or files.backup.exists():
            raise StoreDamaged(str(files.snapshot), 0, "it is missing, but its journal or backup is there")
        return _fresh(files, fs, schema, read_only)
    with fs.reader(files.snapshot) as file:
        header = read_header(file, files.snapshot, schema)
        tables = read_snapshot(file, files.snapshot)
        snapshot_bytes = file.tell()
    loaded = Loaded(tables, header.seq, header.generation, header.generation, 0, 0, snapshot_bytes, Recovery())
    numbers = [number for number in journals if number >= header.generation]
    if header.generation not in numbers and (header.generation or header.seq):
        # a journal is always made before the snapshot it follows, but for the very first
        raise StoreDamaged(str(files.journal(header.generation)), 0, "it is missing")
    numbers = _in_use(files, fs, numbers)
    torn = _replay(files, fs, loaded, numbers, header.schema)
    if not read_only:
        _tidy(files, fs, loaded, torn)
    loaded.recovery = Recovery(
        generation=loaded.generation,
        replayed=loaded.recovery.replayed,
        torn_bytes=len(torn),
        torn_file=torn_name(files, loaded.journal) if torn and not read_only else None,
        migrated_from=header.schema if header.schema < schema else None,
    )
    if header.schema < schema:
        loaded.tables = migrate(loaded.tables, header.schema, schema, migrations)
        if not read_only:
            _keep_old_version(files, fs, header.schema)
            loaded.journal += 1
            loaded.generation = loaded.journal
            header = Header(schema, loaded.generation, loaded.seq)
            loaded.journal_length = loaded.journal_bytes = empty_journal(files, fs, header)
            loaded.snapshot_bytes = write_atomic(fs, files.snapshot, encode_snapshot(header, loaded.tables))
    return loaded


def _fresh(files: Files, fs: FileSystem, schema: int, read_only: bool) -> Loaded:
    length = 0
    if not read_only:
        length = write_atomic(fs, files.snapshot, encode_snapshot(Header(schema, 0, 0), {}))
    return Loaded({}, 0, 0, 0, 0, 0, length, Recovery(fresh=True))


def _in_use(files: Files, fs: FileSystem, numbers: list[int]) -> list[int]:
    """Without the journals at the end that were made and never used: a crash or a full disk came in between."""
    while len(numbers) > 1:
        with fs.reader(files.journal(numbers[-1])) as file:
            file.readline()
            if file.readline():
                break
        numbers = numbers[:-1]
    return numbers


def _replay(files: Files, fs: FileSystem, loaded: Loaded, numbers: list[int], schema: int) -> bytes:
    """Apply the journals in order; returns the torn tail of the last one."""
    if numbers and numbers != list(range(loaded.generation, loaded.generation + len(numbers))):
        missing = next(n for n in range(loaded.generation, numbers[-1] + 1) if n not in numbers)
        raise StoreDamaged(str(files.journal(missing)), 0, "it is missing, but a newer journal is there")
    replayer = Replayer(loaded.tables)
    torn = b""
    records = 0
    for number in numbers:
        path = files.journal(number)
        with fs.reader(path) as file:
            result = read_journal(
                file,
                path,
                seq=loaded.seq,
                generation=number,
                schema=schema,
                last=number == numbers[-1],
                apply=replayer.apply,
            )
        loaded.seq = result.seq
        loaded.journal, loaded.journal_length = number, result.length
        loaded.journal_bytes += result.length
        records += result.records
        torn = result.torn
    replayer.settle()
    loaded.tables.pop(HEADER_TABLE, None)
    loaded.recovery = Recovery(replayed=records)
    return torn


def _tidy(files: Files, fs: FileSystem, loaded: Loaded, torn: bytes) -> None:
    discard(fs, files.snapshot.with_name(SNAPSHOT + ".tmp"))
    if not torn:
        return
    write_whole(fs, torn_name(files, loaded.journal), [torn])
    fs.fsync_dir(files.folder)
    fd = fs.open(files.journal(loaded.journal))
    try:
        fs.truncate(fd, loaded.journal_length)
        fs.fsync(fd)
    finally:
        fs.close(fd)


def torn_name(files: Files, generation: int) -> Path:
    """Where the cut tail of a journal is kept."""
    path = files.journal(generation)
    return path.with_name(path.name + ".torn")


def _keep_old_version(files: Files, fs: FileSystem, schema: int) -> None:
    old = files.folder / f"{SNAPSHOT}.v{schema}.bak"
    fs.unlink(old)
    fs.link(files.snapshot, old)


def fs_size(path: Path) -> int:
    """Bytes of a file, 0 when it is not there."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def empty_journal(files: Files, fs: FileSystem, header: Header) -> int:
    """Make the journal that follows a snapshot about to be written; returns its length."""
    fd, length = start_journal(files, fs, header.generation, header.seq, header.schema)
    fs.close(fd)
    return length


def start_journal(files: Files, fs: FileSystem, generation: int, seq: int, schema: int) -> tuple[int, int]:
    """Make a new journal, on disk with its name; returns its descriptor and length."""
    line = header_line(seq, generation, schema)
    path = files.journal(generation)
    fd = fs.open(path)
    try:
        fs.truncate(fd, 0)
        written = fs.write(fd, line)
        if written != len(line):
            raise OSError(28, "the first line of a journal did not fit")
        fs.fsync(fd)
        fs.fsync_dir(files.folder)
    except OSError:
        fs.close(fd)
        raise
    return fd, len(line)
