"""Makes real videos with known content, for the demo and for tests: nothing to download, nothing copied.

Every clip has scenes; each shows its slide number and a running clock burned in, a moving bar, its own colours and its
own tone. So it is known what a report of the clip must say, and at which time.
"""

from __future__ import annotations

import math
import os
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import cast

import av
from av.container import OutputContainer
from av.video.stream import VideoStream

from gsvr_tui.core.text import format_time

SAMPLE_RATE = 16_000
SCENE_S = 10.0

# 3 × 5 pixels, a row per character, bits from the left.
_DIGITS = {
    "0": (7, 5, 5, 5, 7),
    "1": (2, 6, 2, 2, 7),
    "2": (7, 1, 7, 4, 7),
    "3": (7, 1, 7, 1, 7),
    "4": (5, 5, 7, 1, 1),
    "5": (7, 4, 7, 1, 7),
    "6": (7, 4, 7, 5, 7),
    "7": (7, 1, 1, 2, 2),
    "8": (7, 5, 7, 5, 7),
    "9": (7, 5, 7, 1, 7),
    ":": (0, 2, 0, 2, 0),
}


@dataclass(frozen=True, slots=True)
class ClipSpec:
    """A clip to make: seconds, pixels (even numbers), frames a second, the pitch of its first scene (0: no sound)."""

    duration_s: float = 30.0
    width: int = 320
    height: int = 180
    fps: int = 5
    seed: int = 0
    tone_hz: int = 220
    title: str = ""


@dataclass(frozen=True, slots=True)
class Scene:
    """What is seen and heard in a part of a clip."""

    start_s: float
    end_s: float
    slide: int
    tone_hz: int


def scenes_of(spec: ClipSpec) -> tuple[Scene, ...]:
    """The planted truth of a clip: its scenes in order."""
    count = max(1, math.ceil(spec.duration_s / SCENE_S - 0.25))  # a short rest belongs to the last scene
    steps = (0, 4, 7, 12, 9, 5, 2)
    scenes = []
    for index in range(count):
        end = spec.duration_s if index == count - 1 else (index + 1) * SCENE_S
        tone = round(spec.tone_hz * 2 ** (steps[index % len(steps)] / 12))
        scenes.append(Scene(index * SCENE_S, end, index + 1, tone))
    return tuple(scenes)


def make_clip(path: Path, spec: ClipSpec) -> Path:
    """Write the clip; the suffix chooses the container (mp4, mov, mkv, avi, …). Complete or not there at all."""
    if spec.width % 2 or spec.height % 2 or min(spec.width, spec.height) < 32 or spec.fps < 1 or spec.duration_s <= 0:
        raise ValueError("a clip needs even sides of at least 32 pixels, a frame rate and a length")
    container_format = {".mkv": "matroska", ".ts": "mpegts", ".mov": "mov", ".avi": "avi"}.get(
        path.suffix.lower(), "mp4"
    )
    temporary = path.with_name(f".{os.getpid()}.{path.name}.partial")
    try:
        with (
            temporary.open("wb") as file,
            av.open(file, mode="w", format=container_format) as output,
        ):
            if spec.title:
                output.metadata["title"] = spec.title
            _fill(output, spec)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def _fill(output: OutputContainer, spec: ClipSpec) -> None:
    codec = "libx264" if "libx264" in av.codec.codecs_available else "mpeg4"
    options = {"preset": "ultrafast", "crf": "30"} if codec == "libx264" else {}
    video = cast(VideoStream, output.add_stream(codec, rate=spec.fps, options=options))
    video.width, video.height, video.pix_fmt = spec.width, spec.height, "yuv420p"
    video.codec_context.thread_count = 1
    video.codec_context.gop_size = max(1, spec.fps * 2)
    audio = (
        output.add_stream("aac", rate=SAMPLE_RATE, options={"aac_coder": "fast"}, layout="mono")
        if spec.tone_hz > 0
        else None
    )
    sound = _sound(spec) if audio is not None else iter(())
    heard_until = 0.0
    for index, frame in enumerate(_frames(spec)):
        output.mux(video.encode(frame))
        while audio is not None and heard_until <= index / spec.fps:  # keep the two side by side in the file
            samples = next(sound, None)
            if samples is None:
                break
            heard_until += samples.samples / SAMPLE_RATE
            output.mux(audio.encode(samples))
    output.mux(video.encode(None))
    if audio is not None:
        output.mux(audio.encode(None))


# ---------------------------------------------------------------- picture


