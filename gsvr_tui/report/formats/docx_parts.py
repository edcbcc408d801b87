"""The pieces of WordprocessingML that python-docx has no call for: fields, links, shading, fonts for Chinese."""

from __future__ import annotations

import re
from typing import Any

from docx.document import Document as Doc
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.text.paragraph import Paragraph
from docx.text.run import Run

from gsvr_tui.core.text import clean_text

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_EAST_ASIAN = {
    "zh-hant": "Microsoft JhengHei",
    "zh-tw": "Microsoft JhengHei",
    "zh-hk": "Microsoft JhengHei",
    "ja": "Yu Gothic",
    "ko": "Malgun Gothic",
}


def xml_text(text: str, *, newlines: bool = False) -> str:
    """Clean text with nothing in it that XML can't hold."""
    return _NO_XML.sub("\N{REPLACEMENT CHARACTER}", clean_text(text, newlines=newlines))


def _element(tag: str, /, **attributes: str) -> Any:
    element = OxmlElement(tag)
    for key, value in attributes.items():
        element.set(qn(f"w:{key}"), value)
    return element


def set_fonts(document: Doc, language: str) -> None:
    """Latin and East Asian fonts of all styles in use; without the second Chinese falls back to whatever is there."""
    low = language.lower()
    east = _EAST_ASIAN.get(low) or _EAST_ASIAN.get(low.split("-")[0]) or "Microsoft YaHei"
    for name in ("Normal", "Title", "Heading 1", "Heading 2", "Heading 3"):
        style = document.styles[name]
        properties = style.element.get_or_add_rPr()
        fonts = properties.find(qn("w:rFonts"))
        if fonts is not None:
            properties.remove(fonts)
        properties.insert(0, _element("w:rFonts", ascii="Calibri", hAnsi="Calibri", eastAsia=east, cs="Calibri"))
        spoken = properties.find(qn("w:lang"))
        if spoken is not None:
            properties.remove(spoken)
        properties.append(_element("w:lang", val=language or "en", eastAsia=language if low[:2] in _WIDE else "zh-CN"))


_WIDE = ("zh", "ja", "ko")


def shade(paragraph: Paragraph, colour: str) -> None:
    """A background behind a paragraph, `colour` as RRGGBB."""
    paragraph._p.get_or_add_pPr().append(_element("w:shd", val="clear", color="auto", fill=colour))


def add_link(paragraph: Paragraph, address: str, text: str, *, bold: bool = False) -> None:
    """A link to an address outside the document, kept as a relationship."""
    relations = paragraph.part.rels
    identity = f"rIdLink{len(relations)}"  # the library's own way looks through all of them for each
    relations.add_relationship(RELATIONSHIP_TYPE.HYPERLINK, address, identity, is_external=True)
    link = OxmlElement("w:hyperlink")
    link.set(qn("r:id"), identity)
    _link_run(paragraph, link, text, bold=bold)


def add_inner_link(paragraph: Paragraph, bookmark: str, text: str) -> None:
    """A link to a bookmark of the document."""
    _link_run(paragraph, _element("w:hyperlink", anchor=bookmark, history="1"), text, bold=False)


def _link_run(paragraph: Paragraph, link: Any, text: str, *, bold: bool) -> None:
    run = OxmlElement("w:r")
    properties = OxmlElement("w:rPr")
    if bold:
        properties.append(OxmlElement("w:b"))
    properties.append(_element("w:color", val="1F5F8B"))
    run.append(properties)
    link.append(run)
    paragraph._p.append(link)
    Run(run, paragraph).text = text


def add_bookmark(paragraph: Paragraph, name: str, number: int) -> None:
    """A bookmark around what the paragraph holds now."""
    content = [child for child in paragraph._p if child.tag != qn("w:pPr")]
    begin = _element("w:bookmarkStart", id=str(number), name=name)
    if content:
        content[0].addprevious(begin)
    else:
        paragraph._p.append(begin)
    paragraph._p.append(_element("w:bookmarkEnd", id=str(number)))


def add_field(paragraph: Paragraph, code: str, kind: str) -> None:
    """A part of a field: kind begin (with its code), or end."""
    if kind == "begin":
        paragraph.add_run()._r.append(_element("w:fldChar", fldCharType="begin"))
        instruction = OxmlElement("w:instrText")
        instruction.set(qn("xml:space"), "preserve")
        instruction.text = f" {code} "
        paragraph.add_run()._r.append(instruction)
        paragraph.add_run()._r.append(_element("w:fldChar", fldCharType="separate"))
    else:
        paragraph.add_run()._r.append(_element("w:fldChar", fldCharType="end"))
