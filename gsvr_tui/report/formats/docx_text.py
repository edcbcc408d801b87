"""Markdown of a model as paragraphs of a Word document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from docx.document import Document as Doc
from docx.shared import Pt, RGBColor
from docx.table import _Cell
from docx.text.paragraph import Paragraph
from markdown_it.token import Token

from gsvr_tui.report.formats.docx_parts import add_link, shade, xml_text
from gsvr_tui.report.formats.rich_text import tokens

_STEP = 18  # points a level of a list is moved in
_MONO = "Consolas"
MOST_COLUMNS = 20


class DocxText:
    """Adds blocks of Markdown at the end of a document, the first of them to `first` if one is given."""

    def __init__(self, document: Doc, first: Paragraph | None = None) -> None:
        self._document = document
        self._first = first
        self._lists: list[int | None] = []  # the next number of each open list, None for bullets
        self._quotes = 0
        self._mark = ""

    def add(self, markdown: str) -> None:
        """All blocks of the text."""
        found = tokens(markdown)
        index = 0
        while index < len(found):
            token = found[index]
            if token.type == "table_open":
                end = next(i for i in range(index, len(found)) if found[i].type == "table_close")
                self._table(found[index : end + 1])
                index = end
            else:
                self._block(token)
            index += 1

    def _block(self, token: Token) -> None:
        match token.type:
            case "bullet_list_open":
                self._lists.append(None)
            case "ordered_list_open":
                self._lists.append(int(token.attrs.get("start") or 1))
            case "bullet_list_close" | "ordered_list_close":
                self._lists.pop()
            case "list_item_open":
                self._mark = self._next_mark()
            case "blockquote_open":
                self._quotes += 1
            case "blockquote_close":
                self._quotes -= 1
            case "fence" | "code_block":
                self._code(token.content)
            case "inline":
                add_inline(self._paragraph(), token.children or ())

    def _next_mark(self) -> str:
        number = self._lists[-1]
        if number is None:
            return "•"
        self._lists[-1] = number + 1
        return f"{number}."

    def _paragraph(self) -> Paragraph:
        paragraph, self._first = self._first or self._document.add_paragraph(), None
        depth = len(self._lists)
        if depth or self._quotes:
            paragraph.paragraph_format.left_indent = Pt(_STEP * (min(depth, 6) + min(self._quotes, 3)))
            paragraph.paragraph_format.space_after = Pt(3)
        if self._mark:
            paragraph.paragraph_format.first_line_indent = Pt(-_STEP)
            paragraph.paragraph_format.tab_stops.add_tab_stop(Pt(_STEP * depth))
            paragraph.add_run(f"{self._mark}\t")
            self._mark = ""
        return paragraph

    def _code(self, content: str) -> None:
        paragraph = self._paragraph()
        lines = xml_text(content.rstrip("\n"), newlines=True).split("\n")
        for number, line in enumerate(lines):
            run = paragraph.add_run(line)
            run.font.name = _MONO
            run.font.size = Pt(9)
            if number < len(lines) - 1:
                run.add_break()
        shade(paragraph, "F3F2EE")

    def _table(self, found: Sequence[Token]) -> None:
        rows: list[list[Token]] = []
        for token in found:
            if token.type == "tr_open":
                rows.append([])
            elif token.type == "inline" and rows:
                rows[-1].append(token)
        columns = min(max((len(row) for row in rows), default=0), MOST_COLUMNS)
        if not columns:
            return
        table = self._document.add_table(0, columns)
        table.style = self._document.styles["Table Grid"]
        for number, row in enumerate(rows):
            cells = table.add_row().cells
            for cell, token in zip(cells, row, strict=False):
                _fill(cell, token, bold=number == 0)
        self._document.add_paragraph()


def _fill(cell: _Cell, token: Token, *, bold: bool) -> None:
    paragraph = cell.paragraphs[0]
    paragraph.paragraph_format.space_after = Pt(0)
    add_inline(paragraph, token.children or (), bold=bold)


_EMPHASIS = {"strong": "bold", "em": "italic", "s": "strike"}


def add_inline(paragraph: Paragraph, children: Sequence[Token], *, bold: bool = False) -> None:
    """The words of a paragraph with their emphasis and links."""
    depth = {"bold": int(bold), "italic": 0, "strike": 0}
    address: str | None = None
    for child in children:
        kind, _, end = child.type.rpartition("_")
        if kind in _EMPHASIS:
            depth[_EMPHASIS[kind]] += child.nesting
        elif kind == "link":
            address = xml_text(str(child.attrs.get("href", ""))) if end == "open" else None
        elif child.type == "hardbreak":
            paragraph.add_run().add_break()
        elif child.type in ("text", "code_inline", "softbreak"):
            words = " " if child.type == "softbreak" else xml_text(child.content)
            if address and words.strip():
                add_link(paragraph, address, words)
            else:
                _add_run(paragraph, words, depth, code=child.type == "code_inline")


def _add_run(paragraph: Paragraph, words: str, depth: Mapping[str, int], *, code: bool) -> None:
    run = paragraph.add_run(words)
    run.bold, run.italic = depth["bold"] > 0 or None, depth["italic"] > 0 or None
    run.font.strike = depth["strike"] > 0 or None
    if code:
        run.font.name = _MONO
        run.font.color.rgb = RGBColor(0x44, 0x44, 0x44)
