"""Markdown of a model as HTML that can do nothing, and as plain text. Twice safe: harmless Markdown first, then a
renderer that knows no raw HTML, no pictures, and no addresses but http, https and mailto."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from html import escape
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

from gsvr_tui.report.markdown_text import block, inline

_SCHEMES = frozenset({"http", "https", "mailto"})


def _link_ok(url: str) -> bool:
    try:
        return urlsplit(url.strip()).scheme.lower() in _SCHEMES
    except ValueError:
        return False


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "linkify": False, "typographer": False, "maxNesting": 20})
    parser.enable(["table", "strikethrough"]).disable(["image", "html_block", "html_inline", "heading", "lheading"])
    parser.validateLink = _link_ok  # type: ignore[method-assign]
    return parser


def tokens(markdown: str) -> list[Token]:
    """The Markdown of a model as tokens, made harmless."""
    return _parser().parse(block(markdown))


def to_html(markdown: str) -> str:
    """Blocks as HTML."""
    found = tokens(markdown)
    for token in found:
        _harden(token)
    return str(_parser().renderer.render(found, _parser().options, {})).strip()


def to_inline_html(markdown: str) -> str:
    """One line as HTML without a block around it."""
    found = _parser().parseInline(inline(markdown))
    for token in found:
        _harden(token)
    return str(_parser().renderer.render(found, _parser().options, {})).strip()


def _harden(token: Token) -> None:
    for child in token.children or ():
        _harden(child)
    if token.type == "link_open":
        token.attrs = {"href": str(token.attrs.get("href", "")), "rel": "noopener noreferrer nofollow"}
    elif token.type in ("th_open", "td_open"):
        token.attrs = {}  # alignment comes as a style attribute, which the page's policy refuses
    elif token.type == "fence":
        token.info = ""


# ---------------------------------------------------------------- plain text

_BARE = re.compile(r"[^\W\d_](?: ?[^\s*_`\[\]<>&\\#|~!$%^={}:+\x00-\x1f\x7f-])* ?")
"""One line that begins with a letter and has no sign of Markdown's in it."""


def to_plain(markdown: str) -> str:
    """The words alone: paragraphs as lines, list entries with `- `, cells with a bar between them."""
    if _BARE.fullmatch(markdown):  # most sentences: what the parser would give, without asking it
        return markdown.rstrip(" ")
    lines = [re.sub(r"[ \t]+", " ", line).strip() for line in _plain_lines(tokens(markdown))]
    return "\n".join(line for line in lines if line)


def to_plain_line(markdown: str) -> str:
    """The words alone, on one line."""
    return " ".join(to_plain(markdown).split())


def _plain_lines(found: list[Token]) -> Iterator[str]:
    mark = ""
    row: list[str] | None = None
    for token in found:
        if token.type == "list_item_open":
            mark = f"{token.info}. " if token.info else "- "
        elif token.type == "tr_open":
            row = []
        elif token.type == "tr_close" and row is not None:
            yield " | ".join(row)
            row = None
        elif token.type == "inline":
            text = inline_text(token)
            if row is not None:
                row.append(text)
            else:
                yield from (mark + text).split("\n")
                mark = ""
        elif token.type in ("fence", "code_block"):
            yield from token.content.splitlines()


def inline_text(token: Token) -> str:
    """The words of an inline token."""
    pieces = []
    for child in token.children or ():
        if child.type in ("text", "code_inline"):
            pieces.append(child.content)
        elif child.type == "softbreak":
            pieces.append(" ")
        elif child.type == "hardbreak":
            pieces.append("\n")
    return "".join(pieces)


def html_text(text: str) -> str:
    """Any text as HTML."""
    return escape(text, quote=True)
