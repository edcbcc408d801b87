"""A batch as tables: a row for each video, and a row for each entry of its report. CSV for everything, XLSX for Excel.

No text can become a formula. Written row by row: the size of a batch does not matter.
"""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, BinaryIO

from gsvr_tui.core.text import clean_text, format_time
from gsvr_tui.report.document import Report, ReportSection
from gsvr_tui.report.formats.extras import BatchEntry, BatchView
from gsvr_tui.report.formats.rich_text import to_plain

Cell = str | int | float
VIDEO_COLUMNS = (
    *("video", "state", "verdict", "covered", "duration", "duration_s", "title", "language", "template"),
    *("model", "requests", "tokens_in", "tokens_out", "cost_usd", "created", "missing", "findings", "reason"),
    *("report", "path", "gsvr_id"),
)
ITEM_COLUMNS = (
    *("video", "section", "section_title", "item", "start", "end", "start_s", "end_s"),
    *("speaker", "title", "text", "gsvr_id"),
)
MOST_CELL = 32_000
"""Excel holds 32,767 characters a cell."""
MOST_ROWS = 1_048_575
MOST_LINKS = 60_000
"""Excel holds 65,530 links a sheet."""
_DANGEROUS = tuple("=+-@\t\r＝＋－＠")
BEST_FORMATS = ("html", "markdown", "obsidian", "docx", "logseq", "json")


def best_link(entry: BatchEntry) -> str:
    """The link to a job's most readable file, or nothing."""
    return next((entry.links[fmt] for fmt in BEST_FORMATS if fmt in entry.links), "")


def video_row(entry: BatchEntry) -> list[Cell]:
    """The cells of a video, as VIDEO_COLUMNS names them."""
    report = entry.report
    head: list[Cell] = [_text(entry.name), _text(entry.state)]
    tail: list[Cell] = [_text(entry.reason), best_link(entry)]
    if report is None:
        return [*head, *[""] * 15, *tail, "", _text(entry.gsvr_id)]
    made, gate, source = report.provenance, report.gate, report.source
    missing = ", ".join(f"{format_time(gap.start_s)}–{format_time(gap.end_s)}" for gap in gate.missing)
    problems = "; ".join(f"{f.check}: {f.message}" for f in gate.findings if f.level != "pass")
    return [
        *head,
        _text(gate.verdict),
        round(gate.covered, 4),
        format_time(source.duration_s),
        round(source.duration_s, 3),
        _text(report.title),
        _text(report.language),
        _text(f"{report.template} {report.template_version}"),
        _text(made.model_version or made.model),
        made.requests,
        made.tokens_in,
        made.tokens_out,
        made.cost_usd,
        _text(made.created_at),
        missing,
        _text(problems),
        *tail,
        _text(source.path),
        _text(report.gsvr_id),
    ]


def item_rows(entry: BatchEntry) -> Iterator[list[Cell]]:
    """The cells of every entry of a report, as ITEM_COLUMNS names them; prose is one entry."""
    report = entry.report
    if report is None:
        return
    for section in report.sections:
        if section.kind == "text":
            yield [*_head(report, section), "", "", "", "", "", "", "", _prose(section.text), _text(report.gsvr_id)]
        for item in section.items:
            times = [_time(item.start_s), _time(item.end_s), _seconds(item.start_s), _seconds(item.end_s)]
            words = [_text(item.speaker), _text(item.title), _prose(item.text)]
            yield [*_head(report, section), _text(item.id), *times, *words, _text(report.gsvr_id)]


def _head(report: Report, section: ReportSection) -> list[Cell]:
    return [_text(report.source.name), _text(section.id), _text(section.title)]


def _text(text: str) -> str:
    return clean_text(text)[:MOST_CELL]


def _prose(markdown: str) -> str:
    return clean_text(to_plain(clean_text(markdown, newlines=True)), newlines=True)[:MOST_CELL]


def _time(seconds: float | None) -> str:
    return "" if seconds is None else format_time(seconds)


def _seconds(seconds: float | None) -> Cell:
    return "" if seconds is None else round(seconds, 3)


# ---------------------------------------------------------------- CSV


def guard(cell: Cell) -> Cell:
    """A text that a spreadsheet would take for a formula gets an apostrophe in front."""
    if isinstance(cell, str) and cell.lstrip(" \n").startswith(_DANGEROUS):
        return f"'{cell}"
    return cell


