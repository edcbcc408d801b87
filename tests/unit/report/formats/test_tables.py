"""Tables over a batch: read back by other libraries; no cell is a formula."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsvr_tui.report.document import Report
from gsvr_tui.report.formats.extras import BatchView
from gsvr_tui.report.formats.tables import ITEM_COLUMNS, VIDEO_COLUMNS, guard

from .conftest import HOSTILE

Write = Callable[[str, BatchView], bytes]


def rows(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def test_a_row_for_each_video_also_for_one_without_a_report(
    lesson_report: Report, batch_of: Callable[..., BatchView], written: Write
) -> None:
    data = written("csv-videos", batch_of(lesson_report))
    assert data.startswith(b"\xef\xbb\xbf")
    assert data.count(b"\r\n") == 3
    found = rows(data)
    assert tuple(found[0]) == VIDEO_COLUMNS
    first = found[0]
    assert (first["video"], first["verdict"], first["covered"]) == ("Physics/02 Sky.mp4", "ok", "1.0")
    assert (first["duration"], first["duration_s"], first["tokens_in"]) == ("01:15", "75.0", "1000")
    assert (first["report"], first["gsvr_id"]) == ("./r0.html", "0abcdefghjkmn")
    assert (found[1]["state"], found[1]["reason"], found[1]["verdict"]) == ("failed", "no picture in it", "")


def test_a_row_for_each_entry_and_each_piece_of_prose(
    lesson_report: Report, batch_of: Callable[..., BatchView], written: Write
) -> None:
    found = rows(written("csv-items", batch_of(lesson_report)))
    assert tuple(found[0]) == ITEM_COLUMNS
    assert [row["item"] for row in found] == [
        *("", "e0001", "e0002", "e0003", "e0010", "e0011", "e0020", "e0030"),
    ]
    assert found[0]["text"] == "About light:\n1. a tank\n2. a law\nA quote."
    assert (found[4]["speaker"], found[4]["start"], found[4]["end_s"]) == ("Dr. Lim", "00:01", "6.0")


@pytest.mark.parametrize("fmt", ["csv-videos", "csv-items"])
def test_no_cell_of_a_csv_begins_a_formula(
    fmt: str, hostile_report: Report, batch_of: Callable[..., BatchView], written: Write
) -> None:
    view = batch_of(hostile_report, name="=cmd|' /C calc'!A0", reason="@SUM(A1)")
    found = rows(written(fmt, view))
    assert found
    for row in found:
        for cell in row.values():
            assert not cell.lstrip(" \n").startswith(("=", "+", "-", "@", "\t", "\r"))


@given(st.text(max_size=20) | st.sampled_from(HOSTILE))
def test_a_guarded_text_is_the_text_or_the_text_behind_an_apostrophe(text: str) -> None:
    assert guard(text) in (text, f"'{text}")
    assert str(guard(text)).lstrip(" \n")[:1] not in ("=", "+", "-", "@", "\t", "\r", "＝")


def test_the_workbook_has_frozen_heads_links_numbers_and_no_formulas(
    lesson_report: Report, hostile_report: Report, batch_of: Callable[..., BatchView], written: Write
) -> None:
    data = written("xlsx", batch_of(lesson_report, hostile_report))
    book = openpyxl.load_workbook(io.BytesIO(data))
    videos, items = book["Videos"], book["Items"]
    assert videos.freeze_panes == items.freeze_panes == "B2"
    assert tuple(cell.value for cell in videos[1]) == VIDEO_COLUMNS
    assert tuple(cell.value for cell in items[1]) == ITEM_COLUMNS
    assert videos.max_row == 4
    assert videos["D2"].value == 1
    link = videos.cell(2, VIDEO_COLUMNS.index("report") + 1)
    assert link.hyperlink.target == "r0.html"
    for sheet in (videos, items):
        assert sheet.auto_filter.ref
        for row in sheet.iter_rows():
            assert all(cell.data_type in ("s", "n") for cell in row)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert b"<f>" not in b"".join(archive.read(name) for name in archive.namelist())
        assert not any("externalLink" in name or "vba" in name for name in archive.namelist())


def test_a_text_that_excel_would_decode_stays_as_it_was(
    lesson_report: Report, batch_of: Callable[..., BatchView], written: Write
) -> None:
    data = written("xlsx", batch_of(lesson_report, reason="_x000D_ and <b>"))
    book = openpyxl.load_workbook(io.BytesIO(data))
    assert "<b>" in book["Videos"].cell(3, VIDEO_COLUMNS.index("reason") + 1).value
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        sheets = b"".join(archive.read(name) for name in archive.namelist())
    assert b"_x005F_x000D_ and &lt;b&gt;" in sheets
