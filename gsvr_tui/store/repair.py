"""Repair of a damaged state folder: copy everything first, then keep the longest run of whole transactions.

Never skips: what comes after a damaged place may depend on it. Answers are files of their own and untouched; those the
saved state does not know are found again by their first lines.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gsvr_tui.store import migrations
from gsvr_tui.store.errors import StoreDamaged, StoreError, StoreUnusable
from gsvr_tui.store.filesystem import FileSystem, write_atomic
from gsvr_tui.store.journal import Tables, read_journal
from gsvr_tui.store.loading import SNAPSHOT, Files, Replayer, empty_journal
from gsvr_tui.store.lock import FolderLock
from gsvr_tui.store.snapshot import Header, encode_snapshot, read_header, read_snapshot


@dataclass(frozen=True, slots=True)
class RepairReport:
    """What was saved and what was not."""

    copy: Path  # everything as it was found
    source: str  # the file the saved state starts from
    records: int  # journal records saved behind it
    jobs: int
    unread: tuple[tuple[str, int], ...]  # file, bytes of it that could not be used

    @property
    def lossless(self) -> bool:
        """True when every byte behind the source could be used."""
        return not self.unread


@dataclass(slots=True)
class _Candidate:
    source: str
    tables: Tables
    schema: int
    seq: int
    records: int
    unread: list[tuple[str, int]]


def repair(
    folder: Path, *, wall: Callable[[], float] = time.time, filesystem: FileSystem | None = None
) -> RepairReport:
    """Save what can be read of a state folder and put it in place of what is there.

    Raises StoreLocked when it is in use, StoreTooNew when a newer program wrote it (both with nothing changed), and
    StoreUnusable when nothing can be read or there is no room for the copy.
    """
    fs = filesystem or FileSystem()
    files = Files(folder)
    if not folder.is_dir():
        raise StoreUnusable(f"There is no state in {folder}.", "Check the name of the folder.")
    lock = FolderLock(files.lock, wall())
    try:
        return _repair(files, fs, wall())
    except OSError as error:
        raise StoreUnusable(
            f"{folder} could not be repaired: {error.strerror or error}.", "Check that the disk has room and works."
        ) from error
    finally:
        lock.release()


def _repair(files: Files, fs: FileSystem, now: float) -> RepairReport:
    journals = files.journals()
    candidates = [
        found for path in (files.snapshot, files.backup) if (found := _candidate(files, fs, path, journals)) is not None
    ]
    if not candidates and journals[:1] == [0]:
        candidates = [_replay(files, fs, _Candidate("an empty state", {}, migrations.SCHEMA, 0, 0, []), journals)]
    if not candidates:
        raise StoreUnusable(
            f"Neither {files.snapshot} nor {files.backup} can be read.",
            "Restore the folder from a backup, or move it away and start anew; the answers in it stay usable.",
        )
    best = max(candidates, key=lambda candidate: candidate.seq)
    copy = _copy(files, fs, now)
    generation = max([*journals, 0]) + 1
    tables = migrations.migrate(best.tables, best.schema, migrations.SCHEMA, migrations.MIGRATIONS)
    header = Header(migrations.SCHEMA, generation, best.seq)
    empty_journal(files, fs, header)
    write_atomic(fs, files.snapshot, encode_snapshot(header, tables))
    for number in journals:
        fs.unlink(files.journal(number))
    fs.unlink(files.backup)
    fs.fsync_dir(files.folder)
    return RepairReport(copy, best.source, best.records, len(tables.get("jobs", {})), tuple(best.unread))


def _candidate(files: Files, fs: FileSystem, path: Path, journals: list[int]) -> _Candidate | None:
    """The state that starts from a snapshot, or None if that cannot be read. Raises StoreTooNew."""
    if not path.exists():
        return None
    try:
        with fs.reader(path) as file:
            header = read_header(file, path, migrations.SCHEMA)
            tables = read_snapshot(file, path)
    except StoreDamaged:
        return None
    found = _Candidate(path.name, tables, header.schema, header.seq, 0, [])
    return _replay(files, fs, found, [number for number in journals if number >= header.generation])


def _replay(files: Files, fs: FileSystem, found: _Candidate, journals: list[int]) -> _Candidate:
    replayer = Replayer(found.tables)
    whole = True
    before = journals[0] - 1 if journals else 0
    for number in journals:
        path = files.journal(number)
        if not whole or number != before + 1:
            whole = False
            found.unread.append((path.name, path.stat().st_size))
            continue
        with fs.reader(path) as file:
            result = read_journal(
                file,
                path,
                seq=found.seq,
                generation=number,
                schema=migrations.SCHEMA,
                last=True,
                apply=replayer.apply,
                salvage=True,
            )
        found.seq = result.seq
        found.records += result.records
        before = number
        if result.torn:
            whole = False
            found.unread.append((path.name, len(result.torn)))
    replayer.settle()
    return found


def _copy(files: Files, fs: FileSystem, now: float) -> Path:
    """All state files as they are, in a folder of their own."""
    stem = time.strftime("damaged-%Y%m%d-%H%M%S", time.gmtime(now))
    for attempt in range(100):
        target = files.folder / (stem if not attempt else f"{stem}-{attempt}")
        if target.exists():
            continue
        fs.mkdir(target)
        for path in sorted(files.folder.iterdir()):
            if path.is_file() and path.name.startswith(SNAPSHOT) and path not in (files.lock, files.reserve):
                shutil.copy2(path, target / path.name)
        fs.fsync_dir(target)
        return target
    raise StoreError(f"There are already a hundred copies like {stem} in {files.folder}.", "Move some away.")