def write_videos_csv(view: BatchView, out: BinaryIO) -> None:
    """A row for each video; UTF-8 with a byte order mark, as Excel wants it, all quoted, CRLF."""
    _write_csv(out, VIDEO_COLUMNS, (video_row(entry) for entry in view.entries()))


def write_items_csv(view: BatchView, out: BinaryIO) -> None:
    """A row for each entry of each report."""
    _write_csv(out, ITEM_COLUMNS, (row for entry in view.entries() for row in item_rows(entry)))


def _write_csv(out: BinaryIO, columns: Sequence[str], rows: Iterator[list[Cell]]) -> None:
    text = io.TextIOWrapper(out, "utf-8-sig", errors="replace", newline="", write_through=True)
    try:
        writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
        writer.writerow(columns)
        for row in rows:
            writer.writerow([guard(cell) for cell in row])
        text.flush()
    finally:
        text.detach()  # closing belongs to whoever opened it


# ---------------------------------------------------------------- XLSX

_WIDTHS = {
    **{"video": 34, "title": 40, "text": 80, "findings": 40, "missing": 22, "reason": 30, "path": 30, "report": 30},
    **{"section_title": 20, "section": 18, "model": 20, "template": 24, "created": 21, "gsvr_id": 16, "speaker": 16},
}
_WRAPPED = ("text", "findings")


def write_xlsx(view: BatchView, out: BinaryIO) -> None:
    """Both tables as sheets: frozen heads, filters, links to the reports, no formulas."""
    import xlsxwriter  # type: ignore[import-untyped]

    with tempfile.TemporaryDirectory(prefix="gsvr-") as folder:
        book = xlsxwriter.Workbook(
            out,
            {
                "constant_memory": True,
                "tmpdir": folder,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
                "nan_inf_to_errors": True,
            },
        )
        book.set_properties({"title": _text(view.name)[:255], "author": "gsvr-tui", "created": _made(view)})
        head = book.add_format({"bold": True, "bottom": 1, "bg_color": "#EEF1F4"})
        plain = book.add_format({"valign": "top"})
        wrapped = book.add_format({"valign": "top", "text_wrap": True})
        link = book.add_format({"valign": "top", "font_color": "#1F5F8B", "underline": 1})
        videos = _Sheet(book.add_worksheet("Videos"), VIDEO_COLUMNS, head, plain, wrapped, link)
        items = _Sheet(book.add_worksheet("Items"), ITEM_COLUMNS, head, plain, wrapped, link)
        for entry in view.entries():
            videos.add(video_row(entry))
            for row in item_rows(entry):
                items.add(row)
        videos.end()
        items.end()
        book.close()


def _made(view: BatchView) -> datetime:
    try:
        return datetime.fromisoformat(view.created_at).replace(tzinfo=None)
    except ValueError:
        return datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)


class _Sheet:
    """A sheet that is filled row by row."""

    def __init__(
        self, sheet: Any, columns: Sequence[str], head: object, plain: object, wrapped: object, link: object
    ) -> None:
        self._sheet = sheet
        self._columns = columns
        self._plain, self._wrapped, self._link = plain, wrapped, link
        self._row = 0
        self._links = 0
        sheet.freeze_panes(1, 1)
        for number, name in enumerate(columns):
            sheet.set_column(number, number, _WIDTHS.get(name, 12))
        for number, name in enumerate(columns):
            sheet.write_string(0, number, name, head)

    def add(self, row: Sequence[Cell]) -> None:
        """One more row; what is beyond Excel's last row is left out, the CSV has it."""
        if self._row >= MOST_ROWS:
            return
        self._row += 1
        for number, (name, cell) in enumerate(zip(self._columns, row, strict=True)):
            if isinstance(cell, (int, float)):
                self._sheet.write_number(self._row, number, cell, self._plain)
            elif name == "report" and cell and self._links < MOST_LINKS and len(cell) < 2000:
                self._links += 1
                self._sheet.write_url(self._row, number, f"external:{cell}", self._link, cell)
            elif cell:
                form = self._wrapped if name in _WRAPPED else self._plain
                self._sheet.write_string(self._row, number, cell, form)

    def end(self) -> None:
        """The filter over all rows."""
        self._sheet.autofilter(0, 0, max(self._row, 1), len(self._columns) - 1)
