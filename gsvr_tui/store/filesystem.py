"""The one seam for all file calls of the store, so that tests can pass one that fails."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

READ_WRITE = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
CREATE = READ_WRITE | os.O_TRUNC


class FileSystem:
    """Plain calls; each may raise OSError. Files are made 0600, folders 0700."""

    def open(self, path: Path, flags: int = READ_WRITE) -> int:
        """A file descriptor that child processes do not inherit."""
        return os.open(path, flags, 0o600)

    def reader(self, path: Path) -> BinaryIO:
        """A buffered reader of an existing file."""
        return path.open("rb")

    def write(self, fd: int, data: bytes | memoryview) -> int:
        """Bytes written, perhaps fewer than given."""
        return os.write(fd, data)

    def fsync(self, fd: int) -> None:
        """Return when the bytes are on the platter, not only in a cache."""
        if sys.platform == "darwin":
            import fcntl

            # plain fsync does not reach the platter there; some file systems do not know F_FULLFSYNC
            try:
                fcntl.fcntl(fd, fcntl.F_FULLFSYNC)
                return
            except OSError:
                pass
        os.fsync(fd)

    def close(self, fd: int) -> None:
        """Close a descriptor."""
        os.close(fd)

    def rename(self, source: Path, target: Path) -> None:
        """Put `source` in the place of `target` in one step."""
        source.replace(target)

    def link(self, source: Path, target: Path) -> None:
        """A second name for a file."""
        os.link(source, target)

    def unlink(self, path: Path) -> None:
        """Remove a name; no error when it is not there."""
        path.unlink(missing_ok=True)

    def truncate(self, fd: int, length: int) -> None:
        """Cut to `length` bytes and go there."""
        os.ftruncate(fd, length)
        os.lseek(fd, length, os.SEEK_SET)

    def fsync_dir(self, folder: Path) -> None:
        """Return when the names in a folder are on disk. Nothing to do on Windows."""
        if os.name == "nt":
            return
        fd = os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0))
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def free_bytes(self, folder: Path) -> int:
        """Bytes an ordinary user can still write there."""
        return shutil.disk_usage(folder).free

    def mkdir(self, folder: Path) -> None:
        """Make a private folder with its parents; no error when it is there."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def write_all(fs: FileSystem, fd: int, data: bytes) -> None:
    """Write all of it, however many calls that takes."""
    written = fs.write(fd, data)
    if written == len(data):
        return
    rest = memoryview(data)[written:]
    while rest:
        rest = rest[fs.write(fd, rest) :]


def write_whole(fs: FileSystem, path: Path, chunks: Iterable[bytes]) -> int:
    """Write `path` anew and return its length once it is on disk. Not atomic: for temporary names."""
    length = 0
    fd = fs.open(path, CREATE)
    try:
        for chunk in chunks:
            write_all(fs, fd, chunk)
            length += len(chunk)
        fs.fsync(fd)
    finally:
        fs.close(fd)
    return length


def write_atomic(fs: FileSystem, path: Path, chunks: Iterable[bytes]) -> int:
    """Put a file in place whole or not at all; returns its length. On an error the old file, if any, is untouched."""
    temporary = path.with_name(path.name + ".tmp")
    try:
        length = write_whole(fs, temporary, chunks)
        fs.rename(temporary, path)
    except OSError:
        discard(fs, temporary)
        raise
    fs.fsync_dir(path.parent)
    return length


def discard(fs: FileSystem, path: Path) -> None:
    """Remove a file that is only in the way; failing to is not worth an error."""
    try:
        fs.unlink(path)
    except OSError:
        return
