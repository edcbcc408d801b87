"""Files for this user only, replaced as a whole or not at all."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from gsvr_tui.config.places import PRIVATE_FILE

_NO_LINKS = getattr(os, "O_NOFOLLOW", 0)
_BINARY = getattr(os, "O_BINARY", 0)


def create_private(path: Path, *, exclusive: bool = True, append: bool = False) -> int:
    """Open a file for writing, mode 0600, never through a link. Returns the descriptor; raises OSError."""
    flags = os.O_WRONLY | os.O_CREAT | _NO_LINKS | _BINARY
    flags |= os.O_EXCL if exclusive else 0
    flags |= os.O_APPEND if append else 0
    return os.open(path, flags, PRIVATE_FILE)


def write_private(path: Path, data: bytes) -> None:
    """Put `data` at `path`: after a crash at any moment the old or the new content is there, whole.

    Raises OSError (disk full, no right to write) and leaves the old content in place then. A link at `path` is followed
    first, so that a config kept elsewhere and linked stays linked.
    """
    target = path.resolve()
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    with contextlib.suppress(FileNotFoundError):
        temporary.unlink()  # of a process with our number that died
    descriptor = create_private(temporary)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # folders can't be opened there
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
