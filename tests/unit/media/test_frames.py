"""Key frames: near the time, never black, never the same twice, small, and the same each time."""

from __future__ import annotations

import io
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import pytest
from av.video.stream import VideoStream

from gsvr_tui.media.child import MediaChildren
from gsvr_tui.media.frames import MAX_SIDE, MOST_FRAMES, NEAR_S, key_frames
from gsvr_tui.media.problem import MediaProblem
from gsvr_tui.media.samples import ClipSpec, make_clip


def film(path: Path, levels: Iterator[bytes] | list[bytes], size: tuple[int, int] = (64, 48), gop: int = 12) -> Path:
    """A film of grey pictures, ten a second, each given as a row of brightness that is repeated downwards."""
    width, height = size
    with av.open(str(path), "w", format="mp4") as output:
        stream = cast(VideoStream, output.add_stream("mpeg4", rate=10, options={"qmin": "2", "qmax": "3"}))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.gop_size = gop
        for number, row in enumerate(levels):
            frame = av.VideoFrame(width, height, "yuv420p")
            luma, blue, red = frame.planes
            luma.update((row * (width // len(row))).ljust(luma.line_size, b"\x10") * height)
            for plane in (blue, red):
                plane.update(bytes([128]) * plane.buffer_size)
            frame.pts, frame.time_base = number, Fraction(1, 10)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


BLACK, GREY = bytes([16]), bytes([120])
STRIPES, BARS = bytes([30, 220] * 4), bytes([200, 40, 40, 40, 200, 200, 90, 230])


def size_of(jpeg: bytes) -> tuple[int, int]:
    with av.open(io.BytesIO(jpeg), format="mjpeg") as container:
        frame = next(container.decode(video=0))
        return frame.width, frame.height


def test_a_picture_is_taken_near_each_time_and_is_a_jpeg(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", ClipSpec(32, 320, 180, 5))
    taken = key_frames(clip, [25.0, 1.0, 12.0])
    assert [frame.asked_s for frame in taken] == [1.0, 12.0, 25.0]
    for frame in taken:
        assert abs(frame.at_s - frame.asked_s) <= NEAR_S
        assert frame.data.startswith(b"\xff\xd8\xff\xe0")
        assert size_of(frame.data) == (frame.width, frame.height) == (320, 180)


def test_the_same_video_gives_the_same_bytes(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", ClipSpec(12, 160, 90, 5))
    assert key_frames(clip, [1.0, 9.0]) == key_frames(clip, [9.0, 1.0, 1.0])


def test_black_and_blank_pictures_are_passed_over_for_a_good_one_nearby(tmp_path: Path) -> None:
    clip = film(tmp_path / "a.mp4", [BLACK] * 15 + [GREY] * 10 + [STRIPES] * 15, gop=50)
    (taken,) = key_frames(clip, [0.8])
    assert 2.4 <= taken.at_s <= 0.8 + NEAR_S


def test_where_nothing_good_is_near_there_is_no_picture(tmp_path: Path) -> None:
    clip = film(tmp_path / "a.mp4", [BLACK] * 100 + [STRIPES] * 30)
    assert [frame.asked_s for frame in key_frames(clip, [2.0, 11.0])] == [11.0]


def test_a_slide_that_stands_still_is_taken_once(tmp_path: Path) -> None:
    clip = film(tmp_path / "a.mp4", [STRIPES] * 150 + [BARS] * 50)
    assert [frame.asked_s for frame in key_frames(clip, [1.0, 5.0, 10.0, 17.0])] == [1.0, 17.0]


def test_large_and_tall_videos_become_small_pictures_of_their_shape(tmp_path: Path) -> None:
    wide = make_clip(tmp_path / "w.mp4", ClipSpec(2, 1280, 720, 2))
    tall = make_clip(tmp_path / "t.mp4", ClipSpec(2, 720, 1280, 2))
    assert size_of(key_frames(wide, [0.5])[0].data) == (MAX_SIDE, 360)
    assert size_of(key_frames(tall, [0.5])[0].data) == (360, MAX_SIDE)
    assert len(key_frames(wide, [0.5])[0].data) < 60_000


@pytest.mark.parametrize(("angle", "corner"), [(0, 0), (90, 2), (-90, 1), (180, 3)])
def test_a_video_held_sideways_gives_an_upright_picture(tmp_path: Path, angle: int, corner: int) -> None:
    """The film is bright in its upper left corner; turned against the clock by `angle` that is another corner."""
    clip = tmp_path / "a.mp4"
    with av.open(str(clip), "w") as output:
        stream = cast(VideoStream, output.add_stream("mpeg4", rate=10, options={"qmin": "2", "qmax": "3"}))
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        if angle:
            stream.set_display_rotation(angle)
        for number in range(20):
            frame = av.VideoFrame(96, 64, "yuv420p")
            luma, blue, red = frame.planes
            dark = bytes([60]) * luma.line_size
            bright = (bytes([220]) * 48).ljust(luma.line_size, b"\x3c")
            luma.update(bright * 32 + dark * 32)
            for plane in (blue, red):
                plane.update(bytes([128]) * plane.buffer_size)
            frame.pts, frame.time_base = number, Fraction(1, 10)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    (taken,) = key_frames(clip, [0.5])
    assert (taken.width > taken.height) is (angle % 180 == 0)
    with av.open(io.BytesIO(taken.data), format="mjpeg") as container:
        small = next(container.decode(video=0)).reformat(width=2, height=2, format="gray", interpolation="AREA")
    plane = small.planes[0]
    data = bytes(plane)
    corners = [data[row * plane.line_size + column] for row in range(2) for column in range(2)]
    assert corners.index(max(corners)) == corner


def test_times_beyond_the_end_and_too_many_times_are_no_trouble(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", ClipSpec(12, 64, 48, 5))
    assert key_frames(clip, [5000.0, -3.0 + 4.0])[0].asked_s == 1.0
    assert len(key_frames(clip, [n / 20 for n in range(220)])) <= MOST_FRAMES
    assert key_frames(clip, []) == ()


def test_a_damaged_video_gives_what_can_be_taken(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mkv", ClipSpec(24, 160, 90, 5))
    data = bytearray(clip.read_bytes())
    half = len(data) // 2
    data[half : half + 4000] = bytes(4000)
    clip.write_bytes(data)
    assert key_frames(clip, [1.0, 22.0])[0].asked_s == 1.0
    clip.write_bytes(b"no video at all")
    assert key_frames(clip, [1.0]) == ()


def test_sound_alone_has_no_picture_and_a_missing_file_is_named(tmp_path: Path) -> None:
    song = tmp_path / "a.wav"
    with av.open(str(song), "w") as output:
        stream = output.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame(format="s16", layout="mono", samples=800)
        frame.planes[0].update(bytes(frame.planes[0].buffer_size))
        frame.sample_rate = 8000
        output.mux(stream.encode(frame))
    assert key_frames(song, [0.0]) == ()
    with pytest.raises(MediaProblem) as caught:
        key_frames(tmp_path / "gone.mp4", [0.0])
    assert caught.value.code == "MISSING"


def test_the_helper_process_takes_the_same_pictures(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", ClipSpec(12, 160, 90, 5))
    children = MediaChildren(1)
    try:
        assert children.frames(clip, [1.0, 9.0]) == key_frames(clip, [1.0, 9.0])
    finally:
        children.close()
