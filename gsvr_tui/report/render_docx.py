"""A report as a Word document: heading styles, a real table of contents, links that are relationships, key frames."""

from __future__ import annotations

import io
from datetime import UTC, datetime

from docx import Document
from docx.document import Document as Doc
from docx.shared import Inches, Pt, RGBColor

from gsvr_tui.core.text import clean_text, format_time
from gsvr_tui.report.document import Report, ReportItem, ReportSection
from gsvr_tui.report.formats.docx_parts import (
    add_bookmark,
    add_field,
    add_inner_link,
    add_link,
    set_fonts,
    shade,
    xml_text,
)
from gsvr_tui.report.formats.docx_text import DocxText
from gsvr_tui.report.formats.extras import Extras, Picture
from gsvr_tui.report.formats.words import word
from gsvr_tui.report.formats.zips import fixed_zip
from gsvr_tui.report.labels import label
from gsvr_tui.report.render_html import about, facts, shown_verdict, verdict_text
from gsvr_tui.report.render_markdown import file_href

_WIDEST = Inches(3.4)
_WASH = {"ok": "E7F2EA", "repaired": "E7F2EA", "rejected": "FAE8E6"}
_WASH_ELSE = "FBF1DC"


def render_docx(report: Report, extras: Extras) -> bytes:
    """The document as `.docx`."""
    document = Document()
    _prepare(document, report)
    href = extras.video_href if extras.video_href is not None else file_href(report.source.path)
    document.add_paragraph(xml_text(report.title) or "-", style="Title")
    about_line = document.add_paragraph()
    add_link(about_line, href, xml_text(report.source.name) or "-")
    about_line.add_run("".join(f" · {xml_text(fact)}" for fact in facts(report))).font.color.rgb = RGBColor(96, 96, 96)
    _verdict(document, report)
    if len(report.sections) > 1:
        _contents(document, report)
    for number, section in enumerate(report.sections, 1):
        heading = document.add_heading(xml_text(section.title) or "-", 1)
        add_bookmark(heading, f"_gsvr{number}", number)
        if section.kind == "text":
            DocxText(document).add(clean_text(section.text, newlines=True))
        for item in section.items:
            _item(document, item, section, href, extras.pictures.get(item.id))
    _findings(document, report)
    _about(document, report)
    out = io.BytesIO()
    document.save(out)
    return fixed_zip(out.getvalue())


def _prepare(document: Doc, report: Report) -> None:
    set_fonts(document, report.language)
    normal = document.styles["Normal"]
    normal.font.size = Pt(10.5)
    normal.paragraph_format.space_after = Pt(6)
    normal.paragraph_format.line_spacing = 1.25
    for name, size in (("Title", 22), ("Heading 1", 15), ("Heading 2", 12.5), ("Heading 3", 11)):
        document.styles[name].font.size = Pt(size)
        document.styles[name].font.color.rgb = RGBColor(0x22, 0x26, 0x2B)
    for section in document.sections:
        section.left_margin = section.right_margin = Inches(1)
        section.top_margin = section.bottom_margin = Inches(0.9)
    made = _made(report)
    properties = document.core_properties
    properties.title, properties.author, properties.comments = xml_text(report.title)[:255], "gsvr-tui", ""
    properties.identifier, properties.language = xml_text(report.gsvr_id)[:255], xml_text(report.language)[:255]
    properties.created = properties.modified = made
    properties.last_modified_by, properties.revision = "gsvr-tui", 1


def _made(report: Report) -> datetime:
    try:
        return datetime.fromisoformat(report.provenance.created_at).replace(tzinfo=UTC)
    except ValueError:
        return datetime(2000, 1, 1, tzinfo=UTC)


def _verdict(document: Doc, report: Report) -> None:
    paragraph = document.add_paragraph()
    paragraph.add_run(xml_text(verdict_text(report))).bold = True
    shade(paragraph, _WASH.get(shown_verdict(report), _WASH_ELSE))
    if report.gate.missing:
        ranges = ", ".join(f"{format_time(gap.start_s)}–{format_time(gap.end_s)}" for gap in report.gate.missing)
        paragraph.add_run().add_break()
        paragraph.add_run(f"{label('missing', report.language)}: {ranges}")


def _contents(document: Doc, report: Report) -> None:
    """A table of contents field, filled in already: it reads well before Word has brought it up to date."""
    title = document.add_paragraph()
    title.add_run(label("contents", report.language)).bold = True
    for number, section in enumerate(report.sections, 1):
        paragraph = document.add_paragraph()
        paragraph.paragraph_format.space_after = Pt(0)
        paragraph.paragraph_format.left_indent = Pt(12)
        if number == 1:
            add_field(paragraph, 'TOC \\o "1-1" \\h \\z \\n', "begin")
        add_inner_link(paragraph, f"_gsvr{number}", xml_text(section.title) or "-")
        if number == len(report.sections):
            add_field(paragraph, "", "end")


def _item(document: Doc, item: ReportItem, section: ReportSection, href: str, picture: Picture | None) -> None:
    headed = section.kind == "items" and bool(item.title)
    paragraph = document.add_heading(level=3) if headed else document.add_paragraph()
    if item.start_s is not None:
        fragment = f"{item.start_s:.3f}".rstrip("0").rstrip(".")
        shown = format_time(item.start_s)
        if item.end_s is not None and item.end_s > item.start_s and section.kind != "transcript":
            shown += f"–{format_time(item.end_s)}"
        add_link(paragraph, f"{href}#t={fragment}", shown)
        paragraph.add_run("  ")
    name = f"{item.speaker}:" if item.speaker else item.title
    if name:
        paragraph.add_run(xml_text(name)).bold = True
        if not headed:
            paragraph.add_run(" ")
    text = clean_text(item.text, newlines=True)
    if text:
        DocxText(document, None if headed else paragraph).add(text)
    if picture is not None:
        _picture(document, picture)


def _picture(document: Doc, picture: Picture) -> None:
    try:
        width = min(_WIDEST, Inches(picture.width / 96))
        document.add_picture(io.BytesIO(picture.data), width=width)
    except Exception:  # noqa: BLE001, RUF100 – the library raises bare ones over pictures it can't read
        return


def _findings(document: Doc, report: Report) -> None:
    found = [finding for finding in report.gate.findings if finding.level != "pass"]
    if not found:
        return
    document.add_heading(label("findings", report.language), 1)
    for finding in found:
        paragraph = document.add_paragraph()
        level = label("fail" if finding.level == "fail" else "warn", report.language)
        paragraph.add_run(xml_text(f"{level}, {finding.check}")).bold = True
        place = f" ({finding.place})" if finding.place else ""
        paragraph.add_run(xml_text(f"{place}: {finding.message}"))


def _about(document: Doc, report: Report) -> None:
    document.add_heading(word("about", report.language), 1)
    table = document.add_table(0, 2)
    table.autofit = False
    table.columns[0].width, table.columns[1].width = Inches(1.3), Inches(5.2)
    for name, value in about(report):
        cells = table.add_row().cells
        cells[0].text, cells[1].text = xml_text(name), xml_text(value)
        cells[0].width, cells[1].width = Inches(1.3), Inches(5.2)
        for cell in cells:
            cell.paragraphs[0].paragraph_format.space_after = Pt(0)
            for run in cell.paragraphs[0].runs:
                run.font.size = Pt(9)
