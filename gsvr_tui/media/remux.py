"""Copies the streams of a container Gemini refuses into an MP4, without encoding anything again."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer, OutputContainer
from av.stream import Disposition, Stream

from gsvr_tui.media.containers import MP4_AUDIO, MP4_VIDEO
from gsvr_tui.media.opening import open_container, open_regular, problem_of
from gsvr_tui.media.problem import MediaProblem

_CONVERT = "Convert it to MP4 (H.264 and AAC) first."


def remux_to_mp4(source: Path, target: Path) -> tuple[str, ...]:
    """Write `source`'s picture and sound to `target` as MP4; returns what was left out, such as `audio pcm_s16le`.

    `target` appears complete or not at all. Raises MediaProblem: those of opening, UNSUPPORTED, TRUNCATED, NO_ROOM.
    """
    temporary = target.with_name(f".{os.getpid()}.{target.name}.partial")
    try:
        try:
            with open_regular(source) as stream, open_container(stream) as container:
                dropped = _copy(container, temporary)
            temporary.replace(target)
        except OSError as error:
            if isinstance(error, av.FFmpegError) and error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise _impossible() from None
            raise problem_of(error) from None
        except (av.FFmpegError, ValueError, LookupError, AttributeError):  # the last two on damaged files
            raise _impossible() from None
    finally:
        temporary.unlink(missing_ok=True)
    return dropped


def _impossible() -> MediaProblem:
    return MediaProblem("UNSUPPORTED", "its streams can't be copied into an MP4", _CONVERT)


def _copy(container: InputContainer, target: Path) -> tuple[str, ...]:
    kept, dropped = _choose(container)
    if not any(stream.type == "video" for stream in kept):
        raise MediaProblem("UNSUPPORTED", "its picture can't be copied into an MP4", _CONVERT)
    with target.open("xb") as file:
        with av.open(file, mode="w", format="mp4", options={"movflags": "+faststart"}) as output:
            written = _mux(container, output, kept)
        file.flush()
        os.fsync(file.fileno())
    if not written:
        raise MediaProblem("TRUNCATED", "there is no picture or sound left in it", "Copy or record it again.")
    return dropped


def _choose(container: InputContainer) -> tuple[list[Stream], tuple[str, ...]]:
    """The streams to copy: the first picture and every sound that MP4 holds; and the names of the others."""
    kept: list[Stream] = []
    dropped: list[str] = []
    have_video = False
    for stream in container.streams:
        codec = stream.codec_context.name if stream.codec_context is not None else "unknown"
        cover = bool(Disposition(stream.disposition) & Disposition.attached_pic)
        if stream.type == "video" and not cover and not have_video and codec in MP4_VIDEO:
            have_video = True
            kept.append(stream)
        elif stream.type == "audio" and codec in MP4_AUDIO:
            kept.append(stream)
        else:
            dropped.append(f"{stream.type} {codec}")
    return kept, tuple(dropped)


def _mux(container: InputContainer, output: OutputContainer, kept: list[Stream]) -> int:
    copies = {stream.index: output.add_stream_from_template(stream) for stream in kept}
    last: dict[int, int] = {}
    written = 0
    for packet in container.demux(kept):
        if packet.pts is None and packet.dts is None:
            continue  # the empty packet at the end
        _settle_times(packet, last)
        packet.stream = copies[packet.stream.index]
        output.mux(packet)
        written += 1
    return written


def _settle_times(packet: av.Packet[Any], last: dict[int, int]) -> None:
    """MP4 wants a decoding time that grows on every packet; transport streams and old files lack some."""
    index = packet.stream.index
    dts = packet.dts if packet.dts is not None else packet.pts
    if dts is None:
        return
    if index in last and dts <= last[index]:
        dts = last[index] + 1
    packet.dts = dts
    if packet.pts is None or packet.pts < dts:
        packet.pts = dts
    last[index] = dts
