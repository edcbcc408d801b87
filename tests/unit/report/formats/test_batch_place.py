"""Files over a batch take their place whole, keep away from what is not theirs, and survive a crash on the way."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from gsvr_tui.report.output import BatchPlace, OutputProblem, WrittenFile, write_batch_file


def text(words: str) -> Callable[[BinaryIO], None]:
    def write(out: BinaryIO) -> None:
        out.write(words.encode())

    return write


def put(place: BatchPlace, words: str) -> WrittenFile:
    return write_batch_file("csv-videos", place, text(words))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_written_replaced_and_left_alone_when_it_is_the_same(tmp_path: Path) -> None:
    place = BatchPlace(tmp_path / "out", "Physics 101", "0000batch1")
    first = put(place, "one")
    assert first.path.name == "Physics-101.videos.csv"
    assert put(place, "two").changed
    assert not put(place, "two").changed
    assert first.path.read_text() == "two"
    assert names(tmp_path / "out") == ["Physics-101.videos.csv"]


def test_an_edited_file_stays_and_the_new_one_is_told(tmp_path: Path) -> None:
    place = BatchPlace(tmp_path, "P", "0000batch1")
    first = put(place, "one")
    first.path.write_text("mine")
    second = put(place, "two")
    assert first.path.read_text() == "mine"
    assert second.path.name == "P-batch1.videos.csv"
    assert "P.videos.csv was changed by someone else" in second.note
    second.path.write_text("mine too")
    assert put(place, "three").path.name == "P-batch1 (new).videos.csv"


def test_two_batches_of_one_name_in_one_folder_are_told_apart(tmp_path: Path) -> None:
    first, second = (BatchPlace(tmp_path, "P", f"0000batch{n}") for n in (1, 2))
    put(first, "one")
    other = put(second, "two")
    assert (other.path.name, other.note) == ("P-batch2.videos.csv", "")
    assert put(first, "one more").path.name == "P.videos.csv"
    assert put(second, "two more").path == other.path


def test_after_a_crash_before_or_after_the_last_step_the_file_is_still_ours(tmp_path: Path) -> None:
    kept: dict[str, tuple[str, ...]] = {}
    place = BatchPlace(tmp_path, "P", "0000batch1", {}, kept.update)
    put(place, "one")
    old = (tmp_path / "P.videos.csv").read_bytes()
    put(place, "two")
    for lying in (old, b"two"):  # the step was not done, or it was
        (tmp_path / "P.videos.csv").write_bytes(lying)
        again = put(BatchPlace(tmp_path, "P", "0000batch1", dict(kept)), "three")
        assert again.path.name == "P.videos.csv"


def test_what_was_meant_is_remembered_before_the_file_is_there(tmp_path: Path) -> None:
    seen: list[bool] = []
    place = BatchPlace(tmp_path, "P", "0000batch1", {}, lambda known: seen.append((tmp_path / "P.videos.csv").exists()))
    put(place, "one")
    assert seen == [False]


def test_a_drive_that_is_gone_is_not_made_anew(tmp_path: Path) -> None:
    with pytest.raises(OutputProblem) as caught:
        put(BatchPlace(tmp_path / "drive" / "out", "P", "0000batch1", create=False), "one")
    assert caught.value.code == "GONE"
    assert names(tmp_path) == []


def test_a_full_disk_leaves_the_old_file_and_nothing_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = BatchPlace(tmp_path, "P", "0000batch1")
    put(place, "one")

    def fail(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("gsvr_tui.report.output.os.fsync", fail)
    with pytest.raises(OutputProblem) as caught:
        put(place, "two")
    assert caught.value.code == "FULL"
    assert names(tmp_path) == ["P.videos.csv"]
    assert (tmp_path / "P.videos.csv").read_text() == "one"


@pytest.mark.parametrize("name", ["../../etc/x", "/abs", "C:\\x", "", "..", "a/b", "con", "=x\n", "\u202ex"])
def test_no_name_of_a_batch_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    written = put(BatchPlace(tmp_path, name, "0000batch1"), "one")
    assert written.path.parent == tmp_path
    assert names(tmp_path) == [written.path.name]
