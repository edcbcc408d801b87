"""Formats from the command line: made by a run, made later at no cost, never over what a person edited."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import openpyxl
import pytest
from docx import Document

from tests.integration.cli.conftest import Home

JOB_FILES = ("md", "html", "docx", "srt", "json")


@pytest.fixture
def done(home: Home, clips: Path) -> Home:
    """A home whose run over three clips has ended, with the batch's own formats among those asked for."""
    server = home.serve()
    asked = ("markdown", "html", "docx", "srt", "json", "index", "csv", "xlsx")
    result = home.call("run", clips, "--yes", *(part for fmt in asked for part in ("--format", fmt)))
    assert result.code == 0, result.err
    server.stop()  # nothing after this can ask anybody
    home.servers.clear()
    return home


def test_one_run_gives_every_video_its_files_and_the_batch_its_own(done: Home) -> None:
    names = {path.name for path in done.reports.iterdir()}
    assert {f"clip-{n}.{suffix}" for n in range(3) for suffix in JOB_FILES} <= names
    assert {"videos.index.html", "videos.videos.csv", "videos.items.csv", "videos.xlsx"} <= names
    assert not [name for name in names if "partial" in name or "new" in name]
    page = (done.reports / "videos.index.html").read_text("utf-8")
    assert all(f'href="./clip-{n}.html"' in page for n in range(3))
    report = (done.reports / "clip-0.html").read_text("utf-8")
    assert "data:image/jpeg;base64," in report  # key frames of the clip
    assert '<video src="../../videos/clip%200.mp4"' in report
    rows = list(csv.DictReader(io.StringIO((done.reports / "videos.videos.csv").read_text("utf-8-sig"))))
    assert [row["video"] for row in rows] == ["clip 0.mp4", "clip 1.mp4", "clip 2.mp4"]
    assert {row["report"] for row in rows} == {f"./clip-{n}.html" for n in range(3)}
    assert {row["state"] for row in rows} == {"done"}
    book = openpyxl.load_workbook(done.reports / "videos.xlsx")
    assert book["Videos"].max_row == 4
    assert Document(str(done.reports / "clip-0.docx")).inline_shapes


def test_formats_come_later_without_a_request_and_the_same_again(done: Home) -> None:
    result = done.call("render", "--format", "anki", "--format", "obsidian", "--format", "chapters", "--format", "vtt")
    assert result.code == 0, result.err
    names = {path.name for path in done.reports.iterdir()}
    for n in range(3):
        made = {f"clip-{n}.obsidian.md", f"clip-{n}.chapters.vtt", f"clip-{n}.youtube.txt", f"clip-{n}.vtt"}
        assert made <= names
        assert f"clip-{n}.apkg" in names or f"clip {n}.mp4: no cards for Anki" in result.err
    assert done.call("render").code == 0  # the page over the batch learns of the new files
    assert 'href="./clip-2.obsidian.md"' in (done.reports / "videos.index.html").read_text("utf-8")
    before = {path: path.read_bytes() for path in done.reports.iterdir()}
    again = done.call("render")
    assert again.code == 0, again.err
    assert {path: path.read_bytes() for path in done.reports.iterdir()} == before


def test_what_a_person_edited_stays(done: Home) -> None:
    edited = [done.reports / name for name in ("clip-1.docx", "clip-1.srt", "videos.videos.csv", "videos.index.html")]
    for path in edited:
        path.write_bytes(path.read_bytes() + b" mine")
    result = done.call("render")
    assert result.code == 0, result.err
    assert all(path.read_bytes().endswith(b" mine") for path in edited)
    names = {path.name for path in done.reports.iterdir()}
    assert {"clip-1 (new).docx", "clip-1 (new).srt"} <= names
    assert len([name for name in names if name.endswith(".videos.csv")]) == 2


def test_another_folder_gets_a_whole_set_and_the_first_is_left_alone(done: Home, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in done.reports.iterdir()}
    result = done.call("render", "-o", tmp_path / "other", "--format", "markdown", "--format", "index")
    assert result.code == 0, result.err
    assert {path.name for path in (tmp_path / "other").iterdir()} == {
        *("clip-0.md", "clip-1.md", "clip-2.md", "videos.index.html")
    }
    assert 'href="./clip-2.md"' in (tmp_path / "other" / "videos.index.html").read_text("utf-8")
    assert {path: path.stat().st_mtime_ns for path in done.reports.iterdir()} == before


def test_an_unknown_format_is_told_with_those_there_are(home: Home) -> None:
    home.write("http://127.0.0.1:9")
    result = home.call("render", "--format", "wax-tablet")
    assert result.code == 2
    assert "there is no format 'wax-tablet'" in result.err
    assert "docx" in result.err


def test_a_batch_with_a_bad_video_still_gets_its_page(home: Home, clips: Path) -> None:
    home.serve()
    (clips / "broken.mp4").write_bytes(b"\0\0\0\x18ftypmp42" + bytes(3000))
    result = home.call("run", clips, "--yes", "--format", "markdown", "--format", "index", "--format", "csv")
    assert result.code != 0
    page = (home.reports / "videos.index.html").read_text("utf-8")
    assert "broken.mp4" in page
    assert 'class="chip none"' in page
    rows = list(csv.DictReader(io.StringIO((home.reports / "videos.videos.csv").read_text("utf-8-sig"))))
    assert {row["video"]: row["state"] for row in rows}["broken.mp4"] == "failed"
