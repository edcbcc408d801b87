"""Finding videos: order, links, duplicates, and everything that is left out with a reason."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

from gsvr_tui.media.files import Found, find_videos, natural_key


def touch(path: Path, data: bytes = b"x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def reasons(found: Found) -> dict[str, str]:
    return {skipped.path.name: skipped.code for skipped in found.skipped}


def test_videos_come_in_natural_order_files_before_folders_by_name(tmp_path: Path) -> None:
    for name in ("Lecture 10.mp4", "lecture 2.MP4", "b/2.mkv", "b/10.mkv", "a/1.mov", "notes.txt"):
        touch(tmp_path / name)
    found = find_videos([tmp_path])
    assert [v.name for v in found.videos] == ["lecture 2.MP4", "Lecture 10.mp4", "a/1.mov", "b/2.mkv", "b/10.mkv"]
    assert {v.root for v in found.videos} == {tmp_path}
    assert found.skipped == ()


def test_a_named_file_is_taken_whatever_its_suffix_and_its_folder_is_its_root(tmp_path: Path) -> None:
    video = touch(tmp_path / "recording.bin")
    (found,) = find_videos([video]).videos
    assert (found.path, found.root, found.name) == (video, tmp_path, "recording.bin")


def test_what_is_missing_or_holds_no_videos_is_said(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    touch(tmp_path / "texts" / "a.txt")
    found = find_videos([tmp_path / "gone.mp4", tmp_path / "empty", tmp_path / "texts", Path("a\0b.mp4")])
    assert [(s.path.name, s.code) for s in found.skipped] == [
        ("gone.mp4", "MISSING"),
        ("empty", "NO_VIDEOS_HERE"),
        ("texts", "NO_VIDEOS_HERE"),
        ("a\0b.mp4", "MISSING"),
    ]


def test_hidden_partial_and_empty_files_are_left_out_with_their_reasons(tmp_path: Path) -> None:
    touch(tmp_path / "ok.mp4")
    for name in ("._ok.mp4", ".trash/a.mp4", "b.mp4.part", "c.mkv.crdownload", "$RECYCLE.BIN/d.mp4"):
        touch(tmp_path / name)
    touch(tmp_path / "e.mp4", b"")
    found = find_videos([tmp_path])
    assert [v.name for v in found.videos] == ["ok.mp4"]
    assert reasons(found) == {
        "._ok.mp4": "HIDDEN",
        ".trash": "HIDDEN",
        "$RECYCLE.BIN": "HIDDEN",
        "b.mp4.part": "PARTIAL",
        "c.mkv.crdownload": "PARTIAL",
        "e.mp4": "EMPTY",
    }


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_links_neither_loop_nor_lead_out_and_each_says_why(tmp_path: Path) -> None:
    root = tmp_path / "root"
    touch(root / "deep" / "a.mp4")
    touch(tmp_path / "outside" / "b.mp4")
    (root / "deep" / "up").symlink_to(root)
    (root / "twin").symlink_to(root / "deep")
    (root / "out").symlink_to(tmp_path / "outside")
    (root / "out.mp4").symlink_to(tmp_path / "outside" / "b.mp4")
    (root / "in.mp4").symlink_to(root / "deep" / "a.mp4")
    (root / "gone.mp4").symlink_to(root / "nothing.mp4")
    (root / "self.mp4").symlink_to(root / "self.mp4")
    found = find_videos([root])
    assert [v.name for v in found.videos] == ["deep/a.mp4"]
    assert reasons(found) == {
        "up": "LINK_LOOP",
        "twin": "DUPLICATE",
        "out": "LINK_OUT",
        "out.mp4": "LINK_OUT",
        "in.mp4": "DUPLICATE",
        "gone.mp4": "LINK_BROKEN",
        "self.mp4": "LINK_LOOP",
    }


def test_a_link_the_user_named_himself_is_followed(tmp_path: Path) -> None:
    touch(tmp_path / "real" / "a.mp4")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (video,) = find_videos([tmp_path / "link"]).videos
    assert (video.name, video.root) == ("a.mp4", tmp_path / "link")


def test_the_same_file_by_two_ways_is_found_once_and_reported(tmp_path: Path) -> None:
    first = touch(tmp_path / "a.mp4")
    os.link(first, tmp_path / "b.mp4")
    found = find_videos([tmp_path, first, tmp_path])
    assert [v.name for v in found.videos] == ["a.mp4"]
    assert [(s.path.name, s.code) for s in found.skipped] == [
        ("b.mp4", "DUPLICATE"),
        ("a.mp4", "DUPLICATE"),
        (tmp_path.name, "DUPLICATE"),
    ]


def test_a_folder_named_before_the_one_around_it_is_searched_once(tmp_path: Path) -> None:
    touch(tmp_path / "a" / "1.mp4")
    touch(tmp_path / "2.mp4")
    found = find_videos([tmp_path / "a", tmp_path])
    assert [v.name for v in found.videos] == ["1.mp4", "2.mp4"]


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes in folders there")
def test_pipes_and_sockets_are_no_videos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path / "a.mp4")
    os.mkfifo(tmp_path / "pipe.mp4")
    monkeypatch.chdir(tmp_path)  # the path of a socket may have 100 bytes only
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.mp4")
        found = find_videos([tmp_path, tmp_path / "pipe.mp4"])
    assert [v.name for v in found.videos] == ["a.mp4"]
    assert [s.code for s in found.skipped] == ["NOT_A_FILE"] * 3


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names there are Unicode")
def test_names_that_are_not_utf_8_survive(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9 \x1b[31m\n.mp4")
    touch(tmp_path / name)
    (video,) = find_videos([tmp_path]).videos
    assert video.name == name
    assert video.path.read_bytes() == b"x"


def test_a_folder_that_cannot_be_read_is_reported_and_the_others_are_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path / "closed" / "a.mp4")
    touch(tmp_path / "open" / "b.mp4")
    scandir = os.scandir

    def refuse(path: str) -> object:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr("gsvr_tui.media.files.os.scandir", refuse)
    found = find_videos([tmp_path])
    assert [v.name for v in found.videos] == ["open/b.mp4"]
    assert reasons(found) == {"closed": "UNREADABLE"}


def test_natural_order_copes_with_digits_that_are_no_numbers() -> None:
    assert sorted(["²", "10", "9", "٣", "a1", "A0"], key=natural_key) == sorted(
        ["²", "10", "9", "٣", "a1", "A0"], key=natural_key
    )
    assert natural_key("Part 9") < natural_key("part 10")
