"""The content hash of a video: the name of the work, whatever the file is called."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from gsvr_tui.media.opening import open_regular, problem_of
from gsvr_tui.media.problem import MediaProblem

BLOCK_BYTES = 4 * 1024 * 1024


def content_hash(
    path: Path, progress: Callable[[int], None] | None = None, cancelled: Callable[[], bool] | None = None
) -> str:
    """SHA-256 of a file, in hex. `progress` hears the bytes read so far; `cancelled` is asked once per block.

    Raises MediaProblem: those of opening, CANCELLED, and SOURCE_CHANGED when the file changed while it was read.
    """
    digest = hashlib.sha256()
    with open_regular(path) as stream:
        before = os.fstat(stream.fileno())
        done = 0
        buffer = bytearray(BLOCK_BYTES)
        view = memoryview(buffer)
        while True:
            if cancelled is not None and cancelled():
                raise MediaProblem("CANCELLED", "reading was stopped")
            try:
                count = stream.readinto(view)  # type: ignore[attr-defined]  # BufferedReader has it, BinaryIO not
            except OSError as error:
                raise problem_of(error) from None
            if not count:
                break
            digest.update(view[:count])
            done += count
            if progress is not None:
                progress(done)
        after = os.fstat(stream.fileno())
    try:
        named = path.stat()  # a new file may have been put under the name
    except OSError as error:
        raise problem_of(error) from None
    if _identity(before) != _identity(after) or _identity(before) != _identity(named) or done != before.st_size:
        raise MediaProblem("SOURCE_CHANGED", "the file changed while it was read", "Wait until it is complete.")
    return digest.hexdigest()


def _identity(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_size, status.st_mtime_ns, status.st_ino