class _Canvas:
    """A brightness plane with the line length the encoder wants."""

    def __init__(self, width: int, height: int, stride: int) -> None:
        self.width, self.height, self.stride = width, height, stride
        self.data = bytearray(stride * height)

    def box(self, x: int, y: int, width: int, height: int, level: int) -> None:
        x, width = max(0, x), min(width, self.width - max(0, x))
        if width <= 0:
            return
        row = bytes((level,)) * width
        for line in range(max(0, y), min(self.height, y + height)):
            start = line * self.stride + x
            self.data[start : start + width] = row

    def number(self, text: str, x: int, y: int, scale: int) -> None:
        self.box(x - scale, y - scale, (4 * len(text) + 1) * scale, 7 * scale, 16)
        for place, char in enumerate(text):
            for row, bits in enumerate(_DIGITS[char]):
                for column in range(3):
                    if bits & (4 >> column):
                        self.box(x + (4 * place + column) * scale, y + row * scale, scale, scale, 235)


def _frames(spec: ClipSpec) -> Iterator[av.VideoFrame]:
    random = Random(spec.seed)  # noqa: S311 – colours, not secrets
    total = max(1, round(spec.duration_s * spec.fps))
    scenes = scenes_of(spec)
    current = -1
    for index in range(total):
        at = index / spec.fps
        frame = av.VideoFrame(spec.width, spec.height, "yuv420p")
        luma, blue, red = frame.planes
        scene_index = min(int(at / SCENE_S), len(scenes) - 1)
        if scene_index != current:
            current = scene_index
            background = _background(spec, luma.line_size, scenes[scene_index], random)
            tint = (random.randrange(60, 196), random.randrange(60, 196))
        canvas = _Canvas(spec.width, spec.height, luma.line_size)
        canvas.data[:] = background
        size = max(8, spec.height // 10)
        canvas.box(int(at * 23) % spec.width, spec.height - size - 4, size, size, 220)
        scale = max(1, spec.height // 45)
        canvas.number(format_time(at), 3 * scale, 3 * scale, scale)
        luma.update(bytes(canvas.data))
        blue.update(bytes((tint[0],)) * blue.buffer_size)
        red.update(bytes((tint[1],)) * red.buffer_size)
        frame.pts, frame.time_base = index, Fraction(1, spec.fps)
        yield frame


def _background(spec: ClipSpec, stride: int, scene: Scene, random: Random) -> bytes:
    canvas = _Canvas(spec.width, spec.height, stride)
    canvas.box(0, 0, spec.width, spec.height, random.randrange(50, 130))
    for _ in range(6):
        canvas.box(
            random.randrange(spec.width),
            random.randrange(spec.height),
            random.randrange(8, spec.width // 2),
            random.randrange(4, spec.height // 3),
            random.randrange(40, 200),
        )
    scale = max(1, spec.height // 20)
    number = str(scene.slide)
    canvas.number(number, (spec.width - 4 * len(number) * scale) // 2, (spec.height - 5 * scale) // 2, scale)
    return bytes(canvas.data)


# ---------------------------------------------------------------- sound


def _sound(spec: ClipSpec) -> Iterator[av.AudioFrame]:
    """Half-second blocks of each scene's tone; whole numbers of hertz join without a click after a second."""
    written = 0
    total = round(spec.duration_s * SAMPLE_RATE)
    for scene in scenes_of(spec):
        second = array(
            "f", (0.25 * math.sin(2 * math.pi * scene.tone_hz * n / SAMPLE_RATE) for n in range(SAMPLE_RATE))
        )
        end = total if scene.end_s >= spec.duration_s else round(scene.end_s * SAMPLE_RATE)
        while written < end:
            offset = written % SAMPLE_RATE
            block = second[offset : offset + min(SAMPLE_RATE // 2, end - written)]
            frame = av.AudioFrame(format="fltp", layout="mono", samples=len(block))
            frame.planes[0].update(block.tobytes().ljust(frame.planes[0].buffer_size, b"\0"))
            frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, written, Fraction(1, SAMPLE_RATE)
            written += len(block)
            yield frame


# ---------------------------------------------------------------- the demo's library

_DEMO: tuple[tuple[str, ClipSpec], ...] = (
    ("01 Welcome.mp4", ClipSpec(24, seed=1, tone_hz=196, title="Welcome")),
    ("02 Why the sky is blue.mp4", ClipSpec(75, seed=2, tone_hz=262, title="Why the sky is blue")),
    ("03 第三讲 光的散射.mp4", ClipSpec(52, seed=3, tone_hz=220, title="第三讲 光的散射")),
    ("04 Questions from the class.mkv", ClipSpec(38, seed=4, tone_hz=330, title="Questions from the class")),
)


def demo_clips(folder: Path) -> list[Path]:
    """The demo's small library in `folder`, made where it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, spec in _DEMO:
        path = folder / name
        if not path.exists():
            make_clip(path, spec)
        paths.append(path)
    return paths
