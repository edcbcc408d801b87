"""The one thread that writes the journal: group commit, stalls it gets over by itself, compaction when it is due."""

from __future__ import annotations

import errno
import logging
import threading
import time
from collections.abc import Callable

from gsvr_tui.store.compaction import Compactor
from gsvr_tui.store.engine import Engine
from gsvr_tui.store.errors import StoreUnsaved
from gsvr_tui.store.filesystem import FileSystem, discard, write_all
from gsvr_tui.store.loading import Files, Loaded, start_journal
from gsvr_tui.store.reserve import Reserve
from gsvr_tui.store.snapshot import Header
from gsvr_tui.store.status import StoreStatus

_log = logging.getLogger(__name__)

COMPACT_BYTES = 4 << 20
RETRY_S = (1.0, 5.0)


class _GivenUp(Exception):
    """The user chose to leave without the last records."""


class Writer:
    """Takes batches from the engine and puts them on disk, for as long as it takes."""

    def __init__(
        self,
        engine: Engine,
        files: Files,
        fs: FileSystem,
        loaded: Loaded,
        *,
        schema: int,
        on_status: Callable[[StoreStatus], None],
        retry_s: tuple[float, float] = RETRY_S,
        compact_bytes: int = COMPACT_BYTES,
    ) -> None:
        self._engine, self._files, self._fs = engine, files, fs
        self._schema = schema
        self.reserve = Reserve(files.reserve, fs)
        self._on_status = on_status
        self._retry_s = retry_s
        self._compact_bytes = compact_bytes
        self._generation = loaded.journal
        self._length = loaded.journal_length  # of the current journal, on disk for sure
        self._older_bytes = loaded.journal_bytes - loaded.journal_length  # journals between snapshot and this one
        self._next_compaction = 0
        self.compactor = Compactor(files, fs, loaded.generation, loaded.snapshot_bytes)
        self._status = StoreStatus()
        self._hurry = threading.Event()
        self._abandon = threading.Event()
        if self._length:
            self._fd: int | None = self._reopen()
            try:
                fs.fsync(self._fd)  # what the process before had accepted but not synced counts from here on
            except OSError:
                self._drop_fd()
                raise
        else:
            self._fd, self._length = start_journal(files, fs, self._generation, engine.seq, schema)
        self._thread = threading.Thread(target=self._run, name="gsvr-store-writer", daemon=True)

    @property
    def status(self) -> StoreStatus:
        """How it stands now."""
        return self._status

    def start(self) -> None:
        """Begin writing."""
        self._thread.start()

    def close(self, timeout_s: float, *, give_up: bool) -> bool:
        """Write everything and end. Raises StoreUnsaved after `timeout_s` seconds unless `give_up`.

        False when the thread hangs in a call into the system, so that nobody else may write to the folder yet.
        """
        deadline = time.monotonic() + timeout_s
        self._engine.stop()
        self._hurry.set()
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            if not give_up and self._engine.resume():
                raise StoreUnsaved(self._engine.pending, self._status.reason or "the disk is slow")
            self._abandon.set()
            self._hurry.set()
            self._thread.join(max(1.0, timeout_s))
            if self._thread.is_alive():  # a call into the system hangs: its descriptor must stay as it is
                self._engine.progress.close()
                return False
        self.compactor.join(max(0.0, deadline - time.monotonic()))
        self._engine.progress.close()
        self._drop_fd()
        return True

    # ------------------------------------------------------------ the thread

    def _run(self) -> None:
        self.reserve.make()
        while True:
            batch = self._engine.take(copy=self._compaction_is_due())
            if batch is None:
                return
            try:
                self._store(batch.data)
            except _GivenUp:
                return
            self._engine.progress.reach(batch.seq)
            if batch.tables is not None and self._rotate(batch.seq):
                self.compactor.start(Header(self._schema, self._generation, batch.seq), batch.tables)

    def _store(self, data: bytes) -> None:
        """Return once `data` is on disk. Never appends after a half line, never trusts a second fsync."""
        wait_s, longest_s = self._retry_s
        while data:
            try:
                if self._fd is None:
                    self._fd = self._reopen()
                write_all(self._fs, self._fd, data)
                self._fs.fsync(self._fd)
            except Exception as error:  # the thread's boundary: whatever it is, the records stay
                self._drop_fd()
                if self._abandon.is_set():
                    raise _GivenUp from error
                if self.reserve.give_back(error):
                    continue
                self._report(error)
                self._hurry.wait(wait_s)
                self._hurry.clear()
                wait_s = min(longest_s, wait_s * 1.5)
                continue
            self._length += len(data)
            break
        if self._status.stalled:
            self.reserve.make()
            self._tell(StoreStatus())

    def _reopen(self) -> int:
        fd = self._fs.open(self._files.journal(self._generation))
        try:
            self._fs.truncate(fd, self._length)
        except OSError:
            self._fs.close(fd)
            raise
        return fd

    def _drop_fd(self) -> None:
        if self._fd is None:
            return
        fd, self._fd = self._fd, None
        try:
            self._fs.close(fd)
        except OSError as error:
            _log.warning("Closing the journal failed: %s", error)

    # ------------------------------------------------------------ stalls

    def _report(self, error: Exception) -> None:
        reason, advice = explain(error, str(self._files.folder))
        if not self._status.stalled:
            _log.error("State not written: %s", reason)
        self._tell(StoreStatus(True, reason, advice, self._engine.pending))

    def _tell(self, status: StoreStatus) -> None:
        self._status = status
        self._on_status(status)

    # ------------------------------------------------------------ compaction

    def _compaction_is_due(self) -> bool:
        compactor = self.compactor
        if compactor.running or self._engine.closing:
            return False
        if compactor.take_result() is not None:
            self._older_bytes = 0
        behind = self._older_bytes + self._length
        if behind <= max(self._compact_bytes, compactor.snapshot_bytes // 4, self._next_compaction):
            return False
        self._next_compaction = behind + self._compact_bytes  # if this one fails: not again at once
        try:
            return self._fs.free_bytes(self._files.folder) > compactor.snapshot_bytes + 2 * behind
        except OSError:
            return False

    def _rotate(self, seq: int) -> bool:
        """Go on in a new journal. False when there is no room for one: the old one goes on."""
        try:
            fd, length = start_journal(self._files, self._fs, self._generation + 1, seq, self._schema)
        except OSError as error:
            discard(self._fs, self._files.journal(self._generation + 1))
            _log.warning("No new journal, the old one goes on: %s", error)
            return False
        self._drop_fd()
        self._older_bytes += self._length
        self._fd, self._length = fd, length
        self._generation += 1
        self._next_compaction = 0
        return True


def explain(error: Exception, folder: str) -> tuple[str, str]:
    """What keeps the state from being written, and what to do about it."""
    number = getattr(error, "errno", None)
    if number in (errno.ENOSPC, errno.EDQUOT):
        return f"No space left for {folder}.", "Free some space; work goes on by itself."
    if number == errno.EROFS:
        return f"{folder} has become read-only.", "Make it writable again; work goes on by itself."
    if number == errno.EIO:
        return f"The disk reports an error in {folder}.", "Check the disk and its cable; it is tried again by itself."
    if number == errno.EFBIG:
        return f"A file in {folder} has reached the largest size allowed.", "Raise the limit (ulimit -f)."
    if number == errno.EMFILE:
        return "Too many files are open.", "Raise the limit (ulimit -n)."
    text = getattr(error, "strerror", None) or type(error).__name__
    return f"{folder} cannot be written: {text}.", "It is tried again by itself."
