"""Real clips are made, looked into, copied and hashed; files that are no videos are refused with the right word."""

from __future__ import annotations

import hashlib
import os
import random
import socket
import struct
import sys
import wave
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import av
import pytest

from gsvr_tui.media import probe as probe_module
from gsvr_tui.media.hashing import content_hash
from gsvr_tui.media.probe import probe_file
from gsvr_tui.media.problem import MediaProblem
from gsvr_tui.media.remux import remux_to_mp4
from gsvr_tui.media.samples import ClipSpec, demo_clips, make_clip, scenes_of


def clip(path: Path, seconds: float = 6, tone_hz: int = 220) -> Path:
    return make_clip(path, ClipSpec(seconds, width=64, height=64, tone_hz=tone_hz))


def code_of(path: Path) -> str:
    with pytest.raises(MediaProblem) as caught:
        probe_file(path)
    assert caught.value.message
    assert path.name not in str(caught.value)
    return caught.value.code


@pytest.mark.parametrize(
    ("suffix", "mime_type", "container", "needs_remux"),
    [
        (".mp4", "video/mp4", "mp4", False),
        (".MOV", "video/quicktime", "mov", False),
        (".avi", "video/avi", "avi", False),
        (".mkv", "video/mp4", "mkv", True),
        (".ts", "video/mp4", "mpegts", True),
    ],
)
def test_a_clip_is_known_by_its_container(
    tmp_path: Path, suffix: str, mime_type: str, container: str, needs_remux: bool
) -> None:
    path = clip(tmp_path / f"a{suffix}")
    facts = probe_file(path)
    assert (facts.mime_type, facts.container, facts.needs_remux) == (mime_type, container, needs_remux)
    assert facts.duration_s == pytest.approx(6, abs=0.5)
    assert (facts.video_codec, facts.audio_codec, facts.width, facts.height) == ("h264", "aac", 64, 64)
    assert facts.size_bytes == path.stat().st_size
    assert facts.inode == path.stat().st_ino


