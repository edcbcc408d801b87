"""Reports land where the input's tree says, never outside, never over what others wrote, never half."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gsvr_tui.report.document import GateRecord, Provenance, Report, ReportSection, SourceFile
from gsvr_tui.report.output import OutputProblem, WrittenFiles, place_key, plan_outputs, video_href, write_outputs
from gsvr_tui.report.render import UnknownFormat

JOB = "0abcdefghjkmn"


def free(key: str) -> bool:
    return False


def report(path: Path | str = "/v/a/lecture.mp4", text: str = "One.") -> Report:
    return Report(
        JOB,
        "Title",
        "en",
        "summary_report",
        "2.0",
        SourceFile("a/lecture.mp4", str(path), 60.0),
        (ReportSection("summary", "Summary", "text", text),),
        Provenance("m"),
        GateRecord("ok"),
    )


def write(
    root: Path, text: str = "One.", known: dict[str, str] | None = None, name: str = "a/lecture.mp4"
) -> WrittenFiles:
    plan = plan_outputs(root, name, JOB, ("markdown", "json"), free)
    return write_outputs(report(text=text), plan, known or {})


def tree(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if not path.is_dir()}


def test_the_tree_of_the_input_is_kept(tmp_path: Path) -> None:
    written = write(tmp_path / "new" / "out", name="Course 1/第三讲 光.mp4")
    assert tree(tmp_path / "new" / "out") == {"Course-1/第三讲-光.md", "Course-1/第三讲-光.json"}
    assert all(file.changed and file.path.read_bytes() for file in written.files)
    assert written.notes == ()


def test_writing_the_same_report_again_changes_nothing(tmp_path: Path) -> None:
    first = write(tmp_path)
    stamps = {file.path: file.path.stat().st_mtime_ns for file in first.files}
    again = write(tmp_path)  # without remembered hashes: the bytes are the same
    assert not any(file.changed for file in again.files)
    assert again.hashes == first.hashes
    assert {path: path.stat().st_mtime_ns for path in stamps} == stamps


def test_a_new_report_replaces_the_one_we_wrote(tmp_path: Path) -> None:
    first = write(tmp_path)
    second = write(tmp_path, "Two.", first.hashes)
    assert [file.path for file in second.files] == [file.path for file in first.files]
    assert "Two." in (tmp_path / "a" / "lecture.md").read_text()
    assert tree(tmp_path) == {"a/lecture.md", "a/lecture.json"}


def test_a_file_the_user_changed_stays_and_the_new_one_goes_beside_it(tmp_path: Path) -> None:
    first = write(tmp_path)
    mine = tmp_path / "a" / "lecture.md"
    mine.write_text(mine.read_text() + "\nmy remark\n")
    second = write(tmp_path, "Two.", first.hashes)
    assert mine.read_text().endswith("my remark\n")
    assert "Two." in (tmp_path / "a" / "lecture (new).md").read_text()
    assert len(second.notes) == 1
    assert "lecture.md" in second.notes[0]
    third = write(tmp_path, "Three.", {**first.hashes, **second.hashes})
    assert "Three." in (tmp_path / "a" / "lecture (new).md").read_text()
    assert tree(tmp_path) == {"a/lecture.md", "a/lecture.json", "a/lecture (new).md"}
    (tmp_path / "a" / "lecture (new).md").write_text("mine too")
    write(tmp_path, "Four.", third.hashes)
    assert "Four." in (tmp_path / "a" / "lecture (new 2).md").read_text()


@pytest.mark.parametrize(
    "foreign", ["notes of mine", '---\ngsvr_id: "another000000"\n---\n', f'---\ngsvr_id: "{JOB}"\n---\n']
)
def test_a_file_that_is_not_ours_is_never_overwritten(tmp_path: Path, foreign: str) -> None:
    (tmp_path / "a").mkdir()
    other = tmp_path / "a" / "lecture.md"
    other.write_text(foreign)
    written = write(tmp_path)
    assert other.read_text() == foreign
    assert written.files[0].path.name == "lecture (new).md"


def test_a_remembered_hash_alone_does_not_make_a_file_ours(tmp_path: Path) -> None:
    import hashlib

    (tmp_path / "a").mkdir()
    other = tmp_path / "a" / "lecture.md"
    other.write_text("no mark")
    write(tmp_path, known={str(other): hashlib.sha256(b"no mark").hexdigest()})
    assert other.read_text() == "no mark"


def test_videos_of_the_same_stem_are_told_apart_by_the_job(tmp_path: Path) -> None:
    taken: set[str] = set()
    names = []
    for job, name in (
        ("0000000aaaaaa", "a/Lecture.mp4"),
        ("0000000bbbbbb", "a/lecture.mov"),
        ("1111111bbbbbb", "a/lecture.mkv"),
        ("0000000dddddd", "b/lecture.mp4"),
    ):
        plan = plan_outputs(tmp_path, name, job, ("markdown",), taken.__contains__)
        assert plan.key not in taken
        taken.add(plan.key)
        names.append(plan.path("markdown").relative_to(tmp_path).as_posix())
    assert names == ["a/Lecture.md", "a/lecture-bbbbbb.md", "a/lecture-1111111bbbbbb.md", "b/lecture.md"]
    assert place_key(PurePosixPath("Ä"), "X") == place_key(PurePosixPath("A\u0308"), "x")


@given(
    st.text(max_size=60)
    | st.sampled_from(["../../etc/passwd", "/abs/x.mp4", "C:\\x\\y.mp4", "..", "", "con/nul.mp4", "a/" * 20 + "x"])
)
@settings(max_examples=200, deadline=None)
def test_no_name_leads_out_of_the_output_folder(name: str) -> None:
    root = Path("/somewhere/out")
    plan = plan_outputs(root, name, JOB, ("markdown",), lambda key: len(key) % 2 == 0)
    path = plan.path("markdown")
    assert path.is_relative_to(root)
    assert os.path.normpath(path) == str(path)
    assert all(len(part.encode()) <= 130 for part in path.relative_to(root).parts)
    assert path.name not in (".md", "")


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_links_in_the_output_folder_are_neither_followed_out_nor_written_through(tmp_path: Path) -> None:
    root, outside = tmp_path / "out", tmp_path / "outside"
    outside.mkdir()
    root.mkdir()
    (root / "a").symlink_to(outside)
    with pytest.raises(OutputProblem) as caught:
        write(root)
    assert caught.value.code == "OUTSIDE"
    assert list(outside.iterdir()) == []
    (root / "a").unlink()
    (root / "a").mkdir()
    (outside / "victim").write_text("precious")
    (root / "a" / "lecture.md").symlink_to(outside / "victim")
    written = write(root)
    assert written.files[0].path.name == "lecture (new).md"
    assert (outside / "victim").read_text() == "precious"


def test_a_folder_in_the_place_of_a_file_or_a_file_in_that_of_a_folder_is_no_crash(tmp_path: Path) -> None:
    (tmp_path / "a" / "lecture.md").mkdir(parents=True)
    assert write(tmp_path).files[0].path.name == "lecture (new).md"
    (tmp_path / "b").write_text("a file")
    with pytest.raises(OutputProblem) as caught:
        write(tmp_path, name="b/lecture.mp4")
    assert caught.value.code == "FAILED"


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "FULL"),
        (errno.EROFS, "READ_ONLY"),
        (errno.EACCES, "DENIED"),
        (errno.EIO, "FAILED"),
        (errno.ENOENT, "GONE"),
        (errno.ENAMETOOLONG, "FAILED"),
    ],
)
def test_a_failing_disk_leaves_the_old_report_whole_and_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, code: str
) -> None:
    first = write(tmp_path)
    before = {path: (tmp_path / path).read_bytes() for path in tree(tmp_path)}

    def fail(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("gsvr_tui.report.output.os.fsync", fail)
    with pytest.raises(OutputProblem) as caught:
        write(tmp_path, "Two.", first.hashes)
    assert caught.value.code == code
    assert caught.value.advice
    assert {path: (tmp_path / path).read_bytes() for path in tree(tmp_path)} == before


def test_an_output_folder_on_an_unplugged_drive_is_not_made_anew(tmp_path: Path) -> None:
    plan = plan_outputs(tmp_path / "drive" / "out", "a.mp4", JOB, ("markdown",), free)
    with pytest.raises(OutputProblem) as caught:
        write_outputs(report(), plan, {}, create_root=False)
    assert caught.value.code == "GONE"
    assert list(tmp_path.iterdir()) == []


def test_links_to_the_video_are_relative_where_both_lie_together() -> None:
    assert video_href(Path("/home/me/course/reports"), "/home/me/course/a b#?.mp4") == "../a%20b%23%3F.mp4"
    assert video_href(Path("/home/me/course"), "/home/me/course/x.mp4") == "./x.mp4"
    assert video_href(Path("/home/me/out"), "/media/usb/x.mp4") == "file:///media/usb/x.mp4"
    assert video_href(Path("/home/me/out"), "/home/me/caf\udce9.mp4") == "../caf%E9.mp4"


def test_an_unknown_format_is_refused_when_planning(tmp_path: Path) -> None:
    with pytest.raises(UnknownFormat):
        plan_outputs(tmp_path, "a.mp4", JOB, ("pdf",), free)


def test_files_are_found_again_under_the_plan(tmp_path: Path, make_answer: Callable[..., object]) -> None:
    plan = plan_outputs(tmp_path, "a/lecture.mp4", JOB, ("markdown", "json", "markdown"), free)
    written = write_outputs(replace(report(), title="x"), plan, {})
    assert [file.path for file in written.files] == [plan.path("markdown"), plan.path("json")]
