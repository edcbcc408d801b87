"""Compaction: the state at one moment becomes the new snapshot, while changes go on into the next journal.

Order: journal G complete on disk → journal G+1 made → snapshot G+1 written beside → old snapshot linked to `.bak` →
rename → folder on disk → journals older than the `.bak` deleted. A crash after any step leaves one readable state, and
`.bak` with the journals kept behind it is a second one.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import threading
from collections.abc import Iterator
from pathlib import Path

from gsvr_tui.store.filesystem import FileSystem, discard, write_whole
from gsvr_tui.store.journal import Tables
from gsvr_tui.store.loading import SNAPSHOT, Files
from gsvr_tui.store.snapshot import Header, encode_snapshot

_log = logging.getLogger(__name__)


class Cancelled(Exception):
    """The compaction was called off; the old snapshot stays."""


class Compactor:
    """At most one compaction at a time, each in its own thread."""

    def __init__(self, files: Files, fs: FileSystem, generation: int, snapshot_bytes: int) -> None:
        self._files, self._fs = files, fs
        self._generation = generation  # of the snapshot in place
        self.snapshot_bytes = snapshot_bytes
        self._thread: threading.Thread | None = None
        self._cancel = threading.Event()
        self._result: Header | None = None
        self.done = 0  # compactions finished well
        self.failed = 0

    @property
    def running(self) -> bool:
        """True while one is under way."""
        return self._thread is not None and self._thread.is_alive()

    def start(self, header: Header, tables: Tables) -> None:
        """Begin writing the snapshot; `tables` must not change any more."""
        thread = threading.Thread(target=self._run, args=(header, tables), name="gsvr-store-compaction", daemon=True)
        thread.start()
        self._thread = thread

    def join(self, timeout_s: float) -> None:
        """Wait for the one under way; after `timeout_s` it is called off."""
        if self._thread is None:
            return
        self._thread.join(timeout_s)
        self._cancel.set()
        self._thread.join()  # it looks at the flag after every piece

    def take_result(self) -> Header | None:
        """The header of a snapshot that was put in place since the last call."""
        result, self._result = self._result, None
        return result

    def _run(self, header: Header, tables: Tables) -> None:
        try:
            self.snapshot_bytes = self._replace(header, tables)
            self._result = header
            self.done += 1
        except Cancelled:
            discard(self._fs, self._temporary)
        except Exception as error:  # the thread's boundary: the journal goes on growing, nothing is lost
            self.failed += 1
            discard(self._fs, self._temporary)
            _log.warning("The state could not be compacted, it goes on in the journal: %s", error)

    @property
    def _temporary(self) -> Path:
        return self._files.folder / (SNAPSHOT + ".tmp")

    def _replace(self, header: Header, tables: Tables) -> int:
        files, fs = self._files, self._fs
        temporary = self._temporary
        length = write_whole(fs, temporary, self._pieces(header, tables))
        if self._cancel.is_set():
            raise Cancelled
        before = self._generation
        self._link_backup()
        fs.rename(temporary, files.snapshot)
        self._generation = header.generation
        fs.fsync_dir(files.folder)
        for number in files.journals():
            if number < before:
                fs.unlink(files.journal(number))
                discard(fs, files.folder / f"{SNAPSHOT}.journal.{number}.torn")
        return length

    def _pieces(self, header: Header, tables: Tables) -> Iterator[bytes]:
        for piece in encode_snapshot(header, tables):
            if self._cancel.is_set():
                raise Cancelled
            yield piece

    def _link_backup(self) -> None:
        """Give the snapshot in place its second name, without a moment in which there is no `.bak`."""
        beside = self._files.backup.with_name(self._files.backup.name + ".tmp")
        discard(self._fs, beside)
        try:
            self._fs.link(self._files.snapshot, beside)
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK):
                raise
            return  # no hard links here: go without a backup
        self._fs.rename(beside, self._files.backup)
        # a rename onto another name of the same file does nothing and leaves both
        with contextlib.suppress(OSError):
            self._fs.unlink(beside)
