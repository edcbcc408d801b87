"""A look into a video file: is it one, how long is it, can Gemini take it as it is."""

from __future__ import annotations

import os
from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from gsvr_tui.core.models import ProbeFacts
from gsvr_tui.core.text import format_time
from gsvr_tui.media.containers import MP4_VIDEO, Wrapping, wrapping_of
from gsvr_tui.media.opening import open_container, open_regular, problem_of
from gsvr_tui.media.problem import MediaProblem

MAX_BYTES = 2 * 1024**3
"""The Files API takes 2 GB a file."""

UNKNOWN = "unknown"
"""The name of a codec that can't be told."""

TAIL_S = 5.0
"""How much of the end is read to see where it really is."""

TRUNCATED_S = 2.0
TRUNCATED_SHARE = 0.02
"""An index that promises this much more than the file holds is called truncated."""

_CONVERT = "Convert it to MP4 (H.264 and AAC) first."
_AGAIN = "Copy or record it again; if it is still being copied, wait and retry."


def probe_file(path: Path) -> ProbeFacts:
    """Facts of a video file. Raises MediaProblem for anything that can't be sent to Gemini.

    The duration is that of the last packet, not the header's: headers go stale when videos are trimmed.
    """
    with open_regular(path) as stream:
        status = os.fstat(stream.fileno())
        if status.st_size == 0:
            raise MediaProblem("EMPTY", "the file is empty", _AGAIN)
        if status.st_size > MAX_BYTES:
            size = status.st_size / 1024**3
            raise MediaProblem(
                "TOO_BIG",
                f"{size:.1f} GB; the service takes at most 2 GB a file",
                "Make it smaller: half the resolution is enough for lectures.",
            )
        head = stream.read(16)
        stream.seek(0)
        try:
            with open_container(stream) as container:
                return _facts(container, path.suffix, status)
        except OSError as error:  # av's errors are OSErrors or ValueErrors, some both
            if isinstance(error, av.FFmpegError):
                raise _unopenable(head) from None
            raise problem_of(error) from None
        except (av.FFmpegError, ValueError, LookupError, AttributeError):
            # PyAV also raises these on damaged files, such as streams that turn up late or have no decoder
            raise _unopenable(head) from None


def _facts(container: InputContainer, suffix: str, status: os.stat_result) -> ProbeFacts:
    video = _main_video(container)
    if video is None:
        if container.streams.audio:
            raise MediaProblem("NO_VIDEO", "there is sound but no picture in it", "Choose a file with a picture.")
        raise MediaProblem("NOT_A_VIDEO", "there is neither picture nor sound in it", "Choose a video file.")
    video_codec = _codec(video)
    wrapping = wrapping_of(container.format.name, suffix, video_codec)
    if video_codec == UNKNOWN or video.width == 0:
        raise MediaProblem("UNSUPPORTED", "its picture is in a format that is not known", _CONVERT)
    if wrapping.needs_remux and video_codec not in MP4_VIDEO:
        raise MediaProblem(
            "UNSUPPORTED", f"{wrapping.container} with {video_codec} can't be sent nor copied into MP4", _CONVERT
        )
    audio = next(iter(container.streams.audio), None)
    rate = video.average_rate or video.guessed_rate
    width, height, fps = video.width, video.height, float(rate) if rate else 0.0
    return ProbeFacts(
        duration_s=_duration(container, wrapping),
        size_bytes=status.st_size,
        mime_type=wrapping.mime_type,
        container=wrapping.container,
        video_codec=video_codec,
        audio_codec=_codec(audio) if audio is not None else "",
        width=width,
        height=height,
        fps=round(fps, 3),
        needs_remux=wrapping.needs_remux,
        mtime_ns=status.st_mtime_ns,
        inode=status.st_ino,
    )


def _main_video(container: InputContainer) -> VideoStream | None:
    for stream in container.streams.video:
        if not Disposition(stream.disposition) & Disposition.attached_pic:  # the cover of a song is no video
            return stream
    return None


def _codec(stream: av.stream.Stream) -> str:
    context = stream.codec_context
    return str(context.name) if context is not None else UNKNOWN


# ---------------------------------------------------------------- how long


def _duration(container: InputContainer, wrapping: Wrapping) -> float:
    start = (container.start_time or 0) / av.time_base
    said = container.duration / av.time_base if container.duration and container.duration > 0 else None
    measured = None
    if said is not None:
        measured = _last_packet(container, seek_to=start + max(0.0, said - TAIL_S))
    if measured is None or (said is not None and measured - start < said - TRUNCATED_S):
        measured = _last_packet(container, seek_to=None)  # nothing at the promised end: look at all of it
    if measured is None:
        raise MediaProblem("TRUNCATED", "there is no picture or sound left in it", _AGAIN)
    duration = measured - start
    indexed = wrapping.container in ("mp4", "mov", "3gp")
    if indexed and said is not None and duration < said - max(TRUNCATED_S, said * TRUNCATED_SHARE):
        # Their index knows every packet, so what the index names and the file lacks was cut off.
        raise MediaProblem(
            "TRUNCATED", f"it ends at {format_time(duration)}, but should last {format_time(said)}", _AGAIN
        )
    if duration <= 0:
        raise MediaProblem("TRUNCATED", "its length can't be found out", _AGAIN)
    return round(duration, 3)


def _last_packet(container: InputContainer, seek_to: float | None) -> float | None:
    """Where the last packet of picture or sound ends, in seconds; None when there is none from `seek_to` on."""
    try:
        container.seek(int(seek_to * av.time_base) if seek_to is not None else 0, backward=True, any_frame=False)
    except (av.FFmpegError, OSError):
        if seek_to is not None:
            return None
    end: float | None = None
    streams = [*container.streams.video, *container.streams.audio]
    try:
        for packet in container.demux(streams):
            if packet.pts is None or packet.time_base is None:
                continue
            last = float((packet.pts + (packet.duration or 0)) * packet.time_base)
            end = last if end is None else max(end, last)
    except (av.FFmpegError, OSError, LookupError):
        pass  # what was read before the damage counts
    return end


# ---------------------------------------------------------------- what can't be opened


def _unopenable(head: bytes) -> MediaProblem:
    starts = head[4:8] in (b"ftyp", b"mdat", b"moov", b"wide", b"free", b"skip") or head[:4] == b"\x1aE\xdf\xa3"
    if starts:
        return MediaProblem("TRUNCATED", "it begins like a video, but its end is missing", _AGAIN)
    return MediaProblem("NOT_A_VIDEO", "it is not a video, or a damaged one", "Choose a video file.")
