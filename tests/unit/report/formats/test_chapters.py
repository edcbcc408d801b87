"""Chapters: read by another VTT parser and by ffmpeg itself, and as YouTube wants them."""

from __future__ import annotations

import io
import re
from pathlib import Path

import av
import webvtt

from gsvr_tui.report.document import Report, ReportItem, ReportSection
from gsvr_tui.report.formats.clean import cleaned
from gsvr_tui.report.render import render

from .conftest import make_report


def chapters(*starts: float, title: str = "Part", duration_s: float = 4000.0) -> Report:
    items = tuple(ReportItem(f"e{n}", f"{title} {n}", "", at) for n, at in enumerate(starts))
    return make_report((ReportSection("chapters", "C", "items", items=items),), duration_s=duration_s)


def test_vtt_chapters_follow_each_other_to_the_end(lesson_report: Report) -> None:
    found = webvtt.from_buffer(io.StringIO(render(lesson_report, "chapters-vtt").decode())).captions
    assert [(c.start, c.end, c.text) for c in found] == [
        ("00:00:00.000", "00:00:20.000", "Welcome"),
        ("00:00:20.000", "00:00:44.000", "A tank"),
        ("00:00:44.000", "00:01:15.000", "A law"),
    ]


def test_ffmpeg_reads_its_metadata(hostile_report: Report, lesson_report: Report, tmp_path: Path) -> None:
    for report in (lesson_report, hostile_report):
        path = tmp_path / "chapters.txt"
        path.write_bytes(render(report, "ffmetadata"))
        with av.open(str(path), format="ffmetadata") as container:
            found = container.chapters()
            assert container.metadata["title"].split() == cleaned(report).title.split()
        whole = [c["start"] for c in found]
        assert whole == sorted(whole)
        assert all(c["end"] > c["start"] for c in found)
        if report is lesson_report:
            assert [c["metadata"]["title"] for c in found] == ["Welcome", "A tank", "A law"]


def test_the_youtube_list_begins_at_zero_and_is_ten_seconds_apart() -> None:
    lines = render(chapters(3.0, 9.0, 15.0, 100.0, 3599.0, 3995.0), "youtube").decode().splitlines()
    assert lines == ["0:00 Part 0", "0:15 Part 2", "1:40 Part 3", "59:59 Part 4"]
    assert render(chapters(0.0, 3600.0), "youtube").decode().splitlines()[1] == "1:00:00 Part 1"


def test_a_title_stays_on_its_line_whatever_is_in_it(hostile_report: Report) -> None:
    lines = render(hostile_report, "youtube").decode().splitlines()
    assert all(re.match(r"(\d+:)?\d{1,2}:\d\d ", line) for line in lines)
    assert not any("<" in line or ">" in line for line in lines)
    vtt = render(hostile_report, "chapters-vtt").decode()
    captions = webvtt.from_buffer(io.StringIO(vtt)).captions
    assert len(captions) == vtt.count(" --> ")
    assert "\nSTYLE" not in vtt
