"""Key frames of a video: sharp ones, none black, none twice, near the times asked for, as small JPEG files.

The same file and times give the same bytes. Looking costs a bounded number of decoded frames per picture, whatever the
video; a damaged place costs its own picture only.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

import av
import av.filter
from av.container import InputContainer
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from gsvr_tui.media.key_frame import KeyFrame
from gsvr_tui.media.opening import open_container, open_regular

MAX_SIDE = 640
MOST_FRAMES = 60
NEAR_S = 3.0
"""How far from the time asked for a frame may lie."""
BEFORE_S = 0.5
"""So much of that is before it: what is spoken of is usually shown from then on."""
MOST_DECODED = 600
"""Frames decoded for one picture at most: 24 s of film between two key frames."""
CANDIDATES = 12
GOOD_ENOUGH = 3
DARK = 24
"""A picture whose mean brightness (0 to 255) is below is black, unless something in it stands out."""
FLAT = 3.0
"""A picture whose brightness varies less is one plain colour."""
SAME_BITS = 5
"""Two pictures whose 64-bit difference hashes differ in no more bits are the same."""
JPEG_QUALITY = 5
"""2 (best) to 31; 5 is about 30 kB at 640 pixels."""

_GREY = (96, 54)


def key_frames(path: Path, times: Sequence[float]) -> tuple[KeyFrame, ...]:
    """Pictures near the times, in their order; times with no good picture within NEAR_S are left out.

    At most MOST_FRAMES times are looked at. Raises MediaProblem when the file can't be opened; gives nothing for one
    without a picture.
    """
    found: list[KeyFrame] = []
    hashes: list[int] = []
    with open_regular(path) as stream:
        try:
            with open_container(stream) as container:
                video = _picture_stream(container)
                if video is None:
                    return ()
                video.thread_type = "AUTO"
                start = (container.start_time or 0) / av.time_base
                for asked in sorted(set(times))[:MOST_FRAMES]:
                    frame = _taken(container, video, start, asked, hashes)
                    if frame is not None:
                        found.append(frame)
        except (av.FFmpegError, OSError, ValueError, LookupError, AttributeError):
            pass  # PyAV raises all of these on damaged files; what was taken before the damage counts
    return tuple(found)


def _picture_stream(container: InputContainer) -> VideoStream | None:
    for stream in container.streams.video:
        if not Disposition(stream.disposition) & Disposition.attached_pic:
            return stream
    return None


# ---------------------------------------------------------------- choosing


@dataclass(frozen=True, slots=True)
class _Candidate:
    frame: VideoFrame
    at_s: float
    sharpness: float
    hash: int


def _taken(
    container: InputContainer, video: VideoStream, start: float, asked: float, hashes: list[int]
) -> KeyFrame | None:
    """The sharpest of the first good frames near `asked` that is not like one taken before; its hash is added."""
    for kind in _PASSES:
        video.codec_context.skip_frame = kind
        best = _best(_candidates(container, video, start, asked), hashes)
        if best is not None and (kind == "DEFAULT" or best.at_s >= asked - BEFORE_S):
            picture = _small(best.frame, video)
            hashes.append(best.hash)
            return KeyFrame(asked, round(best.at_s, 3), _jpeg(picture), picture.width, picture.height)
    return None


_PASSES: tuple[Literal["NONKEY", "DEFAULT"], ...] = ("NONKEY", "DEFAULT")
"""First only the frames that stand by themselves: they cost least, and encoders put them where scenes begin."""


def _best(candidates: Iterator[_Candidate], hashes: list[int]) -> _Candidate | None:
    best: _Candidate | None = None
    good = 0
    for candidate in candidates:
        if any((candidate.hash ^ known).bit_count() <= SAME_BITS for known in hashes):
            continue
        good += 1
        if best is None or candidate.sharpness > best.sharpness * 1.15:  # clearly sharper, else the nearer one
            best = candidate
        if good >= GOOD_ENOUGH:
            break
    return best


def _candidates(container: InputContainer, video: VideoStream, start: float, asked: float) -> Iterator[_Candidate]:
    """Good frames from BEFORE_S before the time to NEAR_S after it, then those before."""
    early: list[_Candidate] = []
    looked = 0
    last_at = -math.inf
    for frame, at in _frames(container, video, start, asked - NEAR_S):
        if at > asked + NEAR_S or looked >= CANDIDATES * 2:
            break
        step = NEAR_S / CANDIDATES
        if at < asked - NEAR_S or at - last_at < step:
            continue
        last_at = at
        looked += 1
        candidate = _look(frame, at)
        if candidate is None:
            continue
        if at < asked - BEFORE_S:
            early.append(candidate)
        else:
            yield candidate
    yield from reversed(early)


def _frames(
    container: InputContainer, video: VideoStream, start: float, from_s: float
) -> Iterator[tuple[VideoFrame, float]]:
    """Decoded frames with their seconds, from the last key frame before `from_s` on."""
    at = max(0.0, from_s) + start
    container.seek(int(at * av.time_base), backward=True, any_frame=False)
    decoded = 0
    for packet in container.demux(video):
        try:
            frames = packet.decode()
        except av.FFmpegError:
            continue  # a damaged packet; the next key frame heals it
        for frame in frames:
            decoded += 1
            if isinstance(frame, VideoFrame) and frame.time is not None:
                yield frame, frame.time - start
        if decoded >= MOST_DECODED:
            return


def _look(frame: VideoFrame, at: float) -> _Candidate | None:
    """The frame with its measures; None when it is black or of one colour."""
    width, height = _GREY
    pixels = _grey(frame, width, height)
    count = len(pixels)
    mean = sum(pixels) / count
    spread = math.sqrt(max(0.0, sum(p * p for p in pixels) / count - mean * mean))
    if spread < FLAT or (mean < DARK and spread < 2 * FLAT):
        return None
    return _Candidate(frame, at, _sharpness(pixels, width, height), difference_hash(frame))


def _grey(frame: VideoFrame, width: int, height: int) -> bytes:
    small = frame.reformat(width=width, height=height, format="gray")
    plane = small.planes[0]
    data = bytes(plane)
    if plane.line_size == width:
        return data[: width * height]
    return b"".join(data[row * plane.line_size : row * plane.line_size + width] for row in range(height))


def _sharpness(pixels: bytes, width: int, height: int) -> float:
    """Mean size of the Laplacian: edges make it large, blur and fades small."""
    total = 0
    for row in range(1, height - 1):
        at = row * width
        here = pixels[at + 1 : at + width - 1]
        left, right = pixels[at : at + width - 2], pixels[at + 2 : at + width]
        above, below = pixels[at - width + 1 : at - 1], pixels[at + width + 1 : at + 2 * width - 1]
        total += sum(abs(4 * c - a - b - d - e) for c, a, b, d, e in zip(here, left, right, above, below, strict=True))
    return total / ((width - 2) * (height - 2))


def difference_hash(frame: VideoFrame) -> int:
    """64 bits: whether each of 8 × 8 fields is darker than its right neighbour."""
    pixels = _grey(frame, 9, 8)
    bits = 0
    for row in range(8):
        for column in range(8):
            at = row * 9 + column
            bits = bits << 1 | (pixels[at] < pixels[at + 1])
    return bits


# ---------------------------------------------------------------- writing


def _small(frame: VideoFrame, video: VideoStream) -> VideoFrame:
    """At most MAX_SIDE pixels a side, with square pixels, upright."""
    ratio = float(video.sample_aspect_ratio or 1)
    width, height = frame.width * (ratio if 0.1 < ratio < 10 else 1.0), float(frame.height)
    scale = min(1.0, MAX_SIDE / max(width, height))
    even = (max(2, round(side * scale / 2) * 2) for side in (width, height))
    turn = round(frame.rotation / 90) % 4  # quarters against the clock, as phones note them
    return _turned(frame.reformat(width=next(even), height=next(even), format="yuvj420p"), turn)


_TURNS: dict[int, tuple[tuple[str, str | None], ...]] = {
    1: (("transpose", "cclock"),),
    2: (("hflip", None), ("vflip", None)),
    3: (("transpose", "clock"),),
}


def _turned(frame: VideoFrame, quarters: int) -> VideoFrame:
    if quarters == 0:
        return frame
    graph = av.filter.Graph()
    frame.pts, frame.time_base = 0, Fraction(1, 25)
    last = graph.add_buffer(
        width=frame.width, height=frame.height, format=av.VideoFormat("yuvj420p"), time_base=Fraction(1, 25)
    )
    source = last
    for name, argument in _TURNS[quarters]:
        step = graph.add(name, argument)
        last.link_to(step)
        last = step
    last.link_to(graph.add("buffersink"))
    graph.configure()
    source.push(frame)
    turned = graph.vpull()
    return turned.reformat(format="yuvj420p")


def _jpeg(picture: VideoFrame) -> bytes:
    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt = picture.width, picture.height, "yuvj420p"
    encoder.time_base = Fraction(1, 25)
    encoder.sample_aspect_ratio = Fraction(1, 1)  # with it the file gets the JFIF head that Word's library asks for
    encoder.thread_count = 1
    encoder.options = {"qmin": str(JPEG_QUALITY), "qmax": str(JPEG_QUALITY), "flags": "+bitexact"}
    picture.pts, picture.time_base = 0, Fraction(1, 25)
    return b"".join(bytes(packet) for packet in [*encoder.encode(picture), *encoder.encode(None)])