def test_a_container_under_a_foreign_suffix_is_known_by_its_content(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mkv").rename(tmp_path / "a.mp4")
    assert probe_file(path).needs_remux


def test_a_silent_clip_has_no_audio(tmp_path: Path) -> None:
    assert not probe_file(clip(tmp_path / "a.mp4", tone_hz=0)).has_audio


@pytest.mark.parametrize("suffix", [".mkv", ".ts"])
def test_a_remuxed_clip_keeps_its_length_and_streams(tmp_path: Path, suffix: str) -> None:
    source = clip(tmp_path / f"a{suffix}")
    assert remux_to_mp4(source, tmp_path / "b.mp4") == ()
    before, after = probe_file(source), probe_file(tmp_path / "b.mp4")
    assert not after.needs_remux
    assert (after.video_codec, after.audio_codec) == ("h264", "aac")
    assert after.duration_s == pytest.approx(before.duration_s, abs=0.3)
    with av.open(str(tmp_path / "b.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) == 30
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([source.name, "b.mp4"])


def test_what_cannot_be_remuxed_leaves_nothing_behind(tmp_path: Path) -> None:
    source = tmp_path / "a.mkv"
    source.write_bytes(b"no video at all" * 99)
    with pytest.raises(MediaProblem) as caught:
        remux_to_mp4(source, tmp_path / "b.mp4")
    assert caught.value.code == "UNSUPPORTED"
    with pytest.raises(MediaProblem) as caught:
        remux_to_mp4(tmp_path / "none.mkv", tmp_path / "b.mp4")
    assert caught.value.code == "MISSING"
    assert [p.name for p in tmp_path.iterdir()] == ["a.mkv"]


def test_files_that_are_no_videos_are_told_apart(tmp_path: Path) -> None:
    whole = clip(tmp_path / "whole.mp4", 20).read_bytes()
    faststart = tmp_path / "faststart.mp4"
    remux_to_mp4(clip(tmp_path / "a.mkv", 20), faststart)
    with wave.open(str(tmp_path / "sound.wav"), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(bytes(16000))
    cases = {
        "none.mp4": (None, "MISSING"),
        "empty.mp4": (b"", "EMPTY"),
        "garbage.mp4": (b"\x00\xff" * 5000, "NOT_A_VIDEO"),
        "text.mp4": (b"hello world\n" * 500, "NOT_A_VIDEO"),
        "cut.mp4": (whole[: len(whole) // 2], "TRUNCATED"),
        "cut-faststart.mp4": (faststart.read_bytes()[: faststart.stat().st_size // 2], "TRUNCATED"),
        "sound.mp4": ((tmp_path / "sound.wav").read_bytes(), "NO_VIDEO"),
    }
    for name, (data, code) in cases.items():
        if data is not None:
            (tmp_path / name).write_bytes(data)
        assert code_of(tmp_path / name) == code, name
    assert code_of(tmp_path) == "NOT_A_FILE"


def test_a_playlist_posing_as_a_video_opens_nothing_else(tmp_path: Path) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        server.setblocking(False)
        port = server.getsockname()[1]
        for name, text in (
            (
                "hls.mp4",
                f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nhttp://127.0.0.1:{port}/a.ts\n#EXT-X-ENDLIST\n",
            ),
            ("concat.mp4", f"ffconcat version 1.0\nfile http://127.0.0.1:{port}/a.mp4\n"),
        ):
            (tmp_path / name).write_text(text)
            assert code_of(tmp_path / name) == "NOT_A_VIDEO"
        with pytest.raises(BlockingIOError):
            server.accept()


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes in folders there")
def test_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    assert code_of(tmp_path / "pipe.mp4") == "NOT_A_FILE"


def test_a_file_larger_than_the_service_takes_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "big.mp4"
    with path.open("wb") as file:
        file.truncate(probe_module.MAX_BYTES + 1)  # sparse
    assert code_of(path) == "TOO_BIG"


def test_a_stale_header_does_not_lengthen_or_shorten_the_video(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mkv", 20)
    data = path.read_bytes()
    with av.open(str(path)) as container:
        assert container.duration is not None
        said_ms = container.duration / 1000
    for wrong in (8_000.0, 70_000.0):
        old, new = b"\x44\x89\x88" + struct.pack(">d", said_ms), b"\x44\x89\x88" + struct.pack(">d", wrong)
        assert data.count(old) == 1
        path.write_bytes(data.replace(old, new))
        assert probe_file(path).duration_s == pytest.approx(20, abs=0.3)


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names there are Unicode")
def test_a_name_that_is_not_utf_8_or_looks_like_an_address_is_no_obstacle(tmp_path: Path) -> None:
    for raw in (b"caf\xe9\n.mp4", b"http:a.mp4", b"-i.mp4", "讲座.mp4".encode()):
        path = clip(tmp_path / os.fsdecode(raw), 2)
        assert probe_file(path).duration_s == pytest.approx(2, abs=0.3)


def test_the_hash_is_that_of_the_content_and_progress_is_heard(tmp_path: Path) -> None:
    path = tmp_path / "a"
    data = os.urandom(5 * 1024 * 1024)
    path.write_bytes(data)
    heard: list[int] = []
    assert content_hash(path, heard.append) == hashlib.sha256(data).hexdigest()
    assert heard[-1] == len(data)
    assert heard == sorted(heard)
    assert len(heard) > 1


def test_a_file_that_changes_while_it_is_hashed_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "a"
    for change in ("append", "replace", "remove"):
        path.write_bytes(bytes(5 * 1024 * 1024))

        def alter(done: int, change: str = change) -> None:
            if done > 4 * 1024 * 1024:
                return
            if change == "append":
                with path.open("ab") as file:
                    file.write(b"more")
            elif change == "replace":
                (path.parent / "b").write_bytes(bytes(5 * 1024 * 1024))
                (path.parent / "b").replace(path)
            else:
                path.unlink()

        with pytest.raises(MediaProblem) as caught:
            content_hash(path, alter)
        assert caught.value.code == ("MISSING" if change == "remove" else "SOURCE_CHANGED")


def test_hashing_stops_when_asked(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    with pytest.raises(MediaProblem) as caught:
        content_hash(tmp_path / "a", cancelled=lambda: True)
    assert caught.value.code == "CANCELLED"


def test_scenes_cover_the_clip_without_gaps_and_differ_in_tone() -> None:
    for seconds in (3, 10, 12, 31, 75):
        scenes = scenes_of(ClipSpec(seconds))
        assert scenes[0].start_s == 0
        assert scenes[-1].end_s == seconds
        assert all(a.end_s == b.start_s and a.tone_hz != b.tone_hz for a, b in pairwise(scenes))
        assert all(s.end_s - s.start_s > 2 for s in scenes)


def test_the_picture_of_a_clip_changes_with_the_clock_and_the_scenes(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mp4", ClipSpec(22, seed=7))
    with av.open(str(path)) as container:
        frames = [bytes(frame.planes[0]) for frame in container.decode(video=0)]
    assert len(frames) == 110
    assert all(a != b for a, b in pairwise(frames))

    def difference(a: bytes, b: bytes) -> float:
        return sum(abs(x - y) for x, y in zip(a, b, strict=True)) / len(a)

    assert difference(frames[49], frames[50]) > 3 * difference(frames[40], frames[41])  # the scene at 10 s


def test_the_demo_has_clips_of_several_lengths_one_chinese_and_one_to_remux(tmp_path: Path) -> None:
    clips = demo_clips(tmp_path / "new" / "folder")
    facts = [probe_file(path) for path in clips]
    assert len({round(f.duration_s) for f in facts}) == len(clips) >= 3
    assert all(20 <= f.duration_s <= 90 for f in facts)
    assert any(not path.name.isascii() for path in clips)
    assert [f.needs_remux for f in facts].count(True) == 1
    stamps = [path.stat().st_mtime_ns for path in clips]
    assert [path.stat().st_mtime_ns for path in demo_clips(tmp_path / "new" / "folder")] == stamps


def test_a_clip_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="even sides"):
        make_clip(tmp_path / "a.mp4", ClipSpec(5, width=33))
    assert list(tmp_path.iterdir()) == []


def test_damaged_files_are_refused_or_read_and_never_crash(tmp_path: Path) -> None:
    for suffix in (".mp4", ".mkv", ".ts", ".avi"):
        whole = clip(tmp_path / f"whole{suffix}", 3).read_bytes()
        path = tmp_path / f"damaged{suffix}"
        for seed in range(25):
            chance = random.Random(f"{suffix}{seed}")
            data = bytearray(whole)
            reach = chance.choice([300, 4_000, len(data)])
            for _ in range(chance.randrange(1, 30)):
                data[chance.randrange(reach) * chance.choice([1, -1])] = chance.randrange(256)
            path.write_bytes(data[: chance.choice([len(data), chance.randrange(len(data))])])
            outcomes = {outcome(probe_file, path), outcome(remux_to_mp4, path, tmp_path / "out.mp4")}
            assert outcomes <= {"", "EMPTY", "TRUNCATED", "NOT_A_VIDEO", "NO_VIDEO", "UNSUPPORTED"}


def outcome(call: Callable[..., object], *args: Path) -> str:
    """The code of the MediaProblem, empty when there is none."""
    try:
        call(*args)
    except MediaProblem as problem:
        return problem.code
    return ""
