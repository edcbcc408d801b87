"""Reads a video for uploading: in a thread, in pieces, and with an eye on whether it is still the same file."""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

from gsvr_tui.core.failure import Failure, FailureKind, Scope

_PIECE = 256 << 10


class UploadCancelled(Exception):
    """The caller's `cancelled` said so."""


class SourceProblem(Exception):
    """The file on this machine is the trouble; `failure` says how."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


def _source_problem(code: str, message: str, advice: str) -> SourceProblem:
    return SourceProblem(Failure(FailureKind.ITEM, Scope.ITEM, code, message, advice))


@dataclass(frozen=True, slots=True)
class _Identity:
    """What stays the same as long as nobody touches a file."""

    size: int
    mtime_ns: int
    inode: int
    device: int

    @classmethod
    def of(cls, stat: os.stat_result) -> _Identity:
        return cls(stat.st_size, stat.st_mtime_ns, stat.st_ino, stat.st_dev)


class VideoReader(io.BufferedReader):
    """An opened video that notices when it is changed while it is read."""

    def __init__(self, path: Path) -> None:
        super().__init__(io.FileIO(path, "rb"), buffer_size=_PIECE)
        self.path = path
        self._identity = _Identity.of(os.fstat(self.fileno()))

    @property
    def size(self) -> int:
        """Bytes when it was opened."""
        return self._identity.size

    def check(self) -> None:
        """Raise SourceProblem when the file is not what it was when it was opened, or another one is in its place."""
        try:
            now = {_Identity.of(os.fstat(self.fileno())), _Identity.of(self.path.stat())}
        except OSError:
            now = set()
        if now != {self._identity}:
            raise _source_problem(
                "SOURCE_CHANGED",
                "the video was changed while it was uploaded",
                "Wait until it is complete, then retry it",
            )

    def piece_at(self, offset: int, size: int) -> bytes:
        """`size` bytes from `offset`. Raises SourceProblem when they are not there any more."""
        self.seek(offset)
        data = self.read(size)
        if len(data) != size:
            self.check()
            raise _source_problem(
                "SOURCE_CHANGED",
                "the video became shorter while it was uploaded",
                "Wait until it is complete, then retry",
            )
        return data


def open_video(path: Path) -> VideoReader:
    """Open a video for uploading. Raises SourceProblem with words for people."""
    try:
        reader = VideoReader(path)
    except FileNotFoundError:
        raise _source_problem(
            "SOURCE_MISSING", "the video is not there any more", "Bring it back, then retry"
        ) from None
    except OSError as error:
        raise _source_problem(
            "SOURCE_UNREADABLE", f"the video cannot be read: {error.strerror}", "Check its permissions and its drive"
        ) from None
    if reader.size == 0:
        reader.close()
        raise _source_problem("SOURCE_EMPTY", "the video is an empty file", "Replace it by the real one")
    return reader


async def read_pieces(
    reader: VideoReader,
    start: int,
    end: int,
    *,
    on_progress: Callable[[int], None],
    cancelled: Callable[[], bool],
) -> AsyncIterator[bytes]:
    """The bytes from `start` to `end`, read in a thread; `on_progress` gets the position behind each piece."""
    position = start
    while position < end:
        if cancelled():
            raise UploadCancelled
        try:
            data = await asyncio.to_thread(reader.piece_at, position, min(_PIECE, end - position))
        except OSError as error:
            raise _source_problem(
                "SOURCE_UNREADABLE", f"the video cannot be read: {error.strerror}", "Check its drive, then retry"
            ) from None
        position += len(data)
        if position == reader.size:
            await asyncio.to_thread(reader.check)  # before the last byte: what is not finished is no file over there
        yield data
        on_progress(position)
