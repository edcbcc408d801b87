"""Opening files that others chose: regular files only, nothing that blocks, and nothing that leads elsewhere."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import av
from av.container import InputContainer

from gsvr_tui.media.problem import MediaProblem

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)

# Containers that hold their media themselves. Playlists (hls, concat, dash, …) name other files and addresses, and a
# "video" must not make us open those.
_DEMUXERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,mpeg,mpegvideo,avi,flv,live_flv,asf,ogg,mxf,"
    "h264,hevc,m4v,ivf,obu,dv,rm,nut,"
    "mp3,wav,w64,flac,aac,ac3,eac3,aiff,au,amr,caf,ape,tta,wv,dts"
)


def problem_of(error: OSError) -> MediaProblem:
    """The MediaProblem behind an error of the operating system."""
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return MediaProblem("MISSING", "the file is not there", "Put it back, or take it out of the batch.")
    if error.errno in (errno.EACCES, errno.EPERM):
        return MediaProblem("UNREADABLE", "reading it is not permitted", "Give yourself the right to read it.")
    if error.errno == errno.ELOOP:
        return MediaProblem("UNREADABLE", "its links go round in a circle", "Name the file itself.")
    if error.errno == errno.ENXIO:  # how a socket answers an open
        return MediaProblem("NOT_A_FILE", "it is not a regular file", "Choose a video file.")
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return MediaProblem("NO_ROOM", "the disk is full", "Make room and try again.")
    words = (error.strerror or type(error).__name__).lower()
    return MediaProblem("UNREADABLE", f"it can't be read ({words})", "Check the disk or the network drive it lies on.")


@contextmanager
def open_regular(path: Path) -> Iterator[BinaryIO]:
    """The file, open for reading; MediaProblem MISSING, NOT_A_FILE or UNREADABLE. Never blocks on a pipe."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        number = os.open(path, flags)
    except OSError as error:
        raise problem_of(error) from None
    except ValueError:  # a zero byte in the name
        raise MediaProblem("MISSING", "no file can have this name") from None
    try:
        mode = os.fstat(number).st_mode
        if not stat.S_ISREG(mode):
            kind = next((words for test, words in _KINDS if test(mode)), "not a regular file")
            raise MediaProblem("NOT_A_FILE", f"it is {kind}, not a file", "Choose a video file.")
        stream = os.fdopen(number, "rb", closefd=False)
        try:
            yield stream
        finally:
            stream.close()
    finally:
        os.close(number)


@contextmanager
def open_container(stream: BinaryIO) -> Iterator[InputContainer]:
    """The media inside an open file. Raises av's errors; reads nothing but this file."""
    container = av.open(
        stream,
        mode="r",
        metadata_errors="replace",
        options={"format_whitelist": _DEMUXERS, "protocol_whitelist": "file"},
    )
    try:
        yield container
    finally:
        container.close()
