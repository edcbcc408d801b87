"""A little space set aside, given back when the disk is full, so that what is in flight can still be stored."""

from __future__ import annotations

import errno
from pathlib import Path

from gsvr_tui.store.filesystem import FileSystem, discard, write_whole

RESERVE_BYTES = 1 << 20
_FULL = {errno.ENOSPC, errno.EDQUOT}


class Reserve:
    """The reserve file of a state folder. Safe from any thread: making and removing a file is all it does."""

    def __init__(self, path: Path, fs: FileSystem) -> None:
        self._path = path
        self._fs = fs

    def make(self) -> None:
        """Set the space aside if there is plenty; quietly not, otherwise."""
        try:
            if not self._path.exists() and self._fs.free_bytes(self._path.parent) > 8 * RESERVE_BYTES:
                write_whole(self._fs, self._path, [bytes(RESERVE_BYTES)])
        except OSError:
            discard(self._fs, self._path)

    def give_back(self, error: Exception) -> bool:
        """Free the space if `error` says that the disk is full; True when that gave some room."""
        if not isinstance(error, OSError) or error.errno not in _FULL or not self._path.exists():
            return False
        discard(self._fs, self._path)
        return not self._path.exists()
