"""One writer per state folder: an advisory lock the system frees when its holder dies."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
import sys
import time
from pathlib import Path

from gsvr_tui.store.errors import StoreLocked, StoreUnusable

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_HELD = {errno.EAGAIN, errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK, getattr(errno, "EDEADLOCK", errno.EDEADLK)}
_LOCK_BYTE = 1 << 20  # far behind the text, so that others can read who holds it on Windows, too


class FolderLock:
    """Held from construction to `release`. Raises StoreLocked with the holder's pid, host and start time.

    The file is never deleted: a lock on a deleted file would keep nobody out.
    """

    def __init__(self, path: Path, wall: float) -> None:
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
        try:
            self._fd: int | None = os.open(path, flags, 0o600)
        except OSError as error:
            raise StoreUnusable(
                f"Cannot open {path}: {error.strerror}.", "Choose a state folder you may write to."
            ) from error
        try:
            _lock(self._fd)
        except OSError as error:
            holder = _holder(self._fd)
            os.close(self._fd)
            if error.errno not in _HELD:
                raise StoreUnusable(
                    f"{path.parent} cannot be locked: {error.strerror}.",
                    "Its file system does not keep two programs apart; choose a folder on a local disk.",
                ) from error
            raise StoreLocked(str(path.parent), holder) from error
        text = json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "boot": _boot_id(), "started": wall})
        # the text is for people only; a full disk must not keep us from opening
        with contextlib.suppress(OSError):
            os.ftruncate(self._fd, 0)
            os.lseek(self._fd, 0, os.SEEK_SET)
            os.write(self._fd, text.encode())

    def release(self) -> None:
        """Let others in. Safe to call twice."""
        if self._fd is None:
            return
        fd, self._fd = self._fd, None
        if sys.platform == "win32":
            with contextlib.suppress(OSError):
                os.lseek(fd, _LOCK_BYTE, os.SEEK_SET)
                msvcrt.locking(fd, msvcrt.LK_UNLCK, 1)
        os.close(fd)


def _lock(fd: int) -> None:
    if sys.platform == "win32":
        os.lseek(fd, _LOCK_BYTE, os.SEEK_SET)
        msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _holder(fd: int) -> str:
    try:
        os.lseek(fd, 0, os.SEEK_SET)
        facts = json.loads(os.read(fd, 4096))
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(float(facts["started"])))
        return f"process {int(facts['pid'])} on {facts['host']}, since {since}"
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return "it did not leave its name"


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""
