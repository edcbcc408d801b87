"""The Word document, opened again by the library and looked at from inside."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import pytest
from docx import Document
from docx.document import Document as Doc
from docx.oxml.ns import qn

from gsvr_tui.media.frames import key_frames
from gsvr_tui.media.samples import ClipSpec, make_clip
from gsvr_tui.report.document import Report
from gsvr_tui.report.formats.extras import Picture
from gsvr_tui.report.render import render

from .conftest import HOSTILE, make_report


def opened(data: bytes) -> Doc:
    return Document(io.BytesIO(data))


def links(document: Doc) -> list[str]:
    return [rel.target_ref for rel in document.part.rels.values() if rel.is_external]


def test_headings_lists_tables_code_and_emphasis_are_there(lesson_report: Report) -> None:
    document = opened(render(lesson_report, "docx", video_href="../a.mp4"))
    heads = [(p.style.name, p.text) for p in document.paragraphs if p.style.name.startswith(("Heading", "Title"))]
    assert heads[0] == ("Title", "Why the sky is blue")
    assert ("Heading 1", "Overview") in heads
    assert ("Heading 3", "00:20–00:44  A tank") in heads
    text = "\n".join(p.text for p in document.paragraphs)
    assert "1.\ta tank" in text
    assert "•\tblue" in text
    assert "if a < b: pass" in text
    assert [cell.text for row in document.tables[0].rows for cell in row.cells] == ["a", "b", "1", "2"]
    bold = [run.text for p in document.paragraphs for run in p.runs if run.bold]
    assert {"light", "orange"} <= set(bold)


def test_times_and_addresses_are_links_as_relationships(lesson_report: Report) -> None:
    found = links(opened(render(lesson_report, "docx", video_href="../a%20b.mp4")))
    assert "../a%20b.mp4#t=44" in found
    assert "https://e.org/x" in found


def test_the_contents_are_a_field_that_is_filled_in_already(lesson_report: Report) -> None:
    body = opened(render(lesson_report, "docx")).element.body
    assert [e.text.strip()[:3] for e in body.iter(qn("w:instrText"))] == ["TOC"]
    assert [e.get(qn("w:fldCharType")) for e in body.iter(qn("w:fldChar"))] == ["begin", "separate", "end"]
    marks = {e.get(qn("w:name")) for e in body.iter(qn("w:bookmarkStart"))}
    targets = [e.get(qn("w:anchor")) for e in body.iter(qn("w:hyperlink")) if e.get(qn("w:anchor"))]
    assert len(targets) == 5
    assert set(targets) <= marks


@pytest.mark.parametrize(
    ("language", "font"), [("zh-Hans", "YaHei"), ("zh-Hant", "JhengHei"), ("ja", "Yu"), ("en", "Ya")]
)
def test_chinese_has_a_font_of_its_own(lesson_report: Report, language: str, font: str) -> None:
    document = opened(render(make_report(lesson_report.sections, language=language), "docx"))
    for name in ("Normal", "Heading 1", "Title"):
        fonts = document.styles[name].element.find(qn("w:rPr")).find(qn("w:rFonts"))
        assert font in fonts.get(qn("w:eastAsia"))
        assert fonts.get(qn("w:asciiTheme")) is None


def test_key_frames_are_in_it_and_at_most_six_inches_wide(lesson_report: Report, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", ClipSpec(12, 320, 180, 5))
    taken = key_frames(clip, [1.0])[0]
    pictures = {"e0002": Picture(taken.at_s, taken.data, taken.width, taken.height), "e0003": Picture(0, b"junk", 9, 9)}
    shapes = list(opened(render(lesson_report, "docx", pictures=pictures)).inline_shapes)
    assert len(shapes) == 1
    assert 0 < shapes[0].width.inches <= 6


def test_a_hostile_report_is_a_harmless_document(hostile_report: Report) -> None:
    data = render(hostile_report, "docx", video_href="../a.mp4")
    document = opened(data)
    assert all(re.match(r"(https?://|mailto:|\.\./a\.mp4)", link) for link in links(document))
    text = "\n".join(p.text for p in document.paragraphs)
    assert "<script>alert(1)</script>" in text
    assert "\u202e" not in text
    assert "\x1b" not in text
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = archive.namelist()
        fields = re.findall(r"<w:instrText[^>]*>([^<]*)", archive.read("word/document.xml").decode())
    assert not [name for name in names if "vba" in name.lower() or ".." in name]
    assert [field.split()[0] for field in fields] == ["TOC"]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_single_text_breaks_the_document(text: str, lesson_report: Report) -> None:
    opened(render(make_report(lesson_report.sections, title=text), "docx"))
