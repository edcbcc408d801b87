"""What holds for all formats: one table, the same bytes for the same report, nothing hidden in what they write."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from gsvr_tui.config.formats import FORMAT_NAMES
from gsvr_tui.report.document import Report, ReportItem, ReportSection
from gsvr_tui.report.formats.extras import BatchView, NothingToRender, Picture
from gsvr_tui.report.formats.table import FORMATS, GROUPS, Scope, UnknownFormat, expand, file_suffix, without_suffix
from gsvr_tui.report.render import render

from .conftest import make_report

JOB = [found.id for found in FORMATS.values() if found.scope is Scope.JOB]
BATCH = [found.id for found in FORMATS.values() if found.scope is Scope.BATCH]
TEXT = [fmt for fmt in (*JOB, *BATCH) if fmt not in ("docx", "anki", "xlsx", "json")]
JPEG = bytes.fromhex("ffd8ffe000104a46494600010200000100010000")


def test_the_table_and_the_names_the_config_checks_are_the_same() -> None:
    assert set(FORMAT_NAMES) == {*FORMATS, *GROUPS}
    assert all(member in FORMATS for members in GROUPS.values() for member in members)


def test_groups_stand_for_their_members_and_nothing_comes_twice() -> None:
    assert [found.id for found in expand(("csv", "html", "csv-items", "html"))] == ["csv-videos", "csv-items", "html"]
    with pytest.raises(UnknownFormat, match="there is no format 'wax'; there are markdown, json, html"):
        expand(("html", "wax"))


def test_no_two_formats_end_a_name_the_same_way() -> None:
    suffixes = [found.suffix for found in FORMATS.values()]
    assert len(set(suffixes)) == len(suffixes)
    for found in FORMATS.values():
        assert without_suffix(f"lecture 1.2{found.suffix}") == "lecture 1.2"


def test_one_kind_of_markdown_alone_is_md_and_a_second_says_what_it_is() -> None:
    assert file_suffix("obsidian", ("html", "obsidian")) == ".md"
    assert file_suffix("obsidian", ("markdown", "obsidian")) == ".obsidian.md"
    assert file_suffix("markdown", ("markdown", "logseq")) == ".md"
    assert file_suffix("html", ("markdown",)) == ".html"


@pytest.mark.parametrize("fmt", JOB)
def test_the_same_report_gives_the_same_bytes(fmt: str, lesson_report: Report) -> None:
    pictures = {"e0002": Picture(20.8, JPEG, 320, 180)}
    first = render(lesson_report, fmt, video_href="../a.mp4", pictures=pictures)
    assert first == render(lesson_report, fmt, video_href="../a.mp4", pictures=pictures)
    assert first


@pytest.mark.parametrize("fmt", BATCH)
def test_the_same_batch_gives_the_same_bytes(
    fmt: str, lesson_report: Report, batch_of: Callable[..., BatchView], written: Callable[[str, BatchView], bytes]
) -> None:
    assert written(fmt, batch_of(lesson_report)) == written(fmt, batch_of(lesson_report))


ACTING = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b\u2028\u2029]")


@pytest.mark.parametrize("fmt", TEXT)
def test_nothing_in_a_file_can_act_on_a_terminal_or_hide_in_it(
    fmt: str,
    hostile_report: Report,
    batch_of: Callable[..., BatchView],
    written: Callable[[str, BatchView], bytes],
) -> None:
    if fmt in BATCH:
        data = written(fmt, batch_of(hostile_report, name=hostile_report.title, reason=hostile_report.title))
        text = data.decode("utf-8-sig")
    else:
        text = render(hostile_report, fmt, video_href="../a.mp4").decode("utf-8")
    assert ACTING.search(text.replace("\r\n", "\n")) is None


@pytest.mark.parametrize("fmt", ["srt", "vtt", "chapters-vtt", "ffmetadata", "youtube", "anki"])
def test_a_report_that_has_nothing_for_a_format_says_so(fmt: str) -> None:
    bare = make_report((ReportSection("s", "Summary", "text", "Only prose."),))
    with pytest.raises(NothingToRender, match="report"):
        render(bare, fmt)


@pytest.mark.parametrize("fmt", JOB)
def test_a_report_of_almost_nothing_is_rendered_all_the_same(fmt: str) -> None:
    odd = make_report(
        (ReportSection("x", "", "items", items=(ReportItem("e1", "A?", "b", 0.0),)),), title="", language=""
    )
    assert render(odd, fmt)


def test_a_format_over_a_batch_is_not_one_of_a_report(lesson_report: Report) -> None:
    with pytest.raises(UnknownFormat):
        render(lesson_report, "xlsx")
